//! What the live tasks of a container instance take of it.
//!
//! Derived: `store` keeps it as tasks change and rebuilds it at start. Nothing else writes it.

use std::sync::Arc;

use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::demand::Demand;
use crate::id::TaskId;
use crate::resources::Resources;
use crate::status::LastStatus;
use crate::task::Task;

/// The live (not STOPPED) tasks of one instance, and what they take together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Every live task.
    pub tasks: RedBlackTreeSetSync<TaskId>,
    /// CPU and memory taken.
    pub taken: Resources,
    /// Static TCP host ports taken.
    pub ports_tcp: RedBlackTreeSetSync<u16>,
    /// Static UDP host ports taken.
    pub ports_udp: RedBlackTreeSetSync<u16>,
    /// How many live tasks of each group there are; never 0.
    pub groups: RedBlackTreeMapSync<Arc<str>, u32>,
    /// Live tasks whose last status is RUNNING.
    pub running: u32,
    /// Live tasks whose last status is PENDING.
    pub pending: u32,
}

impl Occupancy {
    /// Follows one task from what it was to what it is; either is `None` where there is no task.
    /// `demand` is only asked for when the task begins or ceases to be live.
    pub fn follow(
        &mut self,
        before: Option<&Task>,
        after: Option<&Task>,
        demand: impl FnOnce() -> Demand,
    ) {
        let was = before.filter(|it| it.last_status != LastStatus::Stopped);
        let is = after.filter(|it| it.last_status != LastStatus::Stopped);
        self.count(was, u32::saturating_sub);
        self.count(is, u32::saturating_add);
        match (was, is) {
            (None, Some(task)) => self.enter(task.id, &task.group, &demand()),
            (Some(task), None) => self.leave(task.id, &task.group, &demand()),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    fn count(&mut self, task: Option<&Task>, change: fn(u32, u32) -> u32) {
        match task.map(|it| it.last_status) {
            Some(LastStatus::Pending) => self.pending = change(self.pending, 1),
            Some(LastStatus::Running) => self.running = change(self.running, 1),
            Some(LastStatus::Stopped) | None => {}
        }
    }

    /// Takes a task's demand. Placement calls it too, for the tasks placed earlier in one call.
    pub fn enter(&mut self, task: TaskId, group: &Arc<str>, demand: &Demand) {
        self.tasks.insert_mut(task);
        self.taken = self.taken.plus(demand.resources);
        for &port in &demand.ports_tcp {
            self.ports_tcp.insert_mut(port);
        }
        for &port in &demand.ports_udp {
            self.ports_udp.insert_mut(port);
        }
        let count = self.groups.get(&**group).copied().unwrap_or(0);
        self.groups.insert_mut(Arc::clone(group), count + 1);
    }

    fn leave(&mut self, task: TaskId, group: &Arc<str>, demand: &Demand) {
        self.tasks.remove_mut(&task);
        self.taken = self.taken.minus(demand.resources);
        for port in &demand.ports_tcp {
            self.ports_tcp.remove_mut(port);
        }
        for port in &demand.ports_udp {
            self.ports_udp.remove_mut(port);
        }
        match self.groups.get(&**group).copied().unwrap_or(0) {
            0 | 1 => {
                self.groups.remove_mut(&**group);
            }
            more => self.groups.insert_mut(Arc::clone(group), more - 1),
        }
    }
}
