//! 2,000 times `kill -9` under load.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use longshore_load::kills::{KillPlan, run};

use crate::figures::{Goal, Table, millis};

const KILLS: u32 = 2000;

/// `LONGSHORE_KILLS` and `LONGSHORE_SEED` choose another plan.
pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let kills = number("LONGSHORE_KILLS").map_or(Ok(KILLS), u32::try_from)?;
    let seed = number("LONGSHORE_SEED").unwrap_or(now.as_nanos() as u64);
    let since = Instant::now();
    let summary = run(KillPlan { kills, seed, forget_at: None }).await?;
    let wanted = Goal::AtLeast(f64::from(kills));
    table.add("kill -9 with nothing acknowledged lost", wanted, f64::from(summary.kills), "times");
    let counts = summary.counts;
    let mut count = |what: &str, of: u64| table.add(what, Goal::None, of as f64, "");
    count("  of them while it started", summary.kills_at_start.into());
    count("  tasks acknowledged", counts.tasks);
    count("  StopTask acknowledged", counts.stops);
    count("  agents' reports acknowledged", counts.reports);
    count("  registrations acknowledged", counts.registrations);
    count("  RunTask calls without an answer", counts.unanswered_runs);
    count("  tasks that those had made", counts.found_tasks);
    let starts = millis(&summary.starts);
    table.add("  start until ready, median", Goal::None, starts.median(), "ms");
    table.add("  start until ready, longest", Goal::None, starts.percentile(100), "ms");
    table.add("  the whole run", Goal::None, since.elapsed().as_secs_f64(), "s");
    Ok(())
}
