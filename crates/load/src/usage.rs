//! What a process has used, as the kernel counts it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, anyhow};

/// Linux counts in hundredths of a second for user space, on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// CPU time of all its threads, in user space and in the kernel; to ten milliseconds.
    pub cpu: Duration,
    /// Memory that it holds now.
    pub resident_bytes: u64,
}

impl Usage {
    /// Asks the kernel.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
        };
        Ok(Self {
            cpu: cpu(&read("stat")?).ok_or_else(|| anyhow!("/proc/{pid}/stat is odd"))?,
            resident_bytes: resident(&read("status")?)
                .ok_or_else(|| anyhow!("/proc/{pid}/status is odd"))?,
        })
    }
}

/// Fields 14 and 15. The second field is the command's name, which may hold anything.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * (ticks()? + ticks()?))
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_disturb() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 25 5 0 0 20 0 9 0 1 1 1";
        assert_eq!(cpu(stat), Some(Duration::from_millis(300)));
        assert_eq!(resident("Name:\tx\nVmRSS:\t    12 kB\n"), Some(12 * 1024));
        assert_eq!(cpu("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(Usage::of(std::process::id()).unwrap().resident_bytes > 0);
    }
}
