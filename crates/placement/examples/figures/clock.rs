//! Time, of the wall and of this process.

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

/// What was spent until now.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    wall: Instant,
    cpu: Duration,
}

/// What was spent between two such times.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Spent {
    /// The scheduler counts nanoseconds of the one thread that measures, and brings the count up to
    /// date when it is asked to choose.
    pub(crate) fn now() -> Result<Self, Box<dyn Error>> {
        std::thread::yield_now();
        let stat = fs::read_to_string("/proc/thread-self/schedstat")?;
        let nanos = stat.split_whitespace().next().ok_or("no time in schedstat")?.parse()?;
        Ok(Self { wall: Instant::now(), cpu: Duration::from_nanos(nanos) })
    }

    pub(crate) fn since(self, before: Self) -> Took {
        Took { wall: self.wall - before.wall, cpu: self.cpu.saturating_sub(before.cpu) }
    }
}

/// The middle one.
pub(crate) fn median(of: impl Iterator<Item = Duration>) -> Result<Duration, &'static str> {
    let mut sorted: Vec<_> = of.collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().ok_or("nothing was measured")
}

/// How much memory this process has.
pub(crate) fn resident_kib() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
