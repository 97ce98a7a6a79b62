//! Which container instances of a cluster changed lately: a log that is read from its end.
//!
//! It is kept about as long as the cluster has instances, for whoever is further behind reads all
//! of them at no greater price. A change appends one entry to a small chunk, or nothing where the
//! chunk has the instance in the same revision.

use std::sync::Arc;

use longshore_model::InstanceId;
use rpds::RedBlackTreeMapSync as Map;

/// The most entries that are copied to append one.
const CHUNK: usize = 16;

/// How many entries are kept however few instances there are.
const SHORTEST: usize = 256;

/// An instance changed in a revision.
#[derive(Clone, Copy)]
struct Entry {
    revision: u64,
    instance: InstanceId,
}

/// The log of one cluster. A clone shares everything.
#[derive(Clone)]
pub(super) struct Changed {
    /// Every change of a later revision is here.
    complete_after: u64,
    /// By the order in which they were filled.
    full: Map<u64, Arc<[Entry]>>,
    /// How many were ever filled.
    filled: u64,
    /// What came after those.
    open: Arc<[Entry]>,
}

impl Changed {
    /// A log of what changes after this revision.
    pub(super) fn after(revision: u64) -> Self {
        let full = Map::new_sync();
        Self { complete_after: revision, full, filled: 0, open: Arc::default() }
    }

    /// Notes that an instance changed; `instances` is how many the cluster has.
    pub(super) fn note(&mut self, revision: u64, instance: InstanceId, instances: usize) {
        let mut same = self.open.iter().rev().take_while(|it| it.revision == revision);
        if same.any(|it| it.instance == instance) {
            return;
        }
        if self.open.len() >= CHUNK {
            self.full.insert_mut(self.filled, std::mem::take(&mut self.open));
            self.filled += 1;
            self.forget(instances.max(SHORTEST));
        }
        let entry = Entry { revision, instance };
        self.open = self.open.iter().copied().chain([entry]).collect();
    }

    /// Drops the oldest chunks beyond so many entries.
    fn forget(&mut self, keep: usize) {
        while self.full.size() > keep / CHUNK {
            let Some((&oldest, chunk)) = self.full.first() else { return };
            let newest_lost = chunk.last().map(|it| it.revision);
            self.complete_after = newest_lost.unwrap_or(self.complete_after);
            self.full.remove_mut(&oldest);
        }
    }

    /// The instances that changed in later revisions, each once, in the order of their ids; `None`
    /// where the log no longer goes back so far.
    pub(super) fn since(&self, revision: u64) -> Option<Vec<InstanceId>> {
        if revision < self.complete_after {
            return None;
        }
        let full = self.full.values().rev().flat_map(|it| it.iter().rev());
        let later = self.open.iter().rev().chain(full).take_while(|it| it.revision > revision);
        let mut instances: Vec<_> = later.map(|it| it.instance).collect();
        instances.sort_unstable();
        instances.dedup();
        Some(instances)
    }

    /// Whether the log is one that changes up to this revision can have left.
    pub(super) fn is_in_order(&self, newest: u64) -> bool {
        let full = self.full.values().flat_map(|it| it.iter());
        let revisions = full.chain(self.open.iter()).map(|it| it.revision);
        let between = [self.complete_after].into_iter().chain(revisions).chain([newest]);
        between.is_sorted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instance_id;

    #[test]
    fn an_instance_is_told_once_however_often_it_changed() {
        let mut log = Changed::after(7);
        for (revision, instance) in [(8, 2), (8, 1), (8, 2), (9, 3), (10, 2), (10, 2)] {
            log.note(revision, instance_id(instance), 3);
        }
        let since = |it| log.since(it);
        let ids = |numbers: &[u32]| Some(numbers.iter().copied().map(instance_id).collect());
        assert_eq!(since(7), ids(&[1, 2, 3]));
        assert_eq!(since(8), ids(&[2, 3]));
        assert_eq!(since(9), ids(&[2]));
        assert_eq!(since(10), ids(&[]));
        assert_eq!(since(6), None);
        assert_eq!(log.open.len(), 4, "changes of one revision are noted once");
    }

    #[test]
    fn a_log_is_as_long_as_there_are_instances() {
        let mut log = Changed::after(0);
        for revision in 1..=10_000 {
            log.note(revision, instance_id(revision as u32 % 700), 1_000);
        }
        let kept: usize = log.full.values().map(|it| it.len()).sum::<usize>() + log.open.len();
        assert!((1_000 - CHUNK..=1_000 + CHUNK).contains(&kept), "{kept} entries");
        assert_eq!(log.complete_after, 10_000 - kept as u64);
        assert_eq!(log.since(log.complete_after).unwrap().len(), 700);
        assert_eq!(log.since(log.complete_after - 1), None);
        assert_eq!(log.since(9_990).unwrap().len(), 10);
        assert!(log.is_in_order(10_000));
    }

    #[test]
    fn a_revision_that_outgrows_the_log_is_not_half_told() {
        let mut log = Changed::after(0);
        for instance in 0..2_000 {
            log.note(1, instance_id(instance), 10);
        }
        assert_eq!(log.since(0), None);
        assert_eq!(log.since(1), Some(vec![]));
    }
}
