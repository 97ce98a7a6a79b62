//! The store: who may write when, and who is answered when.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use tokio::sync::{broadcast, watch};

use crate::change::{Change, Commit};
use crate::codec::Loader;
use crate::committer;
use crate::error::StoreError;
use crate::journal::Journal;
use crate::state::State;
use crate::tx::Tx;
use crate::watch::Watch;

/// How many commits a watcher may lag behind.
const WATCH_CAPACITY: usize = 1024;

/// What became of a batch; `None` while it waits.
type Outcome = Option<Result<(), StoreError>>;

/// The durable state. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// Ends the journal's thread with the last clone.
    _journal: Arc<JournalThread>,
}

struct Shared {
    writer: Mutex<Writer>,
    /// Present where updates commit by themselves, without a thread. Locked before `writer`.
    inline: Mutex<Option<Box<dyn Journal>>>,
    /// Wakes the journal's thread: something waits, or the store is shutting down.
    work: Condvar,
    durable: RwLock<Arc<State>>,
    commits: broadcast::Sender<Arc<Commit>>,
    closed: watch::Sender<Option<StoreError>>,
}

struct Writer {
    /// The newest state, perhaps not durable yet.
    head: State,
    /// What is to be committed next.
    waiting: Waiting,
    /// The outcome of the batch that is being committed.
    committing: Option<watch::Receiver<Outcome>>,
    /// Set once nothing can be written any more.
    refused: Option<StoreError>,
}

struct Waiting {
    changes: Vec<Change>,
    outcome: watch::Sender<Outcome>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { changes: Vec::new(), outcome: watch::Sender::new(None) }
    }
}

