//! Where the records are kept: the seam under the store.

mod embedded;
mod memory;

use std::path::PathBuf;

pub use embedded::EmbeddedJournal;
pub use memory::MemoryJournal;

use crate::error::StoreError;

/// Takes a record's key and value in.
pub type Take<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// A record's key and its new value; `None` removes it.
pub type Record = (Vec<u8>, Option<Vec<u8>>);

/// Records that become durable together, or not at all.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The revision of the batch before this one; 0 when there was none.
    pub follows: u64,
    /// The revision of the state with them.
    pub revision: u64,
    /// In the order of their keys, each once.
    pub records: Vec<Record>,
}

/// Keeps records durably. Called by one thread at a time.
pub trait Journal: Send + 'static {
    /// Gives every record in the order of its key, and then the revision of the last batch: 0 when
    /// there was none.
    fn load(&mut self, take: Take<'_>) -> Result<u64, StoreError>;

    /// Makes a batch durable, if the last one is the one that it follows. After an error the
    /// journal is not used again, and the batch is there as a whole or not at all.
    fn commit(&mut self, batch: &Batch) -> Result<(), JournalError>;
}

/// Why records cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Another process has the file open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The file cannot be opened, read or written.
    #[error("{}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// Something else has written since: two servers share one state.
    #[error("another server has changed the state: revision {found} was found, not {expected}")]
    Superseded {
        /// The revision that this server built on.
        expected: u64,
        /// The revision that is there.
        found: u64,
    },
}

impl From<JournalError> for StoreError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::InUse(path) => Self::InUse(path),
            JournalError::File { .. } | JournalError::Superseded { .. } => {
                Self::Journal(error.to_string())
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod disk;
#[cfg(test)]
mod tests;
