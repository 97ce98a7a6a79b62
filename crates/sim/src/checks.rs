//! What must hold after every step.

mod commit;
mod definitions;
mod ended;
pub(crate) mod lost;
pub(crate) mod placed;
pub(crate) mod settled;
mod state;
mod taken;
mod unplaced;

use std::collections::{BTreeMap, BTreeSet};

use longshore_model::{ClusterName, Family, TaskId};
use longshore_store::State;

use crate::docker::{Fate, Standing};
use crate::machine::Machine;

/// Something that must hold and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation(String);

impl Violation {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// Fails with these words unless it is so.
pub(crate) fn hold(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), Violation> {
    if is_so { Ok(()) } else { Err(Violation::new(otherwise())) }
}

/// What the checks remember of the past.
#[derive(Default)]
pub(crate) struct Checks {
    /// Tasks whose making was acknowledged to a client. They stay until they are forgotten in
    /// their time.
    acknowledged: BTreeSet<TaskId>,
    /// Tasks that there ever were; no id is given twice.
    born: BTreeSet<TaskId>,
    /// Tasks that a client stopped first, and why it said it did.
    stopped_by_user: BTreeMap<TaskId, Option<String>>,
    /// What each marked call made.
    tokens: BTreeMap<String, BTreeSet<TaskId>>,
    /// Tasks whose instance was deregistered while they ran: they are STOPPED, and what runs of
    /// them does so until the machine is installed anew.
    lost: BTreeSet<TaskId>,
    /// The highest revision that each family ever had.
    revisions: BTreeMap<Family, u32>,
    /// How many calls that placed nothing clients heard of, by cluster.
    unplaced: BTreeMap<ClusterName, u64>,
    /// The StopTask that is being answered.
    pub(crate) stopping: Option<(TaskId, Option<String>)>,
}

impl Checks {
    /// How many tasks there ever were.
    pub(crate) fn tasks(&self) -> usize {
        self.born.len()
    }

    /// A client was told that these tasks exist.
    pub(crate) fn acknowledge(&mut self, tasks: &[TaskId], state: &State) -> Result<(), Violation> {
        for &task in tasks {
            hold(state.task(task).is_some(), || {
                format!("{task} was acknowledged, but is not there")
            })?;
            self.acknowledged.insert(task);
        }
        Ok(())
    }

    /// A call with this mark was answered with these tasks: the same as before, as long as there
    /// is any of those.
    pub(crate) fn marked(
        &mut self,
        token: &str,
        tasks: &[TaskId],
        state: &State,
    ) -> Result<(), Violation> {
        let before = self.tokens.entry(token.to_owned()).or_default();
        if before.iter().any(|it| state.task(*it).is_some()) {
            return hold(tasks.iter().all(|it| before.contains(it)), || {
                format!("the call marked {token} made {before:?}, and then also {tasks:?}")
            });
        }
        *before = tasks.iter().copied().collect();
        Ok(())
    }

    /// What runs belongs to a task that is not known to have stopped, and fits on its machine.
    pub(crate) fn only_live_tasks_run(
        &self,
        machines: &[Machine],
        state: &State,
    ) -> Result<(), Violation> {
        for machine in machines {
            self.machine_is_not_over_committed(machine, state)?;
            for (docker_name, container) in machine.docker.containers() {
                if container.standing != Standing::Running {
                    continue;
                }
                let id = id_of(&container.task)?;
                let task = state.task(id);
                let is_live = task.is_some_and(|it| it.takes_resources());
                hold(is_live || self.lost.contains(&id), || {
                    format!(
                        "{docker_name} runs on machine {}, but its task {id} is STOPPED or gone",
                        machine.index
                    )
                })?;
            }
        }
        Ok(())
    }

    /// Whether a client that asks for this task must find it.
    pub(crate) fn must_exist(&self, task: TaskId) -> bool {
        self.acknowledged.contains(&task)
    }
}

/// The id at the end of a task's ARN.
pub(crate) fn id_of(task_arn: &str) -> Result<TaskId, Violation> {
    let id = task_arn.rsplit('/').next().unwrap_or_default();
    id.parse().map_err(|_| Violation::new(format!("{task_arn} is no task")))
}

/// What has become of a container, on whichever machine it was.
fn fate(machines: &[Machine], task_arn: &str, container: &str) -> Fate {
    let key = (task_arn.to_owned(), container.to_owned());
    machines.iter().find_map(|it| it.docker.fates.get(&key)).cloned().unwrap_or_default()
}
