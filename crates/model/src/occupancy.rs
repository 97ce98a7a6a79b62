//! What the tasks of a container instance take of it: the live ones, and those that were given up
//! and may still run there.
//!
//! Derived: `store` keeps it as tasks change and rebuilds it at start. Nothing else writes it.

use std::sync::Arc;

use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::demand::Demand;
use crate::id::TaskId;
use crate::resources::Resources;
use crate::status::LastStatus;
use crate::task::Task;

/// The live (not STOPPED) tasks of one instance, those that were given up and may still run there,
/// and what they all take together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Every live task.
    pub tasks: RedBlackTreeSetSync<TaskId>,
    /// Every task that was given up, and of which the machine has not said that it is over.
    pub at_large: RedBlackTreeMapSync<TaskId, AtLarge>,
    /// CPU and memory taken.
    pub taken: Resources,
    /// Static TCP host ports taken.
    pub ports_tcp: RedBlackTreeSetSync<u16>,
    /// Static UDP host ports taken.
    pub ports_udp: RedBlackTreeSetSync<u16>,
    /// How many of these tasks each group has; never 0.
    pub groups: RedBlackTreeMapSync<Arc<str>, u32>,
    /// Live tasks whose last status is RUNNING.
    pub running: u32,
    /// Live tasks whose last status is PENDING.
    pub pending: u32,
}

/// What a task that was given up goes on taking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtLarge {
    /// Its group.
    pub group: Arc<str>,
    /// What it takes.
    pub demand: Demand,
}

impl Occupancy {
    /// Follows one task from what it was to what it is; either is `None` where there is no task.
    /// `demand` is only asked for when the task begins or ceases to take anything, or is given up.
    pub fn follow(
        &mut self,
        before: Option<&Task>,
        after: Option<&Task>,
        demand: impl Fn() -> Demand,
    ) {
        let was = before.filter(|it| it.last_status != LastStatus::Stopped);
        let is = after.filter(|it| it.last_status != LastStatus::Stopped);
        self.count(was, u32::saturating_sub);
        self.count(is, u32::saturating_add);
        match (before.filter(takes), after.filter(takes)) {
            (None, Some(task)) => self.take(&task.group, &demand()),
            (Some(task), None) => self.give_back(&task.group, &demand()),
            (None, None) | (Some(_), Some(_)) => {}
        }
        belong(&mut self.tasks, was, is);
        let is_at_large = |it: &&Task| it.is_at_large();
        match (before.filter(is_at_large), after.filter(is_at_large)) {
            (None, Some(task)) => {
                let at_large = AtLarge { group: Arc::clone(&task.group), demand: demand() };
                self.at_large.insert_mut(task.id, at_large);
            }
            (Some(task), None) => {
                self.at_large.remove_mut(&task.id);
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Whether nothing is taken by anybody.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.at_large.is_empty()
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
        self.take(group, demand);
    }

    fn take(&mut self, group: &Arc<str>, demand: &Demand) {
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

    fn give_back(&mut self, group: &Arc<str>, demand: &Demand) {
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

fn takes(task: &&Task) -> bool {
    task.takes_resources()
}

/// Keeps a set the one of those tasks.
fn belong(set: &mut RedBlackTreeSetSync<TaskId>, was: Option<&Task>, is: Option<&Task>) {
    match (was, is) {
        (None, Some(task)) => set.insert_mut(task.id),
        (Some(task), None) => {
            set.remove_mut(&task.id);
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
}
