//! StartTask: the caller names the instances, each of which is checked by itself.

use std::sync::Arc;

use longshore_model::InstanceId;
use longshore_placement::{Candidate, refusal};

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
                    let reason = match instance {
                        None => Some(FailureReason::Missing),
                        Some(instance) => {
                            let occupancy = tx.occupancy(container_instance);
                            let candidate = Candidate { instance, occupancy };
                            refusal(&candidate, &launch.demand, &launch.requires)
                                .map(FailureReason::Refused)
                        }
                    };
                    match reason {
                        Some(reason) => failures.push(Failure { container_instance, reason }),
                        None => tasks.push(launch.put_task(tx, container_instance, now, ids)),
                    }
                }
                let (cluster, definition) = (launch.cluster, launch.definition);
                Ok(Launched { cluster, tasks, definition, failures })
            })
            .await
    }
}
