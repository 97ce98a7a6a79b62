//! StartTask: the caller names the instances, each of which is checked by itself.

use std::sync::Arc;

use longshore_model::{InstanceId, LaunchType};
use longshore_placement::{Candidate, Filter};
use longshore_store::State;

use super::launch::{Failure, FailureReason, Launch, LaunchError, Launched};
use crate::Control;

/// A StartTask request whose members are valid by themselves.
#[derive(Clone, Debug)]
pub struct StartTask {
    /// What to launch.
    pub launch: Launch,
    /// One task is started on each; 1 to 10. One named twice gets two tasks.
    pub container_instances: Vec<InstanceId>,
}

impl Control {
    /// StartTask. An instance that cannot take the task is a failure with its reason; the others
    /// start theirs.
    pub async fn start_task(&self, request: StartTask) -> Result<Launched, LaunchError> {
        let now = self.now();
        let ids = &*self.ids;
        self.store
            .update(|tx| {
                let launch = request.launch.ready(tx)?;
                let mut tasks = Vec::new();
                let mut failures = Vec::new();
                for container_instance in request.container_instances {
                    let instance = tx
                        .instance(container_instance)
                        .filter(|it| it.cluster == launch.cluster)
                        .map(Arc::clone);
                    let failure = match instance {
                        None => Some((FailureReason::Missing, None)),
                        Some(instance) => {
                            let occupancy = tx.occupancy(container_instance);
                            let candidate = Candidate { instance, occupancy };
                            // Constraints are not for StartTask.
                            let filter = Filter::new(&launch.demand, &launch.requires, "", &[]);
                            filter.refusal(&candidate).map(|refusal| {
                                let detail = filter.detail(&candidate).map(Into::into);
                                (FailureReason::Refused(refusal), detail)
                            })
                        }
                    };
                    match failure {
                        Some((reason, detail)) => {
                            failures.push(Failure { container_instance, reason, detail });
                        }
                        None => {
                            let launch_type = launched_on(tx, container_instance);
                            tasks.push(launch.put_task(
                                tx,
                                container_instance,
                                launch_type,
                                now,
                                ids,
                            ));
                        }
                    }
                }
                Ok(Launched { cluster: launch.cluster, tasks, failures })
            })
            .await
    }
}

/// The caller names no launch type: it is that of the instance.
fn launched_on(state: &State, id: InstanceId) -> LaunchType {
    match state.instance(id).is_some_and(|it| it.is_external()) {
        true => LaunchType::External,
        false => LaunchType::Ec2,
    }
}
