//! The index of instances that placement has of each cluster, kept between calls.
//!
//! It is used inside transactions alone, so one at a time. What it holds is never trusted beyond
//! the state that the transaction sees: instances that changed since are read again, and so are
//! those that it knows from a transaction which may have come to nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use longshore_model::{ClusterName, InstanceId};
use longshore_placement::{Candidate, Fleet, Placement, Request};
use longshore_store::State;

use crate::container_instances;

/// The fleets of all clusters in which something was placed. The lock is taken inside the store's
/// writer, or by itself; nothing is awaited or locked while it is held.
#[derive(Default)]
pub(crate) struct Fleets {
    known: Mutex<HashMap<ClusterName, Known>>,
}

/// A fleet, and of what state it is.
#[derive(Default)]
struct Known {
    fleet: Fleet,
    /// The revision up to which it has followed; `None` where it is to be made anew.
    seen: Option<u64>,
    /// Instances that it has from changes that were not committed then, or placed a task on.
    provisional: BTreeSet<InstanceId>,
}

impl Fleets {
    /// Chooses instances among those of a cluster, as a transaction sees them. The tasks placed
    /// count only once they are put into the state, whatever becomes of this transaction.
    pub(crate) fn place(
        &self,
        state: &State,
        cluster: &ClusterName,
        request: &Request<'_>,
        seed: u64,
    ) -> Placement {
        let mut all = self.lock();
        let known = all.entry(cluster.clone()).or_default();
        known.follow(state, cluster);
        debug_assert_eq!(known.check(state, cluster), Ok(()));
        let placement = known.fleet.place(request, seed);
        known.provisional.extend(&placement.placed);
        placement
    }

    /// Lets go of what is known of a cluster.
    pub(crate) fn forget(&self, cluster: &ClusterName) {
        self.lock().remove(cluster);
    }

    /// Whether each fleet is what the state says, once it has followed it; the error names the
    /// first that is not.
    #[cfg(test)]
    pub(crate) fn check(&self, state: &State) -> Result<(), String> {
        for (cluster, known) in self.lock().iter_mut() {
            known.follow(state, cluster);
            known.check(state, cluster)?;
        }
        Ok(())
    }

    /// A panic under this lock may have left a fleet half changed, so all are made anew.
    fn lock(&self) -> MutexGuard<'_, HashMap<ClusterName, Known>> {
        self.known.lock().unwrap_or_else(|poisoned| {
            self.known.clear_poison();
            let mut all = poisoned.into_inner();
            all.clear();
            all
        })
    }
}

impl Known {
    /// Makes the fleet that of this state.
    fn follow(&mut self, state: &State, cluster: &ClusterName) {
        let seen = self.seen.take().filter(|it| *it <= state.revision());
        match seen.and_then(|it| state.instances_changed_after(cluster, it)) {
            Some(changed) => {
                self.provisional.extend(changed);
                for id in std::mem::take(&mut self.provisional) {
                    self.fleet.follow(id, candidate(state, cluster, id));
                }
            }
            None => {
                self.fleet = Fleet::new();
                self.provisional.clear();
                for instance in state.instances(cluster) {
                    let id = instance.id;
                    self.fleet.follow(id, candidate(state, cluster, id));
                }
            }
        }
        // What changed after the state's own revision is a transaction's, not committed yet.
        if let Some(uncommitted) = state.instances_changed_after(cluster, state.revision()) {
            self.provisional.extend(uncommitted);
            self.seen = Some(state.revision());
        }
    }

    /// Compares the fleet with the state that it has just followed.
    fn check(&self, state: &State, cluster: &ClusterName) -> Result<(), String> {
        let is_same = |(has, is): (&Candidate, &Arc<_>)| {
            has.instance == *is && has.occupancy == state.occupancy(has.id())
        };
        let (has, is) = (self.fleet.candidates().count(), state.instances(cluster).count());
        if has != is {
            return Err(format!("{cluster}: its fleet has {has} instances, not {is}"));
        }
        let mut pairs = self.fleet.candidates().zip(state.instances(cluster));
        match pairs.find(|pair| !is_same(*pair)) {
            Some((has, is)) => Err(format!("{cluster}: its fleet has {has:?} for {is:?}")),
            None => Ok(()),
        }
    }
}

fn candidate(state: &State, cluster: &ClusterName, id: InstanceId) -> Option<Candidate> {
    let instance = container_instances::find(state, cluster, id)?;
    Some(container_instances::candidate(state, instance))
}

#[cfg(test)]
mod tests;
