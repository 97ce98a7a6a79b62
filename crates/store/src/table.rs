//! A table: shared records in the order of their ids, copied on write.
//!
//! A search tree spends two allocations and about 100 bytes on each record. Here the tree holds
//! leaves of up to 32 records instead, which costs 8 to 16 bytes a record. Ids rise with time, so
//! the last leaf is filled up and left behind full. A leaf that loses records is not joined with
//! its neighbours: at worst there is one record in each, as in an ordinary tree.

use std::ops::Bound;
use std::sync::Arc;

use longshore_model::{ContainerInstance, InstanceId, Task, TaskId};
use rpds::RedBlackTreeMapSync;

/// The most records in a leaf.
const LEAF: usize = 32;

/// Where the last leaf is cut when it is full: the rest is room for ids made out of turn.
const LAST_LEAF: usize = LEAF - LEAF / 8;

/// What a table can hold.
pub(crate) trait Record {
    /// What it is found by.
    type Id: Ord + Copy;

    /// Its id, which never changes.
    fn id(&self) -> Self::Id;
}

impl Record for Task {
    type Id = TaskId;

    fn id(&self) -> TaskId {
        self.id
    }
}

impl Record for ContainerInstance {
    type Id = InstanceId;

    fn id(&self) -> InstanceId {
        self.id
    }
}

/// Records in the order of their ids; never empty.
type Leaf<R> = Arc<[Arc<R>]>;

/// A table of records. A clone shares everything.
pub(crate) struct Table<R: Record> {
    /// By a bound that is not above the leaf's ids, and above those of the leaf before.
    leaves: RedBlackTreeMapSync<R::Id, Leaf<R>>,
    len: usize,
}

impl<R: Record> Clone for Table<R> {
    fn clone(&self) -> Self {
        Self { leaves: self.leaves.clone(), len: self.len }
    }
}

impl<R: Record> Default for Table<R> {
    fn default() -> Self {
        Self { leaves: RedBlackTreeMapSync::new_sync(), len: 0 }
    }
}

impl<R: Record> Table<R> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, id: R::Id) -> Option<&Arc<R>> {
        let leaf = self.leaves.get(&self.bound(id)?)?;
        leaf.get(find(leaf, id).ok()?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<R>> {
        self.leaves.values().flat_map(|it| it.iter())
    }

    /// The records whose ids are above this one, or all of them.
    pub(crate) fn after(&self, id: Option<R::Id>) -> impl Iterator<Item = &Arc<R>> {
        let first = id.map(|id| self.bound(id).unwrap_or(id));
        let first = first.map_or(Bound::Unbounded, Bound::Included);
        let leaves = self.leaves.range((first, Bound::Unbounded)).map(|(_, leaf)| leaf);
        leaves.flat_map(|it| it.iter()).skip_while(move |it| id.is_some_and(|id| it.id() <= id))
    }

    /// Puts a record in place of the one of its id.
    pub(crate) fn put(&mut self, record: Arc<R>) {
        let id = record.id();
        let Some(bound) = self.bound(id).or_else(|| self.lower_first_bound(id)) else {
            self.leaves.insert_mut(id, Arc::new([record]));
            self.len += 1;
            return;
        };
        let last = self.leaves.last().is_some_and(|(it, _)| *it == bound);
        let Some(leaf) = self.leaves.get_mut(&bound) else { return };
        match find(leaf, id) {
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
                    self.leaves.insert_mut(first.id(), rest.into());
                }
                self.len += 1;
            }
        }
    }

    /// Removes a record, if it is there.
    pub(crate) fn remove(&mut self, id: R::Id) {
        let Some(bound) = self.bound(id) else { return };
        let Some(leaf) = self.leaves.get_mut(&bound) else { return };
        if find(leaf, id).is_err() {
            return;
        }
        *leaf = leaf.iter().filter(|it| it.id() != id).map(Arc::clone).collect();
        if leaf.is_empty() {
            self.leaves.remove_mut(&bound);
        }
        self.len -= 1;
    }

    /// The bound of the leaf in which an id is, if it is anywhere.
    fn bound(&self, id: R::Id) -> Option<R::Id> {
        self.leaves.range(..=id).next_back().map(|(bound, _)| *bound)
    }

    /// Makes the first leaf the one for an id that is below all bounds.
    fn lower_first_bound(&mut self, id: R::Id) -> Option<R::Id> {
        let (bound, leaf) = self.leaves.first().map(|(bound, leaf)| (*bound, Arc::clone(leaf)))?;
        self.leaves.remove_mut(&bound);
        self.leaves.insert_mut(id, leaf);
        Some(id)
    }
}

/// Where in its leaf a record is, or would be.
fn find<R: Record>(leaf: &[Arc<R>], id: R::Id) -> Result<usize, usize> {
    leaf.binary_search_by(|it| it.id().cmp(&id))
}

fn replace<R>(leaf: &mut Leaf<R>, at: usize, record: Arc<R>) {
    if let Some(place) = Arc::make_mut(leaf).get_mut(at) {
        *place = record;
    }
}

#[cfg(test)]
mod tests;
