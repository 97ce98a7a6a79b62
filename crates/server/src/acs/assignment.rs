//! What one connected agent has been told, and what it must still be told.

use std::collections::{BTreeSet, HashMap};
use std::mem;

use longshore_model::{DesiredStatus, InstanceId, TaskId};
use longshore_store::State;

use super::hub::Concerns;
use crate::roles::Given;

/// What was said on one connection, or need not be said.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    told: HashMap<TaskId, DesiredStatus>,
    /// The credentials of their roles that tasks were given on this connection.
    given: HashMap<TaskId, Given>,
    /// Tasks whose start waits until the machine is rid of those that were given up.
    held_back: BTreeSet<TaskId>,
}

impl Assignment {
    /// Of the tasks to look at, those of the instance whose desired status this connection has not
    /// been told yet, stops first, and otherwise in the order of their creation. They count as told
    /// from now on. Looks at no others, for there may be many and this is done often.
    ///
    /// Tasks of the instance are the live ones, and those that were given up and may still run
    /// there. As long as there is one of these, nothing is told to start.
    pub(super) fn news(
        &mut self,
        state: &State,
        instance: InstanceId,
        concerns: Concerns,
    ) -> Vec<TaskId> {
        let occupancy = state.occupancy(instance);
        let is_there =
            |it: &TaskId| occupancy.tasks.contains(it) || occupancy.at_large.contains_key(it);
        let may_start = occupancy.at_large.is_empty();
        let looked_at: Vec<TaskId> = match concerns {
            Concerns::Every => {
                self.told.retain(|id, _| is_there(id));
                self.given.retain(|id, _| is_there(id));
                self.held_back.clear();
                occupancy.tasks.iter().chain(occupancy.at_large.keys()).copied().collect()
            }
            Concerns::Tasks(mut tasks) => {
                if may_start {
                    tasks.append(&mut mem::take(&mut self.held_back));
                }
                for gone in tasks.extract_if(.., |it| !is_there(it)) {
                    self.told.remove(&gone);
                    self.given.remove(&gone);
                }
                tasks.into_iter().collect()
            }
        };
        let mut untold: Vec<(DesiredStatus, TaskId)> = looked_at
            .into_iter()
            .filter_map(|it| state.task(it))
            .filter(|it| self.told.get(&it.id) != Some(&it.desired_status))
            .map(|it| (it.desired_status, it.id))
            .collect();
        if !may_start {
            let is_start = |it: &mut (DesiredStatus, TaskId)| it.0 == DesiredStatus::Running;
            self.held_back.extend(untold.extract_if(.., is_start).map(|(_, id)| id));
        }
        self.told.extend(untold.iter().map(|(desired, id)| (*id, *desired)));
        untold.sort_by_key(|(desired, id)| (*desired != DesiredStatus::Stopped, *id));
        untold.into_iter().map(|(_, id)| id).collect()
    }

    /// Tasks that are to run and count as told, since the agent asks for those that it lacks.
    pub(super) fn take_as_told(&mut self, tasks: impl IntoIterator<Item = TaskId>) {
        self.told.extend(tasks.into_iter().map(|it| (it, DesiredStatus::Running)));
    }

    /// Whether the agent counts as told that this task is to run.
    pub(super) fn has_to_run(&self, task: TaskId) -> bool {
        self.told.get(&task) == Some(&DesiredStatus::Running)
    }

    /// Whether a task has these credentials of its role, told on this connection.
    pub(super) fn has(&self, task: TaskId, credentials: &Given) -> bool {
        self.given.get(&task) == Some(credentials)
    }

    /// This task has these from now on.
    pub(super) fn give(&mut self, task: TaskId, credentials: Given) {
        self.given.insert(task, credentials);
    }

    /// This task is to be told again.
    pub(super) fn forget(&mut self, task: TaskId) {
        self.told.remove(&task);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_no_longer_live_is_forgotten_and_the_rest_is_not_looked_at() {
        let (gone, other) = (TaskId::from_bits(1), TaskId::from_bits(2));
        let running = |id| (id, DesiredStatus::Running);
        let told = HashMap::from([running(gone), running(other)]);
        let mut assignment = Assignment { told, ..Assignment::default() };
        let (state, instance) = (State::default(), InstanceId::from_bits(3));
        let noted = Concerns::Tasks(BTreeSet::from([gone]));
        assert_eq!(assignment.news(&state, instance, noted), []);
        assert_eq!(assignment.told, HashMap::from([running(other)]));
        assert_eq!(assignment.news(&state, instance, Concerns::Every), []);
        assert_eq!(assignment.told, HashMap::new());
    }
}
