//! The instances of one cluster, kept between placements, with what makes the next one cheap.
//!
//! A request that comes again finds its instances in order ([`standing`]) and looks only at those
//! that changed meanwhile. What it asks of their records alone is shared with others ([`pool`]).
//! Both follow a log of changes, and are dropped when they were not used for long.

mod chain;
mod log;
mod pool;
mod shelf;
mod slots;
mod standing;
mod tournament;

use longshore_model::InstanceId;

use crate::candidate::Candidate;
use crate::filter::Filter;
use crate::place::{Placement, Request};
use crate::random::Random;
use log::Log;
use shelf::Shelf;
use slots::Slots;
use standing::View;

/// The instances of one cluster as they are now. It is told of each that changes, and counts what
/// it places at once, as [`place`](crate::place) does within one call.
#[derive(Debug, Default)]
pub struct Fleet {
    slots: Slots,
    /// Instances that came, went, or whose records changed.
    records: Log,
    /// Those, and instances whose tasks changed.
    changes: Log,
    shelf: Shelf,
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
        match (self.slots.of(id), now) {
            (Some(slot), Some(now)) => {
                let Some(known) = self.slots.get_mut(slot) else { return };
                let is_recorded = known.instance == now.instance;
                *known = now;
                self.note(slot, !is_recorded);
            }
            (None, Some(now)) => {
                let slot = self.slots.insert(now);
                self.note(slot, true);
            }
            (Some(slot), None) => {
                self.slots.remove(id);
                self.note(slot, true);
            }
            (None, None) => {}
        }
    }

    /// What is known of an instance, with what was placed there.
    pub fn candidate(&self, id: InstanceId) -> Option<&Candidate> {
        self.slots.get(self.slots.of(id)?)
    }

    /// All instances, in the order of their ids.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.slots.in_order()
    }

    /// Chooses an instance for each task, exactly as [`place`](crate::place) would among these
    /// instances, and counts the tasks there. The same history and seed give the same placement.
    pub fn place(&mut self, request: &Request<'_>, seed: u64) -> Placement {
        let filter =
            Filter::new(request.demand, request.requires, request.group, request.constraints);
        let (pool, mut asked) =
            self.shelf.take(request, &filter, &self.slots, &self.records, &self.changes);
        let standing = &mut asked.standing;
        let mut random = Random::new(seed);
        let mut placement = Placement { candidates: standing.candidates(), ..Placement::default() };
        for _ in 0..request.count {
            let chosen = random.below(standing.ties()).and_then(|nth| standing.nth(nth));
            let Some((slot, candidate)) =
                chosen.and_then(|slot| Some((slot, self.slots.get_mut(slot)?)))
            else {
                placement.refused = self.refusals(request, &filter);
                break;
            };
            candidate.take(self.taken, request.group, request.demand);
            placement.placed.push(candidate.id());
            self.taken += 1;
            self.note(slot, false);
            let view = View { request, filter: &filter, pool: &pool, slots: &self.slots };
            standing.take(slot, view, &self.changes);
        }
        self.shelf.put_back(request, pool, asked, self.slots.len());
        placement
    }

    /// The instances among which the seed would choose for a task, in the order of their ids.
    #[cfg(test)]
    fn equally_good(&mut self, request: &Request<'_>) -> Vec<InstanceId> {
        let Request { demand, requires, group, constraints, .. } = *request;
        let filter = Filter::new(demand, requires, group, constraints);
        let (pool, asked) =
            self.shelf.take(request, &filter, &self.slots, &self.records, &self.changes);
        let chosen = (0..asked.standing.ties()).filter_map(|nth| asked.standing.nth(nth));
        let mut ids: Vec<_> =
            chosen.filter_map(|slot| self.slots.get(slot)).map(Candidate::id).collect();
        ids.sort_unstable();
        self.shelf.put_back(request, pool, asked, self.slots.len());
        ids
    }

    fn note(&mut self, slot: u32, is_of_record: bool) {
        let kept = (2 * self.slots.len()).max(1024);
        if is_of_record {
            self.records.push(slot, kept);
        }
        self.changes.push(slot, kept);
    }

    fn refusals(
        &self,
        request: &Request<'_>,
        filter: &Filter<'_>,
    ) -> Vec<(InstanceId, crate::filter::Refusal)> {
        let candidates = self.candidates().filter(|it| request.concerns(it));
        candidates.filter_map(|it| Some((it.id(), filter.refusal(it)?))).collect()
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
