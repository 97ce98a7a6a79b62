//! The system's clock and random numbers; everything else gets them as arguments.

use std::sync::atomic::{AtomicU64, Ordering};
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

/// Identities that follow from a task's ARN, one after another: an agent that was killed before it
/// had put a task on file gives the same names again, and finds by them what was made.
#[derive(Debug)]
pub struct IdsOfTask<'a> {
    arn: &'a str,
    given: AtomicU64,
}

impl<'a> IdsOfTask<'a> {
    /// Those of this task.
    pub fn new(arn: &'a str) -> Self {
        Self { arn, given: AtomicU64::new(0) }
    }
}

impl Ids for IdsOfTask<'_> {
    /// FNV-1a of 128 bits. Source: Fowler, Noll and Vo, "The FNV Non-Cryptographic Hash Algorithm".
    fn next_bits(&self) -> u128 {
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let number = self.given.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let bytes = self.arn.bytes().chain(number);
        bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
    }
}

/// A random duration below `limit`, to keep many agents from moving in step.
pub(crate) fn jitter(limit: Duration) -> Duration {
    let random = RandomIds.next_bits() as u32;
    limit.mul_f64(f64::from(random) / (f64::from(u32::MAX) + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_gives_the_same_identities_again_and_no_other_does() {
        let of = |arn: &str| {
            let ids = IdsOfTask::new(arn);
            [ids.next_bits(), ids.next_bits()]
        };
        let [first, second] = of("arn:aws:ecs:r:a:task/c/0123");
        assert_eq!(of("arn:aws:ecs:r:a:task/c/0123"), [first, second]);
        assert_ne!(first, second);
        assert_ne!(of("arn:aws:ecs:r:a:task/c/0124"), [first, second]);
    }
}
