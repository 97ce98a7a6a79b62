//! How often one asker is answered. Source: the official agent's defaults.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// Answers a second, in the long run.
const STEADY: f64 = 40.0;
/// Answers at once.
const BURST: f64 = 60.0;
/// More askers than this are looked through for those that have long been silent.
const MANY: usize = 1024;

/// A bucket of answers for each asker.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Throttle {
    /// Whether the asker is answered now.
    pub(super) fn admits(&self, asker: String, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MANY {
            buckets.retain(|_, it| it.at(now).left < BURST);
        }
        let bucket = buckets.entry(asker).or_insert(Bucket { left: BURST, at: now });
        *bucket = bucket.at(now);
        let admitted = bucket.left >= 1.0;
        if admitted {
            bucket.left -= 1.0;
        }
        admitted
    }
}

impl Bucket {
    fn at(self, now: Instant) -> Self {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        Self { left: (self.left + since * STEADY).min(BURST), at: now.max(self.at) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_asker_has_a_burst_and_then_a_steady_rate() {
        let (throttle, begin) = (Throttle::default(), Instant::now());
        let admitted = |at: Duration, times: u32| {
            (0..times).filter(|_| throttle.admits("a".to_owned(), begin + at)).count()
        };
        assert_eq!(admitted(Duration::ZERO, 100), 60);
        assert_eq!(admitted(Duration::from_millis(500), 100), 20);
        assert_eq!(admitted(Duration::from_secs(3600), 100), 60);
        assert!(throttle.admits("b".to_owned(), begin), "another asker has his own");
    }

    #[test]
    fn askers_that_are_silent_are_forgotten() {
        let (throttle, begin) = (Throttle::default(), Instant::now());
        for number in 0..2 * MANY as u64 {
            throttle.admits(number.to_string(), begin + Duration::from_secs(number));
        }
        assert!(throttle.buckets.lock().unwrap().len() <= MANY);
    }
}
