//! The instances of one cluster, kept between placements, with what makes the next one cheap.
//!
//! A request that comes again finds its instances in order ([`standing`]) and looks only at those
//! that changed meanwhile. What it asks of their records alone ([`pool`]) and how it arranges them
//! ([`arrangement`]) is shared with others. One that is new looks at all instances, in columns
//! ([`room`]); and so does one that missed too many changes. All of it goes when it was not used for
//! long ([`shelf`]).

mod arrangement;
mod chain;
mod instances;
mod log;
mod pool;
mod room;
mod roster;
mod shelf;
mod standing;
mod tournament;
mod view;

use longshore_model::InstanceId;

use crate::candidate::Candidate;
use crate::filter::{Filter, Refusal};
use crate::place::{Placement, Request};
use crate::random::Random;
pub use chain::spread_over;
use instances::Instances;
use shelf::Shelf;

/// The instances of one cluster as they are now. It is told of each that changes, and counts what
/// it places at once, as [`place`](crate::place) does within one call.
#[derive(Debug, Default)]
pub struct Fleet {
    instances: Instances,
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
        self.instances.follow(id, now);
    }

    /// What is known of an instance, with what was placed there.
    #[cfg(test)]
    fn candidate(&self, id: InstanceId) -> Option<&Candidate> {
        self.instances.roster().get(self.instances.roster().of(id)?)
    }

    /// All instances, in the order of their ids.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.instances.roster().in_order()
    }

    /// Chooses an instance for each task, exactly as [`place`](crate::place) would among these
    /// instances, and counts the tasks there. The same history and seed give the same placement.
    pub fn place(&mut self, request: &Request<'_>, seed: u64) -> Placement {
        let filter = request.filter();
        let mut asked = self.shelf.take(request, &filter, &self.instances);
        let (standing, lens) = asked.split(&filter);
        let mut random = Random::new(seed);
        let candidates = self.instances.concerned(request.kind).len();
        let mut placement = Placement { candidates, ..Placement::default() };
        for _ in 0..request.count {
            let chosen = random.below(standing.ties());
            let slot = chosen.and_then(|it| standing.nth(it, &lens.at(&self.instances)));
            let Some((slot, id)) =
                slot.and_then(|it| Some((it, self.instances.take(it, request, self.taken)?)))
            else {
                placement.refused = self.refusals(request, &filter);
                break;
            };
            placement.placed.push(id);
            self.taken += 1;
            standing.take(slot, &lens.at(&self.instances));
        }
        self.shelf.put_back(request, asked, self.instances.roster().len());
        placement
    }

    /// The instances among which the seed would choose for a task, in the order of their ids.
    #[cfg(test)]
    fn equally_good(&mut self, request: &Request<'_>) -> Vec<InstanceId> {
        let filter = request.filter();
        let mut asked = self.shelf.take(request, &filter, &self.instances);
        let (standing, lens) = asked.split(&filter);
        let view = lens.at(&self.instances);
        let chosen = (0..standing.ties()).filter_map(|nth| standing.nth(nth, &view));
        let mut ids: Vec<_> = chosen
            .filter_map(|slot| self.instances.roster().get(slot))
            .map(Candidate::id)
            .collect();
        ids.sort_unstable();
        self.shelf.put_back(request, asked, self.instances.roster().len());
        ids
    }

    fn refusals(&self, request: &Request<'_>, filter: &Filter<'_>) -> Vec<(InstanceId, Refusal)> {
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
