//! Why a snapshot cannot be read.

use std::io;

/// Why a snapshot cannot be read. Offsets are in bytes from the file's beginning.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    /// It begins otherwise.
    #[error("it is no snapshot of Longshore's: it does not begin with `longshore-snapshot`")]
    NotASnapshot,
    /// It is in a form that is not known here.
    #[error("its form has the version {0:?}, and this Longshore reads version 1")]
    OtherVersion(String),
    /// It ends before its last line.
    #[error("it is cut: it ends at byte {offset}, before its last line does")]
    Cut {
        /// Its length.
        offset: u64,
    },
    /// A line is not what was written, or not where.
    #[error("it is damaged at byte {offset}, or in what precedes it: {reason}")]
    Damaged {
        /// Where the line begins.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A line is as it was written, and makes no sense here.
    #[error("what it says at byte {offset} cannot be understood: {reason}")]
    Record {
        /// Where the line begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
}
