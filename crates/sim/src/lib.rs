//! The real control plane and many real agent engines under one seeded clock.
//!
//! A discrete-event simulation: no thread, no socket, no Docker, no time but its own. Requests go
//! through the real door as bytes, tasks are told by the real sessions, reports are made by the
//! real engines; the network, Docker, the disks and the deaths of processes are made up from the
//! seed. After every step all that must hold is looked at, and once nothing goes wrong any more
//! everything must come to rest and agree. The same seed gives the same history.

mod checks;
mod clients;
mod control_plane;
mod disk;
mod docker;
mod event;
mod faults;
mod journal;
mod machine;
mod network;
mod operators;
mod profile;
mod random;
mod stage;
mod workload;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::stage::Trace;
use crate::world::World;

/// What happened in a world in which everything held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many events there were.
    pub events: u64,
    /// How many tasks there were.
    pub tasks: usize,
    /// How long clients called and things went wrong, in the world's own time: without the calm after
    /// it, with the idle hours in it.
    pub busy_millis: i64,
    /// The same for the same history; 0 unless it was recorded.
    pub digest: u64,
}

/// Something that must hold did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed that shows it again.
    pub seed: u64,
    /// What did not hold.
    pub violation: String,
    /// The last lines of the history.
    pub history: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.history {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "seed {}: {}", self.seed, self.violation)?;
        write!(f, "replay it with SIM_SEED={}", self.seed)
    }
}

/// Runs the world of a seed to its end. Where something does not hold it is run a second time, to
/// record the last `lines` of the history that led there.
///
/// # Errors
/// [`Failure`].
pub fn run(seed: u64, lines: usize) -> Result<Outcome, Box<Failure>> {
    live(seed, None, 0).or_else(|_| live(seed, None, lines))
}

/// Runs the world of a seed and records its history, which takes longer.
///
/// # Errors
/// [`Failure`].
pub fn run_recorded(seed: u64, lines: usize) -> Result<Outcome, Box<Failure>> {
    live(seed, None, lines)
}

/// Runs the world of a seed and has it fail after so many events, as if something did not hold then:
/// to show that a failure, and all that led to it, comes again.
///
/// # Errors
/// [`Failure`], where there are so many events.
pub fn run_to_failure(seed: u64, after_events: u64, lines: usize) -> Result<Outcome, Box<Failure>> {
    live(seed, Some(after_events), lines)
}

fn live(seed: u64, fails_after: Option<u64>, lines: usize) -> Result<Outcome, Box<Failure>> {
    let mut world = World::new(seed, Trace::of_last(lines));
    world.fails_after = fails_after;
    let violation = match catch_unwind(AssertUnwindSafe(|| world.run())) {
        Ok(Ok(())) => {
            let (events, tasks) = (world.stage.events, world.checks.tasks());
            let digest = if lines == 0 { 0 } else { world.stage.trace.digest() };
            let busy_millis = world.busy_millis;
            return Ok(Outcome { events, tasks, busy_millis, digest });
        }
        Ok(Err(violation)) => violation.text().to_owned(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            format!("a panic: {}", text.unwrap_or("without words"))
        }
    };
    Err(Box::new(Failure { seed, violation, history: world.stage.trace.lines() }))
}
