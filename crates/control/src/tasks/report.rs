//! What an agent says of a task, recorded.
//!
//! Reports may be late, repeated, or about a task long gone: whatever would move a status back
//! changes nothing, and an agent is never told that it is wrong, for it would ask again for ever.
//! Of a task that was given up while its machine was away they tell how it ended, and that it did.

use std::sync::Arc;

use longshore_model::status::{DesiredStatus, LastStatus};
use longshore_model::{
    ClusterName, Container, ContainerName, HealthStatus, NetworkBinding, StopCode, Task,
    TaskDefinition, TaskId, Timestamp,
};
use longshore_store::StoreError;

use super::health::{Health, take_health};
use crate::{Control, lost};

/// A task as its agent sees it.
#[derive(Clone, Debug)]
pub struct TaskReport {
    /// The task's cluster.
    pub cluster: ClusterName,
    /// The task.
    pub task: TaskId,
    /// The task's status; `None` in a report about a container alone.
    pub status: Option<LastStatus>,
    /// The agent's words; empty or `None` when it has none.
    pub reason: Option<String>,
    /// Changes of its containers, in order. A container may be there twice.
    pub containers: Vec<ContainerReport>,
    /// When the agent began to pull images.
    pub pull_started_at: Option<Timestamp>,
    /// When it had pulled them.
    pub pull_stopped_at: Option<Timestamp>,
    /// When an essential container ended.
    pub execution_stopped_at: Option<Timestamp>,
}

/// A container as its agent sees it.
#[derive(Clone, Debug)]
pub struct ContainerReport {
    /// The name in the definition.
    pub name: ContainerName,
    /// Its status.
    pub status: LastStatus,
    /// Where it ended with one.
    pub exit_code: Option<i32>,
    /// Such as `OutOfMemoryError: Container killed due to memory usage`.
    pub reason: Option<String>,
    /// The host's ports.
    pub network_bindings: Vec<NetworkBinding>,
    /// The Docker Engine's id.
    pub runtime_id: Option<String>,
    /// The digest of its image, where that came from a registry.
    pub image_digest: Option<String>,
    /// As its health check has it; `None` where the agent does not say.
    pub health: Option<HealthStatus>,
    /// Since when, by the agent's clock.
    pub health_since: Option<Timestamp>,
}

/// The longest reason that is kept, in characters. Source: Amazon ECS API Reference, `Container`.
const MAX_REASON_CHARS: usize = 1024;

impl Control {
    /// SubmitTaskStateChange and SubmitContainerStateChange. Says whether the task is known.
    pub async fn record_report(&self, report: TaskReport) -> Result<bool, StoreError> {
        let now = self.now();
        self.store
            .update(|tx| {
                let known = tx.task(report.task).filter(|it| it.cluster == report.cluster);
                let Some(task) = known.map(Arc::clone) else { return Ok(false) };
                let Some(definition) = tx.definition(&task.definition).map(Arc::clone) else {
                    return Ok(false);
                };
                let mut after = Task::clone(&task);
                apply(&mut after, &definition, &report, now);
                if after != *task {
                    after.version += 1;
                    tx.put_task(Arc::new(after));
                }
                Ok(true)
            })
            .await
    }
}

/// Moves a task to where a report says it is, never back.
fn apply(task: &mut Task, definition: &TaskDefinition, report: &TaskReport, now: Timestamp) {
    if task.is_at_large() {
        return lost::hear(task, report, now);
    }
    if task.last_status == LastStatus::Stopped {
        return;
    }
    for said in &report.containers {
        if let Some(container) = task.containers.iter_mut().find(|it| it.name == said.name) {
            apply_container(container, said, now);
        }
    }
    task.pull_started_at = task.pull_started_at.or(report.pull_started_at);
    // Each image that arrives moves it on.
    task.pull_stopped_at = task.pull_stopped_at.max(report.pull_stopped_at);
    task.execution_stopped_at = task.execution_stopped_at.or(report.execution_stopped_at);
    match report.status {
        Some(LastStatus::Running) if task.last_status == LastStatus::Pending => {
            task.last_status = LastStatus::Running;
            task.started_at = Some(now);
        }
        Some(LastStatus::Stopped) => task.end(now),
        _ => {}
    }
    follow_essential_containers(task, definition, report.reason.as_deref(), now);
    if report.status == Some(LastStatus::Stopped) {
        let (code, reason) = why_stopped(task, None, report.reason.as_deref());
        task.stop(now, code, &reason);
    }
}

fn apply_container(container: &mut Container, said: &ContainerReport, now: Timestamp) {
    if container.last_status == LastStatus::Stopped {
        return;
    }
    if let Some(status) = said.health {
        take_health(container, Health { status, since: said.health_since }, now);
    }
    container.last_status = container.last_status.max(said.status);
    if container.last_status == LastStatus::Stopped {
        container.exit_code = said.exit_code;
    }
    if let Some(reason) = said.reason.as_deref().filter(|it| !it.is_empty()) {
        container.reason = Some(shortened(reason));
    }
    if !said.network_bindings.is_empty() {
        container.network_bindings = said.network_bindings.clone().into();
    }
    if let Some(runtime_id) = &said.runtime_id {
        container.runtime_id = Some(runtime_id.as_str().into());
    }
    if let Some(digest) = &said.image_digest {
        container.image_digest = Some(digest.as_str().into());
    }
}

/// A task whose essential container has ended is to end as a whole.
fn follow_essential_containers(
    task: &mut Task,
    definition: &TaskDefinition,
    reason: Option<&str>,
    now: Timestamp,
) {
    let is_essential = |it: &&Container| {
        definition.containers.iter().any(|def| def.essential && def.name == it.name)
    };
    let ended = task
        .containers
        .iter()
        .filter(is_essential)
        .find(|it| it.last_status == LastStatus::Stopped)
        .cloned();
    if ended.is_some() && task.desired_status == DesiredStatus::Running {
        let (code, reason) = why_stopped(task, ended.as_ref(), reason);
        task.stop(now, code, &reason);
    }
}

/// The code and the words for a task that nobody asked to stop.
fn why_stopped(task: &Task, ended: Option<&Container>, said: Option<&str>) -> (StopCode, Box<str>) {
    let ran = task.started_at.is_some() || ended.is_some_and(|it| it.exit_code.is_some());
    let code = if ran { StopCode::EssentialContainerExited } else { StopCode::TaskFailedToStart };
    let reason = match said.filter(|it| !it.is_empty()) {
        Some(said) => shortened(said),
        None if ran => "Essential container in task exited".into(),
        None => "Task failed to start".into(),
    };
    (code, reason)
}

pub(crate) fn shortened(reason: &str) -> Box<str> {
    reason.chars().take(MAX_REASON_CHARS).collect::<String>().into()
}

#[cfg(test)]
mod tests;
