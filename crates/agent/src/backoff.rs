//! How long to wait before the next attempt.

use std::time::Duration;

use crate::system::jitter;

/// Delays that grow from attempt to attempt, each with up to a fifth added at random.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    factor: f64,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration, factor: f64) -> Self {
        Self { first, longest, factor, next: first }
    }

    /// The delay before the next attempt.
    pub(crate) fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.mul_f64(self.factor).min(self.longest);
        delay + jitter(delay / 5)
    }

    /// All went well: begin again with the first delay.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_the_longest_and_begin_again() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3), 2.0);
        let mut check = |least: u64, reset: bool| {
            let delay = backoff.delay();
            let least = Duration::from_secs(least);
            assert!(least <= delay && delay <= least + least / 5, "{delay:?}");
            if reset {
                backoff.reset();
            }
        };
        check(1, false);
        check(2, false);
        check(3, false);
        check(3, true);
        check(1, false);
    }
}
