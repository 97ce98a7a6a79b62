//! Operations and control loops: all that ECS *does*.
//!
//! An operation takes typed input, runs one transaction and gives a typed result or error. It
//! cannot see HTTP, JSON or Docker, so it reads the same called by the API, a loop or the
//! simulation. Times and ids come from the [`Clock`] and [`Ids`] given.

pub mod access;
pub mod account_settings;
pub mod clusters;
pub mod container_instances;
pub mod event;
mod fleets;
#[cfg(test)]
mod invariants;
pub mod joining;
pub mod lost;
pub mod placement_failures;
pub mod reap;
pub mod reference;
pub mod tags;
pub mod task_definitions;
pub mod tasks;
pub mod telemetry;
#[cfg(test)]
mod testing;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_model::{Clock, Ids, Owner, Timestamp};
use longshore_store::{State, Store};

use fleets::Fleets;
use telemetry::Telemetry;

pub use longshore_placement as placement;
use longshore_placement::Queries;

/// The control plane without its doors: the state, and what may be done to it.
#[derive(Clone)]
pub struct Control {
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    owner: Arc<Owner>,
    has_fargate: bool,
    /// How long what has ended can still be described.
    keep_secs: i64,
    fleets: Arc<Fleets>,
    /// The expressions of task definitions that were run lately.
    queries: Arc<Mutex<Queries>>,
    telemetry: Arc<Telemetry>,
}

impl Control {
    /// A control plane over this state, which names its resources after this owner.
    pub fn new(store: Store, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, owner: Owner) -> Self {
        let (owner, fleets, queries) = (Arc::new(owner), Arc::default(), Arc::default());
        let keep_secs = reap::KEEP_SECS;
        let telemetry = Arc::default();
        Self { store, clock, ids, owner, has_fargate: false, keep_secs, fleets, queries, telemetry }
    }

    /// The same, with what has ended kept for so long, of which the seconds count.
    pub fn keeping_ended_for(self, keep: Duration) -> Self {
        Self { keep_secs: i64::try_from(keep.as_secs()).unwrap_or(i64::MAX), ..self }
    }

    /// The same, with FARGATE mapped to the container instances that there are.
    pub fn with_fargate_on_instances(self, has_fargate: bool) -> Self {
        Self { has_fargate, ..self }
    }

    /// How long what has ended can still be described.
    pub fn keeps_ended_for(&self) -> Duration {
        Duration::from_secs(self.keep_secs.unsigned_abs())
    }

    /// Whether tasks can be launched as FARGATE.
    pub fn has_fargate(&self) -> bool {
        self.has_fargate
    }

    /// The durable state as of now; it does not change under the caller.
    pub fn view(&self) -> Arc<State> {
        self.store.view()
    }

    /// Where durable changes can be watched.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whose resources these are.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// How tasks and container instances fare, as their agents tell it.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// A number by which to choose at random, another one each time.
    pub fn seed(&self) -> u64 {
        self.ids.next_bits() as u64
    }

    /// How long it has been since a moment that nobody can move.
    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
