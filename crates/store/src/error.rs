//! Why the state cannot be read or written.

use std::path::PathBuf;

/// Why the store cannot be used. Cheap to clone: every caller of a failed batch gets one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error(
        "{} is in use by another process; stop that one, or choose another data directory",
        .0.display()
    )]
    InUse(PathBuf),
    /// The journal failed; nothing is acknowledged any more.
    #[error("the state cannot be read or saved: {0}")]
    Journal(String),
    /// A record cannot be understood.
    #[error(
        "the record {key} of the state cannot be understood: {reason}; restore a copy of the data \
         directory, or use the version that wrote it"
    )]
    Corrupt {
        /// The record's key, readable.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store takes no more updates, since it was shut down or an earlier commit failed.
    #[error("the state takes no more changes: {reason}")]
    Closed {
        /// Which of the two, in words.
        reason: String,
    },
}