impl Store {
    /// Reads the journal and starts the thread that writes it.
    pub fn open(mut journal: impl Journal) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::load(&mut journal)?);
        let thread = thread::Builder::new().name("journal".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.commit_until_closed(&mut journal)
        });
        let thread = thread.map_err(|error| StoreError::Journal(error.to_string()))?;
        let thread = JournalThread { shared: Arc::clone(&shared), thread: Some(thread) };
        Ok(Self { shared, _journal: Arc::new(thread) })
    }

    /// Reads the journal; each update commits by itself before it returns. For the simulation,
    /// where nothing may happen beside the clock.
    pub fn open_inline(mut journal: impl Journal) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::load(&mut journal)?);
        *shared.inline() = Some(Box::new(journal));
        let thread = JournalThread { shared: Arc::clone(&shared), thread: None };
        Ok(Self { shared, _journal: Arc::new(thread) })
    }

    /// The durable state as of now. Never waits for a writer's disk.
    pub fn view(&self) -> Arc<State> {
        Arc::clone(&self.shared.durable.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a transaction on the newest state. Its error undoes it; its success is given back once
    /// it is durable and visible to readers. One that changes nothing waits for what it may have
    /// read, so that nothing is ever shown that a crash could take back.
    pub async fn update<T, E>(
        &self,
        transaction: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let (value, outcome) = self.shared.run(transaction)?;
        if let Some(mut outcome) = outcome {
            let settled = outcome.wait_for(Option::is_some).await.map(|it| it.clone());
            settled.ok().flatten().unwrap_or(Err(StoreError::Closed))?;
        }
        Ok(value)
    }

    /// The commits from now on.
    pub fn watch(&self) -> Watch {
        Watch::new(self.shared.commits.subscribe())
    }

    /// Waits until a commit has failed, and says why. Nothing is acknowledged after it.
    pub async fn closed(&self) -> StoreError {
        let mut closed = self.shared.closed.subscribe();
        let reason = closed.wait_for(Option::is_some).await.map(|it| it.clone());
        reason.ok().flatten().unwrap_or(StoreError::Closed)
    }

    /// Takes no more updates and waits until what was taken is durable.
    pub async fn shutdown(&self) {
        let outcome = {
            let mut writer = self.shared.writer();
            writer.refused.get_or_insert(StoreError::Closed);
            self.shared.work.notify_all();
            writer.newest()
        };
        if let Some(mut outcome) = outcome {
            let _ = outcome.wait_for(Option::is_some).await;
        }
    }
}

impl Writer {
    /// The outcome of the newest batch that is not durable yet, if there is one.
    fn newest(&self) -> Option<watch::Receiver<Outcome>> {
        if self.waiting.changes.is_empty() {
            self.committing.clone()
        } else {
            Some(self.waiting.outcome.subscribe())
        }
    }
}

impl Shared {
    fn load(journal: &mut dyn Journal) -> Result<Self, StoreError> {
        let mut loader = Loader::default();
        let revision = journal.load(&mut |key, value| loader.take(key, value))?;
        let state = loader.finish(revision);
        Ok(Self {
            writer: Mutex::new(Writer {
                head: state.clone(),
                waiting: Waiting::default(),
                committing: None,
                refused: None,
            }),
            inline: Mutex::new(None),
            work: Condvar::new(),
            durable: RwLock::new(Arc::new(state)),
            commits: broadcast::Sender::new(WATCH_CAPACITY),
            closed: watch::Sender::new(None),
        })
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inline(&self) -> MutexGuard<'_, Option<Box<dyn Journal>>> {
        self.inline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a transaction; its outcome is still to be waited for where there is one.
    fn run<T, E: From<StoreError>>(
        &self,
        transaction: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<(T, Option<watch::Receiver<Outcome>>), E> {
        let mut inline = self.inline();
        let mut writer = self.writer();
        if let Some(reason) = &writer.refused {
            return Err(reason.clone().into());
        }
        let mut changes = Vec::new();
        let mut tx = Tx::new(writer.head.clone(), &mut changes);
        let value = match catch_unwind(AssertUnwindSafe(|| transaction(&mut tx))) {
            Ok(outcome) => outcome?,
            Err(panic) => {
                drop((writer, inline));
                resume_unwind(panic);
            }
        };
        let mut head = tx.into_state();
        if changes.is_empty() {
            return Ok((value, writer.newest()));
        }
        head.revision += 1;
        writer.head = head;
        writer.waiting.changes.append(&mut changes);
        let outcome = writer.waiting.outcome.subscribe();
        match &mut *inline {
            None => self.work.notify_all(),
            Some(journal) => {
                let waiting = std::mem::take(&mut writer.waiting);
                let state = writer.head.clone();
                drop(writer);
                self.commit(&mut **journal, state, waiting);
            }
        }
        Ok((value, Some(outcome)))
    }

    /// The journal's thread: until nothing waits and nothing more is taken.
    fn commit_until_closed(&self, journal: &mut dyn Journal) {
        loop {
            let (state, waiting) = {
                let mut writer = self.writer();
                while writer.waiting.changes.is_empty() {
                    if writer.refused.is_some() {
                        return;
                    }
                    writer = self.work.wait(writer).unwrap_or_else(PoisonError::into_inner);
                }
                let waiting = std::mem::take(&mut writer.waiting);
                writer.committing = Some(waiting.outcome.subscribe());
                (writer.head.clone(), waiting)
            };
            if !self.commit(journal, state, waiting) {
                return;
            }
        }
    }

    /// Commits one batch, then shows it; says whether that worked. Failure closes the store.
    fn commit(&self, journal: &mut dyn Journal, state: State, waiting: Waiting) -> bool {
        let Waiting { changes, outcome } = waiting;
        let revision = state.revision;
        match committer::commit(journal, revision, &changes) {
            Ok(()) => {
                *self.durable.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
                let _ = self.commits.send(Arc::new(Commit { revision, changes }));
                outcome.send_replace(Some(Ok(())));
                true
            }
            Err(error) => {
                tracing::error!(%error, "a commit failed; nothing is acknowledged any more");
                let mut writer = self.writer();
                writer.refused = Some(error.clone());
                let built_on_it = std::mem::take(&mut writer.waiting);
                built_on_it.outcome.send_replace(Some(Err(error.clone())));
                outcome.send_replace(Some(Err(error.clone())));
                self.closed.send_replace(Some(error));
                false
            }
        }
    }
}

/// Ends the thread when the last clone of the store goes, once what was taken is durable.
struct JournalThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for JournalThread {
    fn drop(&mut self) {
        self.shared.writer().refused.get_or_insert(StoreError::Closed);
        self.shared.work.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
