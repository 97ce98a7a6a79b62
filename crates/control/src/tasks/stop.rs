//! StopTask: the desired status changes; the agent does the rest.

use std::sync::Arc;

use longshore_model::{ClusterName, DesiredStatus, StopCode, Task, TaskId};
use longshore_store::StoreError;

use crate::Control;
use crate::clusters::{self, ClusterError};

/// What is said of a task that was stopped without a reason given.
const NO_REASON: &str = "Task stopped by user";

/// A StopTask request whose members are valid by themselves.
#[derive(Clone, Debug)]
pub struct StopTask {
    /// The task's cluster.
    pub cluster: ClusterName,
    /// The task.
    pub task: TaskId,
    /// The caller's reason; at most 255 characters.
    pub reason: Option<String>,
}

/// Why a task cannot be stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopTaskError {
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No such task in this cluster.
    #[error("The referenced task was not found.")]
    NotFound,
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Control {
    /// Ends a task that cannot begin for want of what it needs, such as a secret. Its agent is told
    /// to stop it, as any other: one that never heard of it reports it STOPPED.
    pub async fn fail_to_start(&self, task: TaskId, reason: &str) -> Result<(), StoreError> {
        let now = self.now();
        self.store
            .update(|tx| {
                let Some(task) = tx.task(task) else { return Ok(()) };
                if task.desired_status == DesiredStatus::Stopped {
                    return Ok(());
                }
                let mut task = Task::clone(task);
                task.stop(now, StopCode::TaskFailedToStart, reason);
                task.version += 1;
                tx.put_task(Arc::new(task));
                Ok(())
            })
            .await
    }

    /// StopTask. Answers at once with the task as it then is. One that is stopping or has stopped
    /// stays as it is, with the reason it has.
    pub async fn stop_task(&self, request: StopTask) -> Result<Arc<Task>, StopTaskError> {
        let now = self.now();
        self.store
            .update(|tx| {
                clusters::active(tx, &request.cluster)?;
                let task = tx
                    .task(request.task)
                    .filter(|it| it.cluster == request.cluster)
                    .ok_or(StopTaskError::NotFound)?;
                if task.desired_status == DesiredStatus::Stopped {
                    return Ok(Arc::clone(task));
                }
                let mut task = Task::clone(task);
                let reason = request.reason.as_deref().unwrap_or(NO_REASON);
                task.stop(now, StopCode::UserInitiated, reason);
                task.version += 1;
                let task = Arc::new(task);
                tx.put_task(Arc::clone(&task));
                Ok(task)
            })
            .await
    }
}
