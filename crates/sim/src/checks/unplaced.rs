//! RunTask calls that could place nothing: each is recorded and counted once, and none that a
//! client heard of is lost.

use std::collections::BTreeMap;

use longshore_control::placement_failures::MAX_RECORDS;
use longshore_model::{ClusterName, PlacementFailure};
use longshore_store::{Change, Commit, State};

use super::{Checks, Violation, hold};

impl Checks {
    /// A client was told that nothing could be placed in this cluster.
    pub(crate) fn unplaced(&mut self, cluster: &str, state: &State) -> Result<(), Violation> {
        let cluster = cluster.parse().map_err(|_| Violation::new("a cluster has no such name"))?;
        let heard_of = self.unplaced.entry(cluster).or_default();
        *heard_of += 1;
        self.placement_failures(state)
    }

    /// As many as clients heard of, at least: some answers are lost. A cluster that is forgotten
    /// takes its count with it.
    pub(super) fn placement_failures(&self, state: &State) -> Result<(), Violation> {
        for (name, heard_of) in &self.unplaced {
            let counted = state.cluster(name).map_or(0, |it| it.placement_failures);
            hold(counted >= *heard_of, || {
                format!("cluster {name} counts {counted} placement failures of {heard_of}")
            })?;
        }
        for cluster in state.clusters() {
            let records: Vec<_> = state.placement_failures(&cluster.name).collect();
            let calls: u64 = records.iter().map(|it| it.calls).sum();
            let are_right = records.len() <= MAX_RECORDS && calls <= cluster.placement_failures;
            hold(are_right, || {
                let (name, total) = (&cluster.name, cluster.placement_failures);
                format!("cluster {name}: {} records, {calls} calls of {total}", records.len())
            })?;
        }
        Ok(())
    }

    /// What a commit counts is what it records.
    pub(super) fn counted_once(&mut self, commit: &Commit) -> Result<(), Violation> {
        let mut counted: BTreeMap<&ClusterName, (u64, u64)> = BTreeMap::new();
        for change in &commit.changes {
            match change {
                Change::Cluster { before, after: Some(after) } => {
                    let before = before.as_ref().map_or(0, |it| it.placement_failures);
                    let more = after.placement_failures.checked_sub(before);
                    let more = more.ok_or_else(|| {
                        Violation::new(format!("cluster {} counts down", after.name))
                    })?;
                    counted.entry(&after.name).or_default().0 += more;
                }
                Change::Cluster { before: Some(before), after: None } => {
                    self.unplaced.remove(&before.name);
                }
                Change::PlacementFailure { before, after: Some(after) } => {
                    check_repeated(before.as_deref(), after)?;
                    counted.entry(&after.cluster).or_default().1 += 1;
                }
                _ => {}
            }
        }
        for (cluster, (counted, recorded)) in counted {
            hold(counted == recorded, || {
                format!("cluster {cluster} counts {counted} failures and records {recorded}")
            })?;
        }
        Ok(())
    }

    /// A restart may show that a cluster was forgotten.
    pub(super) fn note_forgotten_clusters(&mut self, state: &State) {
        self.unplaced.retain(|name, _| state.cluster(name).is_some());
    }
}

fn check_repeated(
    before: Option<&PlacementFailure>,
    after: &PlacementFailure,
) -> Result<(), Violation> {
    let calls = before.map_or(0, |it| it.calls);
    hold(after.calls == calls + 1, || {
        format!("{calls} calls that placed nothing become {}: {after:?}", after.calls)
    })?;
    hold(before.is_none_or(|it| it.last.is_like(&after.last)), || {
        format!("calls that differ share a record: {before:?} {after:?}")
    })
}
