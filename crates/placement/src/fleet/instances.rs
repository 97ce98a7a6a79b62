//! The instances of a fleet in every form in which they are asked, each of which follows the others:
//! the records and tasks themselves, the records by their values, and what tasks leave by columns.

use longshore_model::{ContainerInstance, InstanceId, LaunchKind};

use super::log::Log;
use super::room::{self, Room};
use super::roster::Roster;
use crate::candidate::Candidate;
use crate::place::{Request, is_concerned};
use crate::query::{Index, Slots};

const KINDS: [Option<LaunchKind>; 3] = [None, Some(LaunchKind::Ec2), Some(LaunchKind::External)];

/// The instances, and what changed of them.
#[derive(Debug, Default)]
pub(super) struct Instances {
    roster: Roster,
    index: Index,
    room: Room,
    /// The ACTIVE ones that serve each of [`KINDS`].
    concerned: [Slots; KINDS.len()],
    /// Those that came, went, or whose records changed.
    records: Log,
    /// Those, and those whose tasks changed.
    changes: Log,
    /// How often they came or went for some launch kind, or attributes changed.
    arranged: u64,
}

impl Instances {
    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn room(&self) -> &Room {
        &self.room
    }

    /// The ACTIVE ones that serve a launch kind: those that are asked at all.
    pub(super) fn concerned(&self, kind: Option<LaunchKind>) -> &Slots {
        &self.concerned[number(kind)]
    }

    pub(super) fn records(&self) -> &Log {
        &self.records
    }

    pub(super) fn changes(&self) -> &Log {
        &self.changes
    }

    pub(super) fn arranged(&self) -> u64 {
        self.arranged
    }

    /// Takes note of what is now true of an instance; `None` when it is gone.
    pub(super) fn follow(&mut self, id: InstanceId, now: Option<Candidate>) {
        let (slot, before) = match (self.roster.of(id), &now) {
            (None, None) => return,
            (None, Some(now)) => (self.roster.insert(now.clone()), None),
            (Some(slot), Some(now)) => (slot, self.roster.replace(slot, now.clone())),
            (Some(slot), None) => (slot, self.roster.remove(id)),
        };
        let (before, now) = (before.as_ref(), now.as_ref());
        let has_same_record =
            before.zip(now).is_some_and(|(before, now)| before.instance == now.instance);
        let has_same_tasks = before
            .zip(now)
            .is_some_and(|(before, now)| room::are_alike(&before.occupancy, &now.occupancy));
        if has_same_record && has_same_tasks {
            return;
        }
        self.room.follow(slot, before, now);
        if !has_same_record {
            self.index.follow(slot, now.map(|it| &it.instance));
            self.arrange(slot, before.map(|it| &*it.instance), now.map(|it| &*it.instance));
            self.records.push(slot, 2 * self.roster.len());
        }
        self.note(slot);
    }

    /// Counts one more task of a request in a slot, where a candidate is; `number` tells it from
    /// other such tasks. Gives its instance.
    pub(super) fn take(
        &mut self,
        slot: u32,
        request: &Request<'_>,
        number: u128,
    ) -> Option<InstanceId> {
        let candidate = self.roster.get_mut(slot)?;
        candidate.take(number, request.group, request.demand);
        self.room.take(slot, request.group, request.demand, candidate);
        let id = candidate.id();
        self.note(slot);
        Some(id)
    }

    /// Whoever missed more changes than are kept looks at all instances anew, for which it takes
    /// about as long.
    fn note(&mut self, slot: u32) {
        self.changes.push(slot, (self.roster.len() / 8).max(16));
    }

    fn arrange(
        &mut self,
        slot: u32,
        before: Option<&ContainerInstance>,
        now: Option<&ContainerInstance>,
    ) {
        let mut is_other = before.map(|it| &it.attributes) != now.map(|it| &it.attributes);
        for (kind, slots) in KINDS.into_iter().zip(&mut self.concerned) {
            let is_in = now.is_some_and(|it| is_concerned(it, kind));
            is_other |= is_in != slots.contains(slot);
            slots.set(slot, is_in);
        }
        self.arranged += u64::from(is_other);
    }
}

/// Where a launch kind is among [`KINDS`]. All instances serve FARGATE.
fn number(kind: Option<LaunchKind>) -> usize {
    match kind {
        None | Some(LaunchKind::Fargate) => 0,
        Some(LaunchKind::Ec2) => 1,
        Some(LaunchKind::External) => 2,
    }
}
