//! What the tests share: a control plane behind its real doors, a client that signs, and agents
//! that do as they are told by the test.

mod agent;
mod clock;
mod fleet;
mod http;
mod joined;
mod machine;
mod world;

pub(crate) use agent::{Agent, Handshake, open};
pub(crate) use clock::{Count, Steered};
pub(crate) use fleet::Fleet;
pub(crate) use http::{Answer, Call, send_on, try_send};
pub(crate) use joined::{Joined, Key};
pub(crate) use machine::Machine;
pub(crate) use world::World;

use std::time::Duration;

/// Longer than anything here takes, also in time that tokio moves. It fails a test that would
/// otherwise hang.
const PATIENCE: Duration = Duration::from_secs(200);

/// Waits for something that is bound to come.
pub(crate) async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen"),
    }
}
