//! What has happened since the agent began, as far as nobody decides anything by it: for those who
//! look after it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// Counted where it happens, read by whoever shows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    pulls: AtomicU64,
    failed_pulls: AtomicU64,
    connected: AtomicBool,
    heard_at: Mutex<Option<Instant>>,
}

impl Pulse {
    /// A pull is over.
    pub(crate) fn pulled(&self, well: bool) {
        let count = if well { &self.0.pulls } else { &self.0.failed_pulls };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// The control plane is connected, or not any more.
    pub(crate) fn set_connected(&self, connected: bool) {
        self.0.connected.store(connected, Ordering::Relaxed);
        if connected {
            self.heard();
        }
    }

    /// The control plane said something, if only that it is there.
    pub(crate) fn heard(&self) {
        *self.0.heard_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Pulls that went well, and those that did not.
    pub(crate) fn pulls(&self) -> (u64, u64) {
        (self.0.pulls.load(Ordering::Relaxed), self.0.failed_pulls.load(Ordering::Relaxed))
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.0.connected.load(Ordering::Relaxed)
    }

    /// `None` if it never was.
    pub(crate) fn heard_at(&self) -> Option<Instant> {
        *self.0.heard_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
