//! Records in memory: for tests and the simulation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Batch, Journal, JournalError, Take};
use crate::error::StoreError;

/// Records that last as long as some clone of it: opening a store on another clone is a restart.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    revision: u64,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryJournal {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn load(&mut self, take: Take<'_>) -> Result<u64, StoreError> {
        let kept = self.kept();
        for (key, value) in &kept.records {
            take(key, value)?;
        }
        Ok(kept.revision)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), JournalError> {
        let mut kept = self.kept();
        if kept.revision != batch.follows {
            let (expected, found) = (batch.follows, kept.revision);
            return Err(JournalError::Superseded { expected, found });
        }
        for (key, value) in &batch.records {
            match value {
                Some(value) => kept.records.insert(key.clone(), value.clone()),
                None => kept.records.remove(key),
            };
        }
        kept.revision = batch.revision;
        Ok(())
    }
}
