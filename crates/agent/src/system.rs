//! The system's clock and random numbers; everything else gets them as arguments.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longshore_model::{Ids, Timestamp};

/// The present instant.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// From now until `at`; nothing if that is past.
pub(crate) fn until(at: Timestamp) -> Duration {
    let millis = at.millis().saturating_sub(now().millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// Unpredictable identities.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RandomIds;

impl Ids for RandomIds {
    fn next_bits(&self) -> u128 {
        uuid::Uuid::new_v4().as_u128()
    }
}

/// A random duration below `limit`, to keep many agents from moving in step.
pub(crate) fn jitter(limit: Duration) -> Duration {
    let random = RandomIds.next_bits() as u32;
    limit.mul_f64(f64::from(random) / (f64::from(u32::MAX) + 1.0))
}
