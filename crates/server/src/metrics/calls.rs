//! What was asked of the API, counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use longshore_wire::own;
use longshore_wire::prometheus::{Kind, Page};
use longshore_wire::{Operation, TARGET_HEADER};

/// What a call without an exception comes to.
const SUCCESS: &str = "success";

/// What is no operation counts under this name, whatever it was.
const UNKNOWN: &str = "unknown";

/// The highest durations of the histogram's buckets, in seconds, as text and as number.
const BUCKETS: [(&str, f64); 11] = [
    ("0.0005", 0.0005),
    ("0.001", 0.001),
    ("0.0025", 0.0025),
    ("0.005", 0.005),
    ("0.01", 0.01),
    ("0.025", 0.025),
    ("0.1", 0.1),
    ("0.25", 0.25),
    ("1", 1.0),
    ("2.5", 2.5),
    ("10", 10.0),
];

/// Calls since the start, by operation. Its keys are names of this program alone.
#[derive(Default)]
pub(crate) struct Calls(Mutex<BTreeMap<&'static str, Counts>>);

#[derive(Clone, Default)]
struct Counts {
    outcomes: BTreeMap<&'static str, u64>,
    /// Of the calls that took at most so long but longer than the bucket before; the last has those
    /// that took longer than all.
    buckets: [u64; BUCKETS.len() + 1],
    seconds: f64,
}

impl Calls {
    /// Counts a call and how long its answer took. `exception` is `None` for a success.
    pub(crate) fn count(
        &self,
        operation: &'static str,
        exception: Option<&'static str>,
        took: Duration,
    ) {
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|(_, limit)| seconds <= *limit);
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = calls.entry(operation).or_default();
        *counts.outcomes.entry(exception.unwrap_or(SUCCESS)).or_default() += 1;
        counts.buckets[bucket.unwrap_or(BUCKETS.len())] += 1;
        counts.seconds += seconds;
    }

    pub(super) fn write(&self, page: &mut Page) {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let help = "Calls of the API since the server started, by operation, and by exception \
                    where there was one.";
        let mut total = page.metric("longshore_api_calls_total", Kind::Counter, help);
        for (operation, counts) in &calls {
            for (outcome, count) in &counts.outcomes {
                total.sample(&[("operation", operation), ("outcome", outcome)], *count as f64);
            }
        }
        let help = "From a call's headers to its answer, its body and its commit included.";
        let mut took = page.metric("longshore_api_call_duration_seconds", Kind::Histogram, help);
        for (operation, counts) in &calls {
            let mut so_far = 0;
            let limits = BUCKETS.iter().map(|(text, _)| *text).chain(["+Inf"]);
            for (limit, count) in limits.zip(counts.buckets) {
                so_far += count;
                took.part("_bucket", &[("operation", operation), ("le", limit)], so_far as f64);
            }
            took.part("_sum", &[("operation", operation)], counts.seconds);
            took.part("_count", &[("operation", operation)], so_far as f64);
        }
    }
}

/// The name by which a call counts: its operation's, or its path's where it is of our own API.
pub(crate) fn name(path: &str, headers: &HeaderMap) -> &'static str {
    if let Some(path) = path.strip_prefix(own::PATH) {
        return crate::own::operation(path).unwrap_or(UNKNOWN);
    }
    let target = headers.get(TARGET_HEADER).and_then(|it| it.to_str().ok());
    target.and_then(Operation::from_target).map_or(UNKNOWN, Operation::name)
}
