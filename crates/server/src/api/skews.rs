//! Callers whose clocks are far from ours: their requests are refused, and the log says why, but
//! not each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tracing::warn;

/// How often it is said of one key, in seconds.
const AGAIN_SECS: i64 = 3600;

/// When it was last said of which access key, in seconds since the epoch. Only of keys that there
/// are, so they are few.
#[derive(Default)]
pub(super) struct Skews(Mutex<HashMap<String, i64>>);

impl Skews {
    /// A request that says to be of this key came from a clock so much ahead of ours.
    pub(super) fn tell(&self, access_key: &str, ahead_secs: i64, now_secs: i64) {
        if self.is_news(access_key, now_secs) {
            let minutes = ahead_secs.unsigned_abs() / 60;
            let direction = if ahead_secs < 0 { "behind" } else { "ahead of" };
            warn!(
                access_key,
                "a request was refused because its sender's clock is {} h {} min {direction} this \
                 machine's: set the clock of the one that is wrong",
                minutes / 60,
                minutes % 60
            );
        }
    }

    fn is_news(&self, access_key: &str, now_secs: i64) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.get(access_key).is_none_or(|it| (now_secs - it).abs() >= AGAIN_SECS);
        if is_news {
            told.insert(access_key.to_owned(), now_secs);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_news_once_an_hour() {
        let skews = Skews::default();
        assert!(skews.is_news("a", 10_000));
        assert!(!skews.is_news("a", 13_599));
        assert!(skews.is_news("b", 13_599));
        assert!(skews.is_news("a", 13_600));
    }
}
