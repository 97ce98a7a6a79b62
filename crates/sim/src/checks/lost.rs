//! Tasks that were given up while their machine was away: only where a policy says so and nobody is
//! there, for good, and nothing starts on their machine before they have stopped there.

use longshore_model::{InstanceStatus, LastStatus, LostAfter, Owner, StopCode, Task, TaskId};
use longshore_store::State;

use super::ended::check_exit_code;
use super::taken::{Taken, definition};
use super::{Checks, Violation, hold, id_of};
use crate::docker::Standing;
use crate::machine::Machine;

/// What becomes of a task that is given up, or was.
pub(super) fn check_lost(
    before: &Task,
    after: &Task,
    machines: &[Machine],
    owner: &Owner,
    state: &State,
) -> Result<(), Violation> {
    let id = after.id;
    if !before.is_at_large() {
        let was_stopped = before.desired_status == longshore_model::DesiredStatus::Stopped;
        let says = after.stop_code == Some(StopCode::TerminationNotice);
        hold(was_stopped || says, || format!("{id} is lost, and does not say so: {after:?}"))?;
        let cluster = state.cluster(&after.cluster);
        let of_cluster = cluster.and_then(|it| LostAfter::of(&it.tags)).unwrap_or_default();
        let policy = LostAfter::of(&after.tags).unwrap_or(of_cluster);
        return hold(policy != LostAfter::Never, || format!("{id} is lost against its policy"));
    }
    let same = Task {
        lost: before.lost,
        version: before.version,
        containers: before.containers.clone(),
        tags: before.tags.clone(),
        ..after.clone()
    };
    hold(same == *before, || format!("{id} was given up, and becomes {after:?}"))?;
    let is_over = after.containers.iter().all(|it| it.last_status == LastStatus::Stopped);
    hold(is_over, || format!("{id} was given up, and comes back: {after:?}"))?;
    let arn = after.arn(owner);
    let ended = after.containers.iter().filter(|_| !after.is_at_large());
    for container in ended {
        check_exit_code(after, container, &arn, machines)?;
    }
    Ok(())
}

/// A task that its agent does not know yet is told to start: nothing runs there that was given up.
pub(crate) fn may_start(machine: &Machine, task_arn: &str, state: &State) -> Result<(), Violation> {
    for (name, container) in machine.docker.containers() {
        let of_lost = state.task(id_of(&container.task)?).is_some_and(|it| it.is_at_large());
        hold(!of_lost || container.standing != Standing::Running, || {
            let index = machine.index;
            format!(
                "{task_arn} is told to start on machine {index} while {name}, which was given up, runs"
            )
        })?;
    }
    Ok(())
}

impl Checks {
    /// What runs on a machine fits on it, whatever the control plane believes.
    pub(super) fn machine_is_not_over_committed(
        &self,
        machine: &Machine,
        state: &State,
    ) -> Result<(), Violation> {
        let mut running: Vec<TaskId> = Vec::new();
        for (_, container) in machine.docker.containers() {
            if container.standing == Standing::Running {
                running.push(id_of(&container.task)?);
            }
        }
        running.sort_unstable();
        running.dedup();
        let tasks = running.iter().filter(|it| !self.lost.contains(it));
        let mut taken = Taken::default();
        let mut instance = None;
        for task in tasks.filter_map(|it| state.task(*it)) {
            taken.add(definition(task, state)?, task.overrides.as_deref()).map_err(|port| {
                let index = machine.index;
                Violation::new(format!("two tasks have port {port} on machine {index}"))
            })?;
            instance = state.instance(task.container_instance);
        }
        let instance = instance.filter(|it| it.status != InstanceStatus::Inactive);
        instance.map_or(Ok(()), |it| taken.check(it))
    }
}
