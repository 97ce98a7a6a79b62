//! Which stopped tasks are forgotten: ECS describes them for at least an hour.

use longshore_model::{LastStatus, TaskId, Timestamp};
use longshore_store::{State, StoreError};

use crate::Control;

/// How long a stopped task can still be described, in seconds.
/// Source: Amazon ECS API Reference, DescribeTasks.
pub const KEEP_STOPPED_SECS: i64 = 3600;

/// The most tasks that one transaction forgets.
const BATCH: usize = 500;

/// The stopped tasks whose time is over.
pub fn overdue(state: &State, now: Timestamp) -> Vec<TaskId> {
    let ended = |at: Timestamp| at.plus_secs(KEEP_STOPPED_SECS) < now;
    state
        .all_tasks()
        .filter(|it| it.last_status == LastStatus::Stopped && it.stopped_at.is_some_and(ended))
        .map(|it| it.id)
        .collect()
}

impl Control {
    /// Forgets every stopped task whose time is over, and says how many there were.
    pub async fn reap(&self) -> Result<usize, StoreError> {
        let tasks = overdue(&self.view(), self.now());
        for batch in tasks.chunks(BATCH) {
            self.store
                .update(|tx| {
                    for &task in batch {
                        tx.remove_task(task);
                    }
                    Ok::<_, StoreError>(())
                })
                .await?;
        }
        Ok(tasks.len())
    }
}
