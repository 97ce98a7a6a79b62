//! What one connected agent has been told, and what it must still be told.

use std::collections::HashMap;

use longshore_model::{DesiredStatus, InstanceId, TaskId};
use longshore_store::State;

/// What was said on one connection.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    told: HashMap<TaskId, DesiredStatus>,
}

impl Assignment {
    /// The live tasks of the instance whose desired status this connection has not been told yet,
    /// stops first, and otherwise in the order of their creation. They count as told from now on.
    pub(super) fn news(&mut self, state: &State, instance: InstanceId) -> Vec<TaskId> {
        let occupancy = state.occupancy(instance);
        let live = occupancy.tasks.iter().filter_map(|it| state.task(*it));
        let mut untold: Vec<(DesiredStatus, TaskId)> = live
            .filter(|it| self.told.get(&it.id) != Some(&it.desired_status))
            .map(|it| (it.desired_status, it.id))
            .collect();
        self.told.retain(|id, _| occupancy.tasks.contains(id));
        self.told.extend(untold.iter().map(|(desired, id)| (*id, *desired)));
        untold.sort_by_key(|(desired, id)| (*desired != DesiredStatus::Stopped, *id));
        untold.into_iter().map(|(_, id)| id).collect()
    }
}
