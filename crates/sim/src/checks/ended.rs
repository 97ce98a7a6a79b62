//! A task that becomes STOPPED: it says what truly happened to it.

use longshore_model::{
    Container, DesiredStatus, LastStatus, Owner, StopCode, Task, TaskDefinition,
};
use longshore_store::State;

use super::{Violation, fate, hold};
use crate::machine::Machine;

/// Compares a task that has just become STOPPED with what Docker knows of its containers.
pub(super) fn check_ended(
    task: &Task,
    by_user: Option<&Option<String>>,
    machines: &[Machine],
    owner: &Owner,
    state: &State,
) -> Result<(), Violation> {
    let is_whole = task.desired_status == DesiredStatus::Stopped
        && task.stopped_at.is_some()
        && task.stopping_at.is_some()
        && task.containers.iter().all(|it| it.last_status == LastStatus::Stopped);
    hold(is_whole, || format!("{} is STOPPED, but not as a whole: {task:?}", task.id))?;
    let arn = task.arn(owner);
    for container in &task.containers {
        check_exit_code(task, container, &arn, machines)?;
    }
    let definition = state.definition(&task.definition);
    let definition = definition.ok_or_else(|| Violation::new("a definition is gone"))?;
    check_reason(task, by_user, definition)
}

pub(super) fn check_exit_code(
    task: &Task,
    container: &Container,
    arn: &str,
    machines: &[Machine],
) -> Result<(), Violation> {
    let fate = fate(machines, arn, container.name.as_str());
    let is_true = match (fate.starts, container.exit_code) {
        (0, code) => code.is_none(),
        (_, code) if fate.is_lost => code.is_none() || code == fate.exit_code,
        (_, code) => code.is_some() && code == fate.exit_code,
    };
    hold(is_true, || {
        format!(
            "{} says {:?} of {}, but {fate:?} is so",
            task.id, container.exit_code, container.name
        )
    })
}

/// The first to want the end gives the reason.
fn check_reason(
    task: &Task,
    by_user: Option<&Option<String>>,
    definition: &TaskDefinition,
) -> Result<(), Violation> {
    let said = (task.stop_code, task.stopped_reason.as_deref());
    let essential_ran = definition
        .containers
        .iter()
        .zip(&task.containers)
        .any(|(it, container)| it.essential && container.exit_code.is_some());
    let is_right = match by_user {
        Some(reason) => {
            let reason = reason.as_deref().unwrap_or("Task stopped by user");
            said == (Some(StopCode::UserInitiated), Some(reason))
        }
        None => {
            let exited = (
                Some(StopCode::EssentialContainerExited),
                Some("Essential container in task exited"),
            );
            let failed = (Some(StopCode::TaskFailedToStart), Some("Task failed to start"));
            match (task.started_at.is_some(), essential_ran) {
                (true, _) => said == exited,
                (false, false) => said == failed,
                // One essential container ran, another failed to: whichever was heard of first.
                (false, true) => said == exited || said == failed,
            }
        }
    };
    hold(is_right, || {
        format!(
            "{} is said to have stopped for {said:?}; by a user: {by_user:?}; {task:?}",
            task.id
        )
    })
}
