//! Records in one file on this machine's disk, by redb.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, TableError,
};

use super::{Batch, Journal, JournalError, Take};
use crate::error::StoreError;

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const REVISION: &str = "revision";

/// Pages kept in memory. The state itself is, so this serves writing only: what the tasks of the
/// moment lie in. Four times as much saves a tenth of the time of a commit.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// A journal in one file; one process has it open at a time.
pub struct EmbeddedJournal {
    path: PathBuf,
    database: Database,
}

impl EmbeddedJournal {
    /// Opens the file, or makes it. A file that was not closed properly is repaired, and one that
    /// is damaged is refused.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        if !path.exists() {
            make(path)?;
        }
        Self::open_by(path, |builder| builder.open(path))
    }

    /// A journal on another kind of storage, such as one that fails when a test wants it to.
    pub fn on(backend: impl StorageBackend) -> Result<Self, JournalError> {
        Self::open_by(Path::new("journal"), |builder| builder.create_with_backend(backend))
    }

    fn open_by(
        path: &Path,
        open: impl FnOnce(&mut Builder) -> Result<Database, DatabaseError>,
    ) -> Result<Self, JournalError> {
        let path = path.to_path_buf();
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        // Of a damaged file redb says that it may panic.
        match catch_unwind(AssertUnwindSafe(|| open(&mut builder))) {
            Ok(Ok(database)) => Ok(Self { path, database }),
            Ok(Err(DatabaseError::DatabaseAlreadyOpen)) => Err(JournalError::InUse(path)),
            Ok(Err(error)) => Err(JournalError::File { path, reason: error.to_string() }),
            Err(_panic) => Err(JournalError::File { path, reason: "it is damaged".into() }),
        }
    }

    fn failed(&self, error: &redb::Error) -> JournalError {
        JournalError::File { path: self.path.clone(), reason: error.to_string() }
    }

    /// Gives the revision found, and writes the batch if it follows that one.
    fn write(&self, batch: &Batch) -> Result<u64, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        let found = {
            let mut meta = transaction.open_table(META)?;
            let before = meta.insert(REVISION, batch.revision)?;
            before.map_or(0, |it| it.value())
        };
        if found != batch.follows {
            transaction.abort()?;
            return Ok(found);
        }
        {
            let mut records = transaction.open_table(RECORDS)?;
            for (key, value) in &batch.records {
                match value {
                    Some(value) => records.insert(key.as_slice(), value.as_slice())?,
                    None => records.remove(key.as_slice())?,
                };
            }
        }
        transaction.commit()?;
        Ok(found)
    }

    fn read(&self, take: Take<'_>) -> Result<Result<u64, StoreError>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let meta = match transaction.open_table(META) {
            Ok(meta) => meta,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Ok(0)),
            Err(error) => return Err(error.into()),
        };
        for entry in transaction.open_table(RECORDS)?.iter()? {
            let (key, value) = entry?;
            if let Err(error) = take(key.value(), value.value()) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(meta.get(REVISION)?.map_or(0, |it| it.value())))
    }
}

/// Makes a file. It has another name until it is complete, since one whose making was cut short
/// cannot be opened; and it takes the place of no file that another process has made meanwhile.
fn make(path: &Path) -> Result<(), JournalError> {
    let failed = |error: io::Error| JournalError::File {
        path: path.to_path_buf(),
        reason: format!("it cannot be made: {error}"),
    };
    let unfinished = path.with_added_extension(format!("{}.new", std::process::id()));
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    drop(EmbeddedJournal::open_by(&unfinished, |builder| builder.create(&unfinished))?);
    match fs::hard_link(&unfinished, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            // A file system without links; there nothing keeps two processes apart here.
            fs::rename(&unfinished, path).map_err(failed)?;
        }
        _ => fs::remove_file(&unfinished).map_err(failed)?,
    }
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
    let directory = File::open(directory.unwrap_or(Path::new("."))).map_err(failed)?;
    directory.sync_all().map_err(failed)
}

impl Journal for EmbeddedJournal {
    fn load(&mut self, take: Take<'_>) -> Result<u64, StoreError> {
        self.read(take).map_err(|error| self.failed(&error))?
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), JournalError> {
        match self.write(batch).map_err(|error| self.failed(&error))? {
            found if found == batch.follows => Ok(()),
            found => Err(JournalError::Superseded { expected: batch.follows, found }),
        }
    }
}
