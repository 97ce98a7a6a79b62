//! Time and identity as arguments: the traits have no implementation here, so that no rule can
//! reach the system's clock or its random numbers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant `seconds` later (or earlier when negative); stops at the ends of the range.
    #[must_use]
    pub const fn plus_secs(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }
}

/// Where the present time comes from. The simulation's clock moves only when told to.
pub trait Clock: Send + Sync {
    /// The present instant. Somebody may set the clock forward or back.
    fn now(&self) -> Timestamp;

    /// How long it has been since a moment that does not move, which nobody can set. As a clock
    /// says that is never set.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().millis().unsigned_abs())
    }
}

/// Where new identities come from: 128 unpredictable bits, or a counter in the simulation.
pub trait Ids: Send + Sync {
    /// 128 bits never given before.
    fn next_bits(&self) -> u128;
}
