//! Containers do not notice that the agent or the server is killed.

use std::time::{SystemTime, UNIX_EPOCH};

use longshore_load::faults::{FaultPlan, run};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|it| it.parse().ok())
}

/// `LONGSHORE_AGENT_KILLS` (20) and `LONGSHORE_SERVER_OUTAGES` (8) say how often; `LONGSHORE_SEED`
/// repeats the choices of a run.
#[test]
fn kills_of_agent_and_server_disturb_no_container() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let plan = FaultPlan {
        agent_kills: number("LONGSHORE_AGENT_KILLS").unwrap_or(20).try_into().unwrap(),
        server_outages: number("LONGSHORE_SERVER_OUTAGES").unwrap_or(8).try_into().unwrap(),
        seed: number("LONGSHORE_SEED").unwrap_or(now.as_nanos() as u64),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(run(plan, |_| {}));
    runtime.shutdown_background();
    match outcome {
        Ok(summary) => {
            let mut starts = summary.agent_starts;
            starts.sort();
            let median = starts.get(starts.len() / 2);
            println!("{:?}, median start of the agent {median:?}", summary.reached);
        }
        Err(error) => panic!("{error:?}"),
    }
}
