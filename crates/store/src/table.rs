//! A table: shared records in the order of their keys, copied on write.
//!
//! A search tree spends two allocations and about 100 bytes on each record. Here the tree holds
//! leaves of up to 32 records instead, which costs 8 to 16 bytes a record. Keys rise with time, so
//! the last leaf is filled up and left behind full. A leaf that loses records is not joined with
//! its neighbours: at worst there is one record in each, as in an ordinary tree.

use std::ops::{Bound, RangeTo};
use std::sync::Arc;

use longshore_model::{ContainerInstance, InstanceId, Task, TaskId, Timestamp};
use rpds::RedBlackTreeMapSync;

/// The most records in a leaf.
const LEAF: usize = 32;

/// Where the last leaf is cut when it is full: the rest is room for keys made out of turn.
const LAST_LEAF: usize = LEAF - LEAF / 8;

/// What records are found by, and in which order they are.
pub(crate) trait Order<R> {
    /// What one record has and no other one does.
    type Key: Ord + Copy;

    /// That of a record, for as long as it is in the table.
    fn key(record: &R) -> Self::Key;
}

/// By their ids, which is in the order of their creation.
pub(crate) enum ById {}

impl Order<Task> for ById {
    type Key = TaskId;

    fn key(task: &Task) -> TaskId {
        task.id
    }
}

impl Order<ContainerInstance> for ById {
    type Key = InstanceId;

    fn key(instance: &ContainerInstance) -> InstanceId {
        instance.id
    }
}

/// By when all of them had ended.
pub(crate) enum ByEnd {}

impl Order<Task> for ByEnd {
    type Key = (Option<Timestamp>, TaskId);

    fn key(task: &Task) -> Self::Key {
        (task.ended_at(), task.id)
    }
}

/// Records in the order of their keys; never empty.
type Leaf<R> = Arc<[Arc<R>]>;

/// A table of records. A clone shares everything.
pub(crate) struct Table<R, O: Order<R> = ById> {
    /// By a bound that is not above the leaf's keys, and above those of the leaf before.
    leaves: RedBlackTreeMapSync<O::Key, Leaf<R>>,
    len: usize,
}

impl<R, O: Order<R>> Clone for Table<R, O> {
    fn clone(&self) -> Self {
        Self { leaves: self.leaves.clone(), len: self.len }
    }
}

impl<R, O: Order<R>> Default for Table<R, O> {
    fn default() -> Self {
        Self { leaves: RedBlackTreeMapSync::new_sync(), len: 0 }
    }
}

impl<R, O: Order<R>> Table<R, O> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: O::Key) -> Option<&Arc<R>> {
        let leaf = self.leaves.get(&self.bound(key)?)?;
        leaf.get(find::<R, O>(leaf, key).ok()?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<R>> {
        self.leaves.values().flat_map(|it| it.iter())
    }

    /// The records whose keys are above this one, or all of them.
    pub(crate) fn after(&self, key: Option<O::Key>) -> impl Iterator<Item = &Arc<R>> {
        let first = key.map(|key| self.bound(key).unwrap_or(key));
        let first = first.map_or(Bound::Unbounded, Bound::Included);
        let leaves = self.leaves.range((first, Bound::Unbounded)).map(|(_, leaf)| leaf);
        leaves
            .flat_map(|it| it.iter())
            .skip_while(move |it| key.is_some_and(|key| O::key(it) <= key))
    }

    /// The records whose keys are below this one.
    pub(crate) fn below(&self, key: O::Key) -> impl Iterator<Item = &Arc<R>> {
        let leaves = self.leaves.range::<O::Key, RangeTo<_>>(..key).map(|(_, leaf)| leaf);
        leaves.flat_map(|it| it.iter()).take_while(move |it| O::key(it) < key)
    }

    /// Puts a record in place of the one of its key.
    pub(crate) fn put(&mut self, record: Arc<R>) {
        let key = O::key(&record);
        let Some(bound) = self.bound(key).or_else(|| self.lower_first_bound(key)) else {
            self.leaves.insert_mut(key, Arc::new([record]));
            self.len += 1;
            return;
        };
        let last = self.leaves.last().is_some_and(|(it, _)| *it == bound);
        let Some(leaf) = self.leaves.get_mut(&bound) else { return };
        match find::<R, O>(leaf, key) {
            Ok(at) => replace(leaf, at, record),
            Err(at) => {
                let (before, after) = leaf.split_at_checked(at).unwrap_or((leaf, &[]));
                let mut records: Vec<_> = before.to_vec();
                records.push(record);
                records.extend_from_slice(after);
                let rest = (records.len() > LEAF)
                    .then(|| records.split_off(if last { LAST_LEAF } else { LEAF / 2 }));
                *leaf = records.into();
                if let Some(rest) = rest
                    && let Some(first) = rest.first()
                {
                    self.leaves.insert_mut(O::key(first), rest.into());
                }
                self.len += 1;
            }
        }
    }

    /// Removes a record, if it is there.
    pub(crate) fn remove(&mut self, key: O::Key) {
        let Some(bound) = self.bound(key) else { return };
        let Some(leaf) = self.leaves.get_mut(&bound) else { return };
        if find::<R, O>(leaf, key).is_err() {
            return;
        }
        *leaf = leaf.iter().filter(|it| O::key(it) != key).map(Arc::clone).collect();
        if leaf.is_empty() {
            self.leaves.remove_mut(&bound);
        }
        self.len -= 1;
    }

    /// The bound of the leaf in which a key is, if it is anywhere.
    fn bound(&self, key: O::Key) -> Option<O::Key> {
        self.leaves.range(..=key).next_back().map(|(bound, _)| *bound)
    }

    /// Makes the first leaf the one for a key that is below all bounds.
    fn lower_first_bound(&mut self, key: O::Key) -> Option<O::Key> {
        let (bound, leaf) = self.leaves.first().map(|(bound, leaf)| (*bound, Arc::clone(leaf)))?;
        self.leaves.remove_mut(&bound);
        self.leaves.insert_mut(key, leaf);
        Some(key)
    }
}

/// Where in its leaf a record is, or would be.
fn find<R, O: Order<R>>(leaf: &[Arc<R>], key: O::Key) -> Result<usize, usize> {
    leaf.binary_search_by(|it| O::key(it).cmp(&key))
}

fn replace<R>(leaf: &mut Leaf<R>, at: usize, record: Arc<R>) {
    if let Some(place) = Arc::make_mut(leaf).get_mut(at) {
        *place = record;
    }
}

#[cfg(test)]
mod tests;
