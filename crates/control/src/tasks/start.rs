//! StartTask: the caller names the instances, each of which is checked by itself.

use longshore_model::InstanceId;
use longshore_placement::Filter;
use longshore_store::State;

use super::launch::{Failure, FailureReason, Launch, LaunchError, Launched, Ready};
use crate::{Control, container_instances};

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
                    if let Some(failure) = refused(tx, &launch, container_instance) {
                        failures.push(failure);
                        continue;
                    }
                    tasks.push(launch.put_task(tx, container_instance, None, now, ids));
                }
                Ok(Launched { cluster: launch.cluster, tasks, failures })
            })
            .await
    }
}

/// Why an instance cannot take the task, if it cannot. Constraints are not for StartTask.
fn refused(state: &State, launch: &Ready, container_instance: InstanceId) -> Option<Failure> {
    let found = container_instances::find(state, &launch.cluster, container_instance);
    let Some(instance) = found else {
        let reason = FailureReason::Missing;
        return Some(Failure { container_instance, reason, detail: None });
    };
    let candidate = container_instances::candidate(state, instance);
    let filter = Filter::new(&launch.demand, &launch.requires, "", &[]);
    let reason = FailureReason::Refused(filter.refusal(&candidate)?);
    let detail = filter.detail(&candidate).map(Into::into);
    Some(Failure { container_instance, reason, detail })
}
