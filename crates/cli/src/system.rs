//! The system's clock, random numbers and signals: what the simulation replaces.

use std::time::{SystemTime, UNIX_EPOCH};

use longshore_model::{Clock, Ids, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The machine's random numbers.
pub(crate) struct RandomIds;

impl Ids for RandomIds {
    fn next_bits(&self) -> u128 {
        uuid::Uuid::new_v4().as_u128()
    }
}

/// Becomes true at the first SIGTERM or SIGINT.
pub(crate) fn shutdown_signal() -> std::io::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("{name} received; stopping. Running containers are left running.");
        sender.send_replace(true);
    });
    Ok(receiver)
}
