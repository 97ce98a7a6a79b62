//! DeregisterContainerInstance: the machine is let go.

use std::sync::Arc;

use longshore_model::{
    ClusterName, ContainerInstance, InstanceId, InstanceStatus, StopCode, Task, Timestamp,
};
use longshore_store::StoreError;

use super::{NotFound, find};
use crate::Control;
use crate::clusters::{self, ClusterError};
use crate::lost;

/// What is said of tasks that lost their instance.
/// Source: Amazon ECS Developer Guide, deregistering a container instance.
const FORCED: &str = "Container instance deregistration forced by user";

/// Why an instance cannot be deregistered.
#[derive(Debug, thiserror::Error)]
pub enum DeregisterError {
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No such instance in this cluster.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// It has tasks that are not STOPPED, and force was not asked for.
    #[error("Found running tasks on the instance.")]
    HasTasks,
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Control {
    /// DeregisterContainerInstance: it is INACTIVE from now on, for good. With `force` its tasks
    /// are STOPPED at once; on the machine their containers go on, and nobody looks after them.
    /// Tasks that were given up before do not hold it, and nobody waits for them any more.
    /// One that is INACTIVE already stays as it is.
    pub async fn deregister_container_instance(
        &self,
        cluster: ClusterName,
        id: InstanceId,
        force: bool,
    ) -> Result<Arc<ContainerInstance>, DeregisterError> {
        let now = self.now();
        self.store
            .update(|tx| {
                clusters::active(tx, &cluster)?;
                let instance = Arc::clone(find(tx, &cluster, id).ok_or(NotFound)?);
                if instance.status == InstanceStatus::Inactive {
                    return Ok(instance);
                }
                let occupancy = tx.occupancy(id);
                if !force && !occupancy.tasks.is_empty() {
                    return Err(DeregisterError::HasTasks);
                }
                for id in &occupancy.tasks {
                    if let Some(task) = tx.task(*id).map(Arc::clone) {
                        tx.put_task(stopped(&task, now));
                    }
                }
                for id in occupancy.at_large.keys() {
                    if let Some(task) = tx.task(*id).map(Arc::clone) {
                        tx.put_task(lost::settled(&task, now));
                    }
                }
                let instance = Arc::new(ContainerInstance {
                    status: InstanceStatus::Inactive,
                    agent_connected: false,
                    away_since: None,
                    deregistered_at: Some(now),
                    version: instance.version + 1,
                    ..ContainerInstance::clone(&instance)
                });
                tx.put_instance(Arc::clone(&instance));
                Ok(instance)
            })
            .await
    }
}

/// A task whose instance is gone: it has ended, as far as anybody can tell.
fn stopped(task: &Task, now: Timestamp) -> Task {
    let mut task = Task::clone(task);
    task.stop(now, StopCode::UserInitiated, FORCED);
    task.end(now);
    task.version += 1;
    task
}
