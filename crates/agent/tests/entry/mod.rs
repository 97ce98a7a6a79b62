//! Where the control plane's frames enter the agent: any bytes, and nothing may panic. The fuzz
//! target in `fuzz/` and the smoke test beside this folder feed the same function.

use longshore_agent::engine::{Input, Policy, TaskState, step};
use longshore_agent::payload::{Payload, salvage};
use longshore_model::{Ids, Timestamp};
use longshore_wire::acs::ServerMessage;

struct NoChance;

impl Ids for NoChance {
    fn next_bits(&self) -> u128 {
        7
    }
}

/// Reads a frame as the agent does, and begins and stops each of its tasks. Gives the payload.
pub(crate) fn frame(frame: &[u8]) -> Option<Payload> {
    let frame = std::str::from_utf8(frame).ok()?;
    let payload = match ServerMessage::decode(frame) {
        Ok(Some(ServerMessage::Payload(payload))) => Payload::from(payload),
        Ok(_) => return None,
        Err(_) => salvage(frame)?,
    };
    let read = payload.tasks.iter().map(|it| TaskState::load(it.clone(), &NoChance));
    let refused = payload.rejected.iter().map(|it| Err(it.clone()));
    for task in read.chain(refused) {
        live(task.unwrap_or_else(|rejection| TaskState::rejected(rejection, &NoChance)));
    }
    Some(payload)
}

fn live(mut task: TaskState) {
    let policy = Policy { pull_first: true, pull_must_succeed: false, cleanup_wait_secs: 1 };
    let inputs = [
        Input::Tick,
        Input::Prepared(Ok(())),
        Input::Pulled { container: 0, started_at: None, outcome: Ok(()) },
        Input::StopRequested,
        Input::ReportAccepted,
        Input::Tick,
    ];
    for (secs, input) in (0..).zip(inputs) {
        step(&mut task, input, &policy, Timestamp::from_millis(secs * 1000));
    }
}
