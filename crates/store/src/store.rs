//! The handle by which everything reads, writes and follows the state.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::watch;

use crate::codec::Loader;
use crate::committer::{Committer, Outcome};
use crate::error::StoreError;
use crate::journal::Journal;
use crate::state::State;
use crate::tx::Tx;
use crate::watch::Watch;

/// The durable state. Clones are the same store; with the last of them the journal is closed.
#[derive(Clone)]
pub struct Store {
    committer: Arc<Committer>,
    writing: Arc<Writing>,
}

/// Who commits.
enum Writing {
    /// A thread, until it is told that nothing more will come.
    Thread {
        committer: Arc<Committer>,
        /// Becomes true when the thread has let go of the journal.
        ended: watch::Receiver<bool>,
        thread: Option<thread::JoinHandle<()>>,
    },
    /// Each update by itself; `None` after shutdown.
    Inline(Mutex<Option<Box<dyn Journal>>>),
}

impl Store {
    /// Reads the journal and starts the thread that writes it.
    pub fn open(mut journal: impl Journal) -> Result<Self, StoreError> {
        let committer = Arc::new(Committer::new(load(&mut journal)?));
        let (end, ended) = watch::channel(false);
        let thread = thread::Builder::new().name("journal".into()).spawn({
            let committer = Arc::clone(&committer);
            move || {
                committer.commit_until_refused(&mut journal);
                drop(journal);
                end.send_replace(true);
            }
        });
        let thread = thread.map_err(|error| {
            StoreError::Journal(format!("its thread cannot be started: {error}"))
        })?;
        let writing =
            Writing::Thread { committer: Arc::clone(&committer), ended, thread: Some(thread) };
        Ok(Self { committer, writing: Arc::new(writing) })
    }

    /// Reads the journal; each update commits by itself before it returns. For the simulation,
    /// where nothing may happen beside the clock.
    pub fn open_inline(mut journal: impl Journal) -> Result<Self, StoreError> {
        let committer = Arc::new(Committer::new(load(&mut journal)?));
        let writing = Writing::Inline(Mutex::new(Some(Box::new(journal))));
        Ok(Self { committer, writing: Arc::new(writing) })
    }

    /// The durable state as of now. Never waits for a writer's disk, and never changes.
    pub fn view(&self) -> Arc<State> {
        self.committer.view()
    }

    /// Runs a transaction on the newest state. Its error, or a panic in it, undoes it; its success
    /// becomes durable together with what else waits. It has run when this returns, so that of two
    /// updates the one called first comes first.
    ///
    /// Whatever it gives is given back once everything that it saw or wrote is durable and visible
    /// to readers, so that nothing is ever told that a crash could take back. Dropping the future
    /// does not take the update back.
    ///
    /// # Errors
    /// The transaction's own, or a [`StoreError`] when the state cannot be saved.
    pub fn update<T, E>(
        &self,
        transaction: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> impl Future<Output = Result<T, E>>
    where
        E: From<StoreError>,
    {
        let (given, outcome) = self.committer.run(transaction);
        if let Writing::Inline(journal) = &*self.writing
            && let Some(journal) = lock(journal).as_deref_mut()
        {
            self.committer.commit_waiting(journal);
        }
        async {
            if let Some(outcome) = outcome {
                settled(outcome).await?;
            }
            given
        }
    }

    /// The commits from now on.
    pub fn watch(&self) -> Watch {
        Watch::new(self.committer.commits.subscribe())
    }

    /// How many commits there were since it was opened. One holds all updates that waited for it.
    pub fn commits(&self) -> u64 {
        self.committer.committed.load(Ordering::Relaxed)
    }

    /// Waits until a commit has failed, and says why. Nothing is acknowledged after it.
    pub async fn closed(&self) -> StoreError {
        let mut failed = self.committer.failed.subscribe();
        let reason = failed.wait_for(Option::is_some).await.map(|it| it.clone());
        reason.ok().flatten().unwrap_or_else(shut_down)
    }

    /// Takes no more updates, waits until what was taken is durable, and lets go of the journal.
    /// The last view stays.
    pub async fn shutdown(&self) {
        if let Some(outcome) = self.committer.refuse(shut_down()) {
            // It is told to those whose updates are in it.
            let _ = settled(outcome).await;
        }
        match &*self.writing {
            Writing::Inline(journal) => *lock(journal) = None,
            Writing::Thread { ended, .. } => {
                // The sender is gone only when the thread is.
                let _ = ended.clone().wait_for(|it| *it).await;
            }
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Self::Thread { committer, thread, .. } = self {
            committer.refuse(shut_down());
            if let Some(thread) = thread.take() {
                // It catches panics, and what it failed to save it has reported.
                let _ = thread.join();
            }
        }
    }
}

fn load(journal: &mut dyn Journal) -> Result<State, StoreError> {
    let mut loader = Loader::default();
    let revision = journal.load(&mut |key, value| loader.take(key, value))?;
    Ok(loader.finish(revision))
}

/// What became of a batch. Where that is known it is told at once, which tokio's own wait does not
/// promise to a task that has run for long.
async fn settled(mut outcome: watch::Receiver<Outcome>) -> Result<(), StoreError> {
    let known = outcome.borrow().clone();
    if let Some(known) = known {
        return known;
    }
    let told = outcome.wait_for(Option::is_some).await.map(|it| it.clone());
    told.ok().flatten().unwrap_or_else(|| Err(shut_down()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shut_down() -> StoreError {
    StoreError::Closed { reason: "it was shut down".into() }
}

#[cfg(test)]
mod tests;
