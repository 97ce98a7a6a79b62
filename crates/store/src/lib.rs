//! Durable state: a snapshot to read, transactions to write, changes to watch, over a journal.
//!
//! `update` runs on the newest state in memory, joins the batch that waits, and is answered when
//! that batch is on disk; readers and watchers see only what is durable. One thread owns the
//! journal and drains what waits into one commit, so throughput is a matter of batch size and not
//! of the disk's sync time. A commit that fails closes the store for good: nothing that was built
//! on it is ever acknowledged.

mod change;
mod codec;
mod committer;
mod error;
pub mod journal;
pub mod snapshot;
mod state;
mod store;
mod table;
mod tx;
mod watch;

pub use change::{Change, Commit};
pub use error::StoreError;
pub use journal::{Batch, EmbeddedJournal, Journal, JournalError, MemoryJournal};
pub use state::{ClusterCounts, State};
pub use store::Store;
pub use tx::Tx;
pub use watch::{Lagged, Watch};

#[cfg(test)]
mod testing;
