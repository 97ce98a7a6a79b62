//! Why the state cannot be read or written.

use std::path::PathBuf;

/// Why the store cannot be used. Cheap to clone: every caller of a failed batch gets one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error(
        "{} is in use by another process; stop that one, or choose another data directory", .0.display()
    )]
    InUse(PathBuf),
    /// The journal failed; nothing is acknowledged any more.
    #[error("the state cannot be saved: {0}")]
    Journal(String),
    /// A record cannot be understood.
    #[error("the record {key} in the state is damaged or of a newer version: {reason}")]
    Corrupt {
        /// The record's key, readable.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store was shut down.
    #[error("the store is closed")]
    Closed,
}
