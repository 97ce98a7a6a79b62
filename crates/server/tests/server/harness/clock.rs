//! Time that moves when a test says so, and ids that count.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use longshore_model::{Clock, Ids, Timestamp};

/// A clock that stands still until it is moved.
pub(crate) struct Steered(AtomicI64);

impl Default for Steered {
    /// 2017-06-15T08:00:00.123Z.
    fn default() -> Self {
        Self(AtomicI64::new(1_497_513_600_123))
    }
}

impl Steered {
    pub(crate) fn move_by_secs(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn now_secs(&self) -> i64 {
        self.now().millis() / 1000
    }
}

impl Clock for Steered {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that tell the order in which they were made.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Ids for Count {
    fn next_bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}
