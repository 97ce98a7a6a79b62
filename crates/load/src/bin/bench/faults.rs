//! 1,000 times `kill -9` of an agent whose tasks are real, and 100 outages of its server.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use longshore_load::faults::{FaultPlan, Reached, run};

use crate::figures::{Goal, Table, millis};

const AGENT_KILLS: u32 = 1000;
const SERVER_OUTAGES: u32 = 100;

/// How often is said how far it has come, in faults.
const TOLD_EVERY: u32 = 25;

/// `LONGSHORE_AGENT_KILLS`, `LONGSHORE_SERVER_OUTAGES` and `LONGSHORE_SEED` choose another plan.
pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let plan = FaultPlan {
        agent_kills: number("LONGSHORE_AGENT_KILLS").map_or(Ok(AGENT_KILLS), u32::try_from)?,
        server_outages: number("LONGSHORE_SERVER_OUTAGES")
            .map_or(Ok(SERVER_OUTAGES), u32::try_from)?,
        seed: number("LONGSHORE_SEED").unwrap_or(now.as_nanos() as u64),
    };
    eprintln!("seed {}", plan.seed);
    let since = Instant::now();
    let told = Told { since, reached: std::cell::Cell::default() };
    let summary = run(plan, |reached| told.tell(reached)).await?;
    let reached = summary.reached;
    let wanted = |it: u32| Goal::AtLeast(f64::from(it));
    let kills = f64::from(reached.agent_kills);
    let outages = f64::from(reached.server_outages);
    table.add(
        "kill -9 of the agent, no container disturbed",
        wanted(plan.agent_kills),
        kills,
        "times",
    );
    table.add(
        "outages of the server, no container disturbed",
        wanted(plan.server_outages),
        outages,
        "times",
    );
    let mut count = |what: &str, of: f64| table.add(what, Goal::None, of, "");
    count("  kills of the agent before it was connected", reached.agent_kills_at_start.into());
    count("  tasks", reached.counts.tasks as f64);
    count("  of them asked to stop", reached.counts.stops as f64);
    count("  of them told to have ended as Docker has it", reached.counts.ends as f64);
    count("  calls without an answer", reached.counts.unanswered as f64);
    let starts = millis(&summary.agent_starts);
    table.add("  agent: start until connected, median", Goal::None, starts.median(), "ms");
    table.add("  agent: start until connected, longest", Goal::None, starts.percentile(100), "ms");
    table.add("  the whole run", Goal::None, since.elapsed().as_secs_f64(), "s");
    Ok(())
}

/// Says how far it has come, now and then and when it is given up.
struct Told {
    since: Instant,
    reached: std::cell::Cell<Reached>,
}

impl Told {
    fn tell(&self, reached: Reached) {
        self.reached.set(reached);
        if (reached.agent_kills + reached.server_outages).is_multiple_of(TOLD_EVERY) {
            self.say();
        }
    }

    fn say(&self) {
        let Reached { agent_kills, server_outages, counts, .. } = self.reached.get();
        eprintln!(
            "{:5.0} s: {agent_kills} kills of the agent, {server_outages} outages of the server, \
             {} tasks, {} ends checked",
            self.since.elapsed().as_secs_f64(),
            counts.tasks,
            counts.ends
        );
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.say();
    }
}
