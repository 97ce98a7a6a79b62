//! What the instances are looked at with for one request.

use super::arrangement::Arrangement;
use super::instances::Instances;
use super::pool::Pool;
use super::room::Counts;
use crate::constraint::Constraint;
use crate::filter::Filter;
use crate::query::{Query, Slots};

/// A request's constraints, by what they look at.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Of the records alone.
    pub(super) about_records: Vec<Query>,
    /// Of tasks, or of both in a way that cannot be taken apart.
    about_tasks: Vec<Query>,
    is_distinct: bool,
}

impl Rules {
    pub(super) fn of(constraints: &[Constraint]) -> Self {
        let mut rules = Self::default();
        for constraint in constraints {
            match constraint {
                Constraint::DistinctInstance => rules.is_distinct = true,
                Constraint::MemberOf(query) => {
                    let split = query.split();
                    rules.about_records.extend(split.record);
                    rules.about_tasks.extend(split.tasks);
                }
            }
        }
        rules
    }
}

/// What a request looks at instances through.
#[derive(Clone, Copy)]
pub(super) struct Lens<'a> {
    pub(super) filter: &'a Filter<'a>,
    pub(super) rules: &'a Rules,
    pub(super) pool: &'a Pool,
    pub(super) arrangement: &'a Arrangement,
}

impl<'a> Lens<'a> {
    /// The instances as they are now.
    pub(super) fn at(self, instances: &'a Instances) -> View<'a> {
        let room = instances.room();
        let (tasks, port_users) =
            (room.tasks_of(self.filter.group), room.users_of(self.filter.demand));
        View { lens: self, arrangement: self.arrangement, instances, tasks, port_users }
    }
}

/// Instances as a request sees them.
pub(super) struct View<'a> {
    lens: Lens<'a>,
    pub(super) arrangement: &'a Arrangement,
    pub(super) instances: &'a Instances,
    /// The tasks of the group.
    pub(super) tasks: Option<&'a Counts>,
    /// The instances on which one of the host ports is in use.
    port_users: Vec<&'a Slots>,
}

impl View<'_> {
    /// The tasks of the group on an instance.
    pub(super) fn tasks(&self, slot: u32) -> u32 {
        self.tasks.and_then(|it| it.get(&slot)).copied().unwrap_or(0)
    }

    /// The candidates that can take a task, given the tasks of the group by slot.
    pub(super) fn all_that_fit(&self, tasks: &[u32]) -> Slots {
        let mut found = self.instances.concerned(self.arrangement.kind).clone();
        found.keep(self.lens.pool.slots());
        found.retain(|slot| self.fits(slot, tasks[slot as usize]));
        found
    }

    /// Whether an instance with so many tasks of the group can take a task: as
    /// [`Filter::refusal`] says, of one that is a candidate.
    #[inline]
    pub(super) fn fits(&self, slot: u32, tasks: u32) -> bool {
        self.lens.pool.slots().contains(slot)
            && self.has_room(slot)
            && (tasks == 0 || !self.lens.rules.is_distinct)
            && (self.lens.rules.about_tasks.is_empty() || self.satisfies_expressions(slot))
    }

    fn has_room(&self, slot: u32) -> bool {
        let (wanted, room) = (self.lens.filter.demand.resources, self.instances.room());
        wanted.cpu_units <= room.cpu[slot as usize]
            && wanted.memory_mib <= room.memory[slot as usize]
            && self.has_ports(slot)
    }

    fn has_ports(&self, slot: u32) -> bool {
        match self.lens.filter.ports {
            None => false,
            Some(0) => true,
            Some(wanted) => {
                !self.port_users.iter().any(|it| it.contains(slot))
                    && self.instances.room().may_use(slot, wanted)
            }
        }
    }

    fn satisfies_expressions(&self, slot: u32) -> bool {
        let candidate = self.instances.roster().get(slot);
        candidate
            .is_some_and(|it| self.lens.rules.about_tasks.iter().all(|query| query.matches(it)))
    }
}
