//! RunTask calls that could place nothing: recorded and counted, so that scheduled jobs do not
//! vanish in silence.
//!
//! Calls that are alike share one record, so that a storm of them overwrites it; a cluster has a
//! bounded number of records, and those that did not happen again for long go first. How often it
//! happened in a cluster at all is counted in the cluster itself.

use std::collections::BTreeMap;

use longshore_model::{Cluster, ClusterName, PlacementFailure, Timestamp, Unplaced};
use longshore_store::Tx;

use crate::tasks::Failure;

/// The most records that a cluster has.
pub const MAX_RECORDS: usize = 100;

/// How long a failure is remembered after it last happened, in seconds: until Monday, when it
/// happened on Friday night, and somewhat more.
pub const KEEP_SECS: i64 = 7 * 24 * 3600;

/// Whether a failure was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is remembered for the first time, or again after it was forgotten.
    New,
    /// It was counted.
    Repeated,
}

/// How many instances could not take a task for each reason.
pub(crate) fn reasons(failures: &[Failure]) -> BTreeMap<Box<str>, u32> {
    let mut reasons: BTreeMap<Box<str>, u32> = BTreeMap::new();
    for failure in failures {
        let reason = failure.reason.as_str();
        match reasons.get_mut(reason) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                reasons.insert(reason.into(), 1);
            }
        }
    }
    reasons
}

/// Records a call that placed nothing, in the transaction that found it out: it is counted once if
/// that becomes durable, and not otherwise.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    cluster: &ClusterName,
    unplaced: Unplaced,
    now: Timestamp,
) -> Recorded {
    if let Some(it) = tx.cluster(cluster) {
        let placement_failures = it.placement_failures.saturating_add(1);
        let cluster = Cluster { placement_failures, ..Cluster::clone(it) };
        tx.put_cluster(cluster);
    }
    let fingerprint = unplaced.fingerprint();
    let known = tx.placement_failure(cluster, fingerprint);
    let known = known.filter(|it| it.last.is_like(&unplaced));
    let recorded = if known.is_some() { Recorded::Repeated } else { Recorded::New };
    let failure = PlacementFailure {
        cluster: cluster.clone(),
        fingerprint,
        last: unplaced,
        calls: known.map_or(0, |it| it.calls).saturating_add(1),
        first_at: known.map_or(now, |it| it.first_at),
        last_at: now,
    };
    tx.put_placement_failure(failure);
    make_room(tx, cluster, fingerprint);
    recorded
}

/// Forgets the failures that did not happen again for longest, down to the bound, but never the
/// one that has just happened.
fn make_room(tx: &mut Tx<'_>, cluster: &ClusterName, newest: u64) {
    let others = tx.placement_failures(cluster).filter(|it| it.fingerprint != newest);
    let mut others: Vec<_> = others.map(|it| (it.last_at, it.fingerprint)).collect();
    let surplus = (others.len() + 1).saturating_sub(MAX_RECORDS);
    if surplus > 0 {
        others.sort_unstable();
        for (_, fingerprint) in others.into_iter().take(surplus) {
            tx.remove_placement_failure(cluster, fingerprint);
        }
    }
}

/// Says in the log that something new cannot be placed.
pub(crate) fn warn(cluster: &ClusterName, unplaced: &Unplaced) {
    tracing::warn!(
        %cluster,
        definition = %unplaced.definition,
        group = &*unplaced.group,
        started_by = unplaced.started_by.as_deref().unwrap_or_default(),
        asked = unplaced.asked,
        refused = %unplaced,
        "a RunTask call could place no task; register or free container instances, or ask for \
         less. Whether it happens again is counted, and not said here"
    );
}

/// Whether a failure has been remembered for long enough.
pub(crate) fn is_over(failure: &PlacementFailure, now: Timestamp) -> bool {
    failure.last_at.plus_secs(KEEP_SECS) < now
}

#[cfg(test)]
mod tests;
