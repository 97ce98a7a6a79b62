//! The instances of one cluster, kept between placements.

use std::collections::BTreeMap;

use longshore_model::InstanceId;

use crate::candidate::Candidate;
use crate::place::{Placement, Request, place};

/// The instances of one cluster as they are now. It is told of each that changes, and counts what
/// it places at once, as [`place`] does within one call.
#[derive(Debug, Default)]
pub struct Fleet {
    instances: BTreeMap<InstanceId, Candidate>,
    /// How many tasks were placed: the next one's stand-in.
    taken: u128,
}

impl Fleet {
    /// Without instances.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of what is now true of an instance; `None` when it is gone. What was placed there
    /// and counted is replaced by it.
    pub fn follow(&mut self, id: InstanceId, now: Option<Candidate>) {
        match now {
            Some(candidate) => self.instances.insert(id, candidate),
            None => self.instances.remove(&id),
        };
    }

    /// What is known of an instance, with what was placed there.
    pub fn candidate(&self, id: InstanceId) -> Option<&Candidate> {
        self.instances.get(&id)
    }

    /// All instances, in the order of their ids.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.instances.values()
    }

    /// Chooses an instance for each task, exactly as [`place`] would among these instances, and
    /// counts the tasks there. The same history and seed give the same placement.
    pub fn place(&mut self, request: &Request<'_>, seed: u64) -> Placement {
        let placement = place(self.candidates().cloned().collect(), request, seed);
        for id in &placement.placed {
            if let Some(candidate) = self.instances.get_mut(id) {
                candidate.take(self.taken, request.group, request.demand);
                self.taken += 1;
            }
        }
        placement
    }
}

#[cfg(test)]
mod tests;
