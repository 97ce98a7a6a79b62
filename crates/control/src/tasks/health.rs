//! What containers' health checks say, recorded. Longshore's agent says it in its reports, official
//! ones by telemetry; either is durable.

use std::sync::Arc;

use longshore_model::{
    Container, ContainerName, HealthStatus, InstanceId, LastStatus, Task, TaskId, Timestamp,
};
use longshore_store::{State, StoreError};

use crate::Control;
use crate::telemetry::{ForeignTask, check_own};

/// No clock that somebody looks after is ahead of ours by more.
const ABSURD_MILLIS: i64 = 24 * 3600 * 1000;

/// The health of one task's containers, as its agent sees it.
#[derive(Clone, Debug)]
pub struct HealthReport {
    /// The task.
    pub task: TaskId,
    /// By the names in the definition.
    pub containers: Vec<(ContainerName, Health)>,
}

/// What one container's health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// What it says.
    pub status: HealthStatus,
    /// Since when, by the agent's clock.
    pub since: Option<Timestamp>,
}

/// Why a report of health was not recorded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecordHealthError {
    /// It is about another instance's task.
    #[error(transparent)]
    Foreign(#[from] ForeignTask),
    /// It could not be saved.
    #[error("the state could not be saved")]
    Store(#[from] StoreError),
}

impl Control {
    /// Records what an instance's agent says of its tasks' health. Agents say it again and again:
    /// what changes nothing is no update.
    pub async fn record_health(
        &self,
        instance: InstanceId,
        reports: Vec<HealthReport>,
    ) -> Result<(), RecordHealthError> {
        let now = self.now();
        let view = self.view();
        check_own(&view, instance, reports.iter().map(|it| it.task))?;
        let news = |it: &&HealthReport| changed(&view, it, now).is_some();
        let news: Vec<HealthReport> = reports.iter().filter(news).cloned().collect();
        if news.is_empty() {
            return Ok(());
        }
        self.store
            .update(|tx| {
                for report in &news {
                    if let Some(mut task) = changed(tx, report, now)
                        && task.container_instance == instance
                    {
                        task.version += 1;
                        tx.put_task(Arc::new(task));
                    }
                }
                Ok(())
            })
            .await
    }
}

/// The task as a report changes it, if it does.
fn changed(state: &State, report: &HealthReport, now: Timestamp) -> Option<Task> {
    let task = state.task(report.task).filter(|it| it.last_status != LastStatus::Stopped)?;
    let mut after = Task::clone(task);
    for (name, health) in &report.containers {
        if let Some(container) = after.containers.iter_mut().find(|it| it.name == *name) {
            take_health(container, *health, now);
        }
    }
    (after != **task).then_some(after)
}

/// It has no order of its own that would show a late report for what it is, so its time counts. One
/// that is absurdly far ahead must not keep out all that follows: the first of a sane time goes before
/// it. Ours may have been set meanwhile, so what is sane is not asked when a report comes alone.
pub(super) fn take_health(container: &mut Container, told: Health, now: Timestamp) {
    if container.last_status == LastStatus::Stopped {
        return;
    }
    let limit = now.millis().saturating_add(ABSURD_MILLIS);
    let is_absurd = |since: Option<Timestamp>| since.is_some_and(|it| it.millis() > limit);
    let is_sane_at_last = is_absurd(container.health_since) && !is_absurd(told.since);
    if told.since >= container.health_since || is_sane_at_last {
        container.health = Some(told.status);
        container.health_since = told.since;
    }
}
