//! What the server has acknowledged survives `kill -9`.

use std::time::{SystemTime, UNIX_EPOCH};

use longshore_load::kills::{KillPlan, KillSummary, run};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|it| it.parse().ok())
}

fn carry_out(plan: KillPlan) -> anyhow::Result<KillSummary> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(run(plan));
    runtime.shutdown_background();
    outcome
}

/// `LONGSHORE_KILLS` says how often (200), `LONGSHORE_SEED` repeats the choices of a run.
#[test]
fn what_was_acknowledged_survives_kills_at_random_moments() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let kills = number("LONGSHORE_KILLS").unwrap_or(200).try_into().unwrap();
    let seed = number("LONGSHORE_SEED").unwrap_or(now.as_nanos() as u64);
    match carry_out(KillPlan { kills, seed, forget_at: None }) {
        Ok(summary) => {
            let KillSummary { kills, counts, mut starts, .. } = summary;
            starts.sort();
            let median = starts.get(starts.len() / 2);
            println!(
                "{kills} kills, {counts:?}, median start {median:?}, longest {:?}",
                starts.last()
            );
        }
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn a_server_that_forgets_is_found_out() {
    let outcome = carry_out(KillPlan { kills: 30, seed: 1, forget_at: Some(5) });
    let error = format!("{:?}", outcome.expect_err("a state was put back"));
    assert!(error.contains("things are wrong"), "{error}");
}
