//! Records in one file on this machine's disk, by redb.

use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError, ReadableTable, StorageBackend, TableDefinition};

use super::{Batch, Journal, JournalError, Take};
use crate::error::StoreError;

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const REVISION: &str = "revision";

/// Pages kept in memory. The state itself is, so this serves writing only.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// A journal in one file; one process has it open at a time.
pub struct EmbeddedJournal {
    path: PathBuf,
    database: Database,
}

impl EmbeddedJournal {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let path = path.to_path_buf();
        match Builder::new().set_cache_size(CACHE_BYTES).create(&path) {
            Ok(database) => Ok(Self { path, database }),
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(JournalError::InUse(path)),
            Err(error) => Err(JournalError::File { path, reason: error.to_string() }),
        }
    }

    /// A journal on another kind of storage, such as one that fails when a test wants it to.
    pub fn on(backend: impl StorageBackend) -> Result<Self, JournalError> {
        let path = PathBuf::from("journal");
        match Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend) {
            Ok(database) => Ok(Self { path, database }),
            Err(error) => Err(JournalError::File { path, reason: error.to_string() }),
        }
    }

    fn failed(&self, error: impl Into<redb::Error>) -> JournalError {
        JournalError::File { path: self.path.clone(), reason: error.into().to_string() }
    }

    fn write(&self, batch: &Batch) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut records = transaction.open_table(RECORDS)?;
            for (key, value) in &batch.records {
                match value {
                    Some(value) => records.insert(key.as_slice(), value.as_slice())?,
                    None => records.remove(key.as_slice())?,
                };
            }
            transaction.open_table(META)?.insert(REVISION, batch.revision)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Makes the tables of a new file, so that reading finds them.
    fn make_tables(&self) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(RECORDS)?;
        transaction.open_table(META)?;
        transaction.commit()?;
        Ok(())
    }
}

impl Journal for EmbeddedJournal {
    fn load(&mut self, take: Take<'_>) -> Result<u64, StoreError> {
        let failed = |error: redb::Error| StoreError::from(self.failed(error));
        self.make_tables().map_err(failed)?;
        let transaction = redb::ReadableDatabase::begin_read(&self.database)
            .map_err(|error| failed(error.into()))?;
        let records = transaction.open_table(RECORDS).map_err(|error| failed(error.into()))?;
        for entry in records.iter().map_err(|error| failed(error.into()))? {
            let (key, value) = entry.map_err(|error| failed(error.into()))?;
            take(key.value(), value.value())?;
        }
        let meta = transaction.open_table(META).map_err(|error| failed(error.into()))?;
        let revision = meta.get(REVISION).map_err(|error| failed(error.into()))?;
        Ok(revision.map_or(0, |it| it.value()))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), JournalError> {
        self.write(batch).map_err(|error| self.failed(error))
    }
}
