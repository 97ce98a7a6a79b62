//! Following what becomes durable.

use std::sync::Arc;

use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::change::Commit;

/// The watcher was too slow and missed commits: it must look at the whole state again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("commits were missed; look at the whole state again")]
pub struct Lagged;

/// The commits from some moment on.
pub struct Watch {
    commits: Receiver<Arc<Commit>>,
}

impl Watch {
    pub(crate) fn new(commits: Receiver<Arc<Commit>>) -> Self {
        Self { commits }
    }

    /// The next commit, already durable and visible. Waits for ever once the store is gone.
    ///
    /// # Errors
    /// [`Lagged`] when commits were missed. A view taken after it holds all of them, and this
    /// goes on with those that come later; some of these may be in that view already.
    pub async fn next(&mut self) -> Result<Arc<Commit>, Lagged> {
        match self.commits.recv().await {
            Ok(commit) => Ok(commit),
            Err(RecvError::Lagged(_)) => {
                self.commits = self.commits.resubscribe();
                Err(Lagged)
            }
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
