//! Many worlds, each from its seed. `SIM_SEEDS=n` runs so many, from `SIM_FROM=n` on; `SIM_SEED=n`
//! replays one; `SIM_LINES=n` shows so many lines of the history of one that fails.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use longshore_sim::{Failure, run, run_recorded, run_to_failure};

/// How many worlds are run where nothing else is said.
const USUAL: u64 = 80;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

fn lines() -> usize {
    number("SIM_LINES").and_then(|it| it.try_into().ok()).unwrap_or(100)
}

#[track_caller]
fn check(seed: u64) {
    if let Err(failure) = run(seed, lines()) {
        panic!("\n{failure}");
    }
}

#[test]
fn everything_holds_in_every_world() {
    if let Some(seed) = number("SIM_SEED") {
        return check(seed);
    }
    let (from, count) = (number("SIM_FROM").unwrap_or(0), number("SIM_SEEDS").unwrap_or(USUAL));
    let next = AtomicU64::new(from);
    let failures: Mutex<Vec<Failure>> = Mutex::default();
    let (events, tasks, busy_millis) = (AtomicU64::new(0), AtomicU64::new(0), AtomicI64::new(0));
    let since = Instant::now();
    let workers = thread::available_parallelism().map_or(1, |it| it.get());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while failures.lock().unwrap().is_empty() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    match run(seed, lines()) {
                        Ok(outcome) => {
                            events.fetch_add(outcome.events, Ordering::Relaxed);
                            tasks.fetch_add(outcome.tasks as u64, Ordering::Relaxed);
                            busy_millis.fetch_add(outcome.busy_millis, Ordering::Relaxed);
                        }
                        Err(failure) => failures.lock().unwrap().push(*failure),
                    }
                }
            });
        }
    });
    let core_days = since.elapsed().as_secs_f64() * workers as f64 / 86_400.0;
    let years = busy_millis.into_inner() as f64 / (365.25 * 86_400_000.0);
    println!(
        "{count} worlds, {tasks:?} tasks, {events:?} events; {years:.4} cluster-years with clients and \
         faults, {:.0} a core-day",
        years / core_days
    );
    if let Some(failure) = failures.into_inner().unwrap().first() {
        panic!("\n{failure}");
    }
}

/// Each has shown a fault once.
#[test]
fn seeds_that_failed_hold() {
    // The control plane's clock was set back, and it took true words of health for outdated ones.
    check(105);
    // The journal failed while a task was given up, and that was tried again without a pause, for ever.
    check(1041);
}

#[test]
fn a_failing_seed_fails_in_the_same_way_again() {
    for seed in 0..4 {
        let failure = || run_to_failure(seed, 400, 1_000_000).unwrap_err();
        let (one, other) = (failure(), failure());
        assert!(one.history.len() > 50, "{}", one.history.len());
        assert!(one == other, "seed {seed}: {one} {other}");
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..5 {
        let (one, other) = (run_recorded(seed, 1).unwrap(), run_recorded(seed, 1).unwrap());
        assert_eq!(one, other, "seed {seed}");
    }
}
