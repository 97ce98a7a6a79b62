//! The journal's side of the store: one batch after another, each published once it is durable.

use std::collections::HashMap;

use crate::change::Change;
use crate::codec;
use crate::error::StoreError;
use crate::journal::{Batch, Journal};

/// Writes what a batch of updates leaves: of several changes of one record, the last.
pub(crate) fn commit(
    journal: &mut dyn Journal,
    revision: u64,
    changes: &[Change],
) -> Result<(), StoreError> {
    let mut last: HashMap<Vec<u8>, &Change> = HashMap::with_capacity(changes.len());
    for change in changes {
        last.insert(codec::key(change), change);
    }
    let mut records = last
        .into_iter()
        .map(|(key, change)| Ok((key, codec::value(change)?)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    records.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    Ok(journal.commit(&Batch { revision, records })?)
}
