//! The instances of a fleet, each in a slot: a small number that it keeps while it is there, and
//! that another one may have afterwards.

use std::collections::BTreeMap;

use longshore_model::InstanceId;

use crate::candidate::Candidate;

/// Instances by slot and by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    candidates: Vec<Option<Candidate>>,
    by_id: BTreeMap<InstanceId, u32>,
    free: Vec<u32>,
}

impl Roster {
    /// How many instances there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// One more than the highest slot that was ever used.
    pub(super) fn end(&self) -> usize {
        self.candidates.len()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Candidate> {
        self.candidates.get(slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Candidate> {
        self.candidates.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn of(&self, id: InstanceId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// All instances, by id.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Candidate> {
        self.by_id.values().filter_map(|slot| self.get(*slot))
    }

    /// Puts an instance into a slot of its own.
    pub(super) fn insert(&mut self, candidate: Candidate) -> u32 {
        let new = u32::try_from(self.candidates.len()).unwrap_or(u32::MAX);
        let slot = self.free.pop().unwrap_or(new);
        self.by_id.insert(candidate.id(), slot);
        match self.candidates.get_mut(slot as usize) {
            Some(place) => *place = Some(candidate),
            None => self.candidates.push(Some(candidate)),
        }
        slot
    }

    /// Puts what is now true of it in the place of what was known of an instance.
    pub(super) fn replace(&mut self, slot: u32, now: Candidate) -> Option<Candidate> {
        self.candidates.get_mut(slot as usize)?.replace(now)
    }

    /// Empties the slot of an instance.
    pub(super) fn remove(&mut self, id: InstanceId) -> Option<Candidate> {
        let slot = self.by_id.remove(&id)?;
        self.free.push(slot);
        self.candidates.get_mut(slot as usize)?.take()
    }
}
