//! The numbers of payloads and manifests.

use std::sync::atomic::{AtomicI64, Ordering};

use longshore_model::Timestamp;

/// Gives each message a higher number than all before it, over the restarts of the server also:
/// microseconds since the epoch, or one more than the last. There is nothing to be saved. No
/// server sends a message each microsecond, so the numbers never run ahead of the time for long.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    last: AtomicI64,
}

impl Sequence {
    pub(super) fn next(&self, now: Timestamp) -> i64 {
        let micros = now.millis().saturating_mul(1000);
        let after = |last: i64| micros.max(last.saturating_add(1));
        let last =
            self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| Some(after(it)));
        after(last.unwrap_or_else(|it| it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_whatever_the_clock_does() {
        let sequence = Sequence::default();
        let mut last = 0;
        for millis in [5, 5, 5, 6, 3, 3, 1_795_455_827_383, 0, 1_795_455_827_383] {
            let next = sequence.next(Timestamp::from_millis(millis));
            assert!(next > last && next >= millis * 1000, "{next} after {last} at {millis}");
            last = next;
        }
    }
}
