//! The clock that requests are signed by: this machine's, or the control plane's where the two are
//! so far apart that signatures by ours are refused.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Response, header};
use longshore_wire::{ErrorBody, sigv4};
use tracing::warn;

use crate::endpoint::Endpoint;

/// Signatures are good for a quarter of an hour; a smaller difference is not why one was refused.
const LEAST_SECS: i64 = 5 * 60;

/// Knows by how much the control plane's clock is ahead of this machine's, once that matters.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    correction_secs: AtomicI64,
}

impl Clock {
    /// What is to be added to this machine's time to have the control plane's, in seconds; nothing
    /// as long as ours will do.
    pub(crate) fn correction_secs(&self) -> i64 {
        self.correction_secs.load(Ordering::Relaxed)
    }

    /// Seconds since the epoch.
    pub(crate) fn now_secs(&self) -> i64 {
        system_secs().saturating_add(self.correction_secs())
    }

    /// Goes by the control plane's clock from now on, if an answer says that a signature was
    /// refused and that ours is far from it. Says whether another attempt may do better.
    pub(crate) fn follow(&self, response: &Response<Bytes>, endpoint: &Endpoint) -> bool {
        let is_refusal = response.status().is_client_error()
            && ErrorBody::decode(response.body())
                .is_some_and(|it| it.code == "InvalidSignatureException");
        let date = response.headers().get(header::DATE).filter(|_| is_refusal);
        let Some(theirs) = date.and_then(|it| sigv4::http_date_secs(it.as_bytes())) else {
            return false;
        };
        if (theirs - self.now_secs()).abs() < LEAST_SECS {
            return false;
        }
        let ahead = theirs - system_secs();
        let is_near = ahead.abs() < LEAST_SECS;
        self.correction_secs.store(if is_near { 0 } else { ahead }, Ordering::Relaxed);
        if is_near {
            warn!(%endpoint, "this machine's clock is right again: signing by it");
        } else {
            warn!(
                %endpoint,
                "this machine's clock is {} that of the control plane: signing by the control \
                 plane's; set the clock of the one that is wrong",
                said(-ahead)
            );
        }
        true
    }
}

/// Such as `1 h 0 min behind`.
fn said(ahead_secs: i64) -> String {
    let minutes = ahead_secs.unsigned_abs() / 60;
    let direction = if ahead_secs < 0 { "behind" } else { "ahead of" };
    format!("{} h {} min {direction}", minutes / 60, minutes % 60)
}

fn system_secs() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str, date: &str) -> Response<Bytes> {
        let body = Bytes::from(format!(r#"{{"__type":"{code}","message":"no"}}"#));
        Response::builder().status(status).header("date", date).body(body).unwrap()
    }

    #[test]
    fn only_a_refused_signature_moves_the_clock_and_only_if_the_difference_is_why() {
        let clock = Clock::default();
        let endpoint: Endpoint = "http://127.0.0.1:1".parse().unwrap();
        let (then, code) = ("Sun, 06 Nov 1994 08:49:37 GMT", "InvalidSignatureException");
        assert!(!clock.follow(&answer(200, code, then), &endpoint));
        assert!(!clock.follow(&answer(400, "AccessDeniedException", then), &endpoint));
        assert!(!clock.follow(&answer(400, code, "yesterday"), &endpoint));
        assert_eq!(clock.correction_secs(), 0);
        assert!(clock.follow(&answer(400, code, then), &endpoint));
        assert!((clock.now_secs() - 784_111_777).abs() < 60, "{}", clock.now_secs());
        assert!(!clock.follow(&answer(400, code, then), &endpoint), "that is not why");
    }

    #[test]
    fn differences_are_said_in_hours_and_minutes() {
        assert_eq!(said(-3660), "1 h 1 min behind");
        assert_eq!(said(3599), "0 h 59 min ahead of");
    }
}
