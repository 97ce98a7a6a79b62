//! Who may write when, and who is answered when.
//!
//! Updates run one at a time on the newest state and join the batch that waits. Whoever holds the
//! journal takes that batch as a whole, makes it durable, shows it, and then answers all in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::{broadcast, watch};

use crate::change::{Change, Commit};
use crate::codec;
use crate::error::StoreError;
use crate::journal::{Batch, Journal, Record};
use crate::state::State;
use crate::tx::Tx;

/// How many commits a watcher may lag behind.
const WATCH_CAPACITY: usize = 1024;

/// What became of a batch; `None` while it waits or is being committed.
pub(crate) type Outcome = Option<Result<(), StoreError>>;

pub(crate) struct Committer {
    writer: Mutex<Writer>,
    /// Wakes whoever holds the journal: something waits, or nothing more will.
    work: Condvar,
    /// What readers see. Written after each commit.
    durable: RwLock<Arc<State>>,
    /// Every commit, once readers see it.
    pub(crate) commits: broadcast::Sender<Arc<Commit>>,
    /// How many there were since the store was opened.
    pub(crate) committed: AtomicU64,
    /// Set when a commit fails, never cleared.
    pub(crate) failed: watch::Sender<Option<StoreError>>,
}

struct Writer {
    /// The newest state, perhaps not durable yet.
    head: State,
    /// The revision of the newest durable state.
    durable_revision: u64,
    /// What is to be committed next.
    waiting: Waiting,
    /// The outcome of the batch that was taken last, which may be known already.
    taken: Option<watch::Receiver<Outcome>>,
    /// Set once nothing can be written any more, never cleared.
    refused: Option<StoreError>,
}

/// The updates that become durable together.
struct Waiting {
    changes: Vec<Change>,
    outcome: watch::Sender<Outcome>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { changes: Vec::new(), outcome: watch::Sender::new(None) }
    }
}

impl Writer {
    /// The outcome of everything that was written so far.
    fn newest(&self) -> Option<watch::Receiver<Outcome>> {
        if self.waiting.changes.is_empty() {
            self.taken.clone()
        } else {
            Some(self.waiting.outcome.subscribe())
        }
    }
}

impl Committer {
    pub(crate) fn new(loaded: State) -> Self {
        Self {
            writer: Mutex::new(Writer {
                head: loaded.clone(),
                durable_revision: loaded.revision(),
                waiting: Waiting::default(),
                taken: None,
                refused: None,
            }),
            work: Condvar::new(),
            durable: RwLock::new(Arc::new(loaded)),
            commits: broadcast::Sender::new(WATCH_CAPACITY),
            committed: AtomicU64::new(0),
            failed: watch::Sender::new(None),
        }
    }

    pub(crate) fn view(&self) -> Arc<State> {
        Arc::clone(&self.durable.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A panic in a transaction poisons this lock, but leaves what it guards as it was: the new
    /// state takes the place of the old one at the end.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a transaction on the newest state. What it gives may be told once the outcome of
    /// everything that it may have read or written is known.
    pub(crate) fn run<T, E: From<StoreError>>(
        &self,
        transaction: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> (Result<T, E>, Option<watch::Receiver<Outcome>>) {
        let mut writer = self.writer();
        if let Some(reason) = &writer.refused {
            return (Err(reason.clone().into()), None);
        }
        let mut changes = Vec::new();
        let mut tx = Tx::new(writer.head.clone(), &mut changes);
        let given = transaction(&mut tx);
        let mut head = tx.into_state();
        if given.is_ok() && !changes.is_empty() {
            head.set_revision(head.revision() + 1);
            writer.head = head;
            let is_first = writer.waiting.changes.is_empty();
            writer.waiting.changes.append(&mut changes);
            // With something waiting already, whoever holds the journal does not wait.
            if is_first {
                self.work.notify_one();
            }
        }
        (given, writer.newest())
    }

    /// Takes no more updates, and gives the outcome of those that were taken.
    pub(crate) fn refuse(&self, reason: StoreError) -> Option<watch::Receiver<Outcome>> {
        let mut writer = self.writer();
        writer.refused.get_or_insert(reason);
        self.work.notify_one();
        writer.newest()
    }

    /// Commits batch after batch, until nothing waits and nothing more is taken.
    pub(crate) fn commit_until_refused(&self, journal: &mut dyn Journal) {
        loop {
            let mut writer = self.writer();
            while writer.waiting.changes.is_empty() {
                if writer.refused.is_some() {
                    return;
                }
                writer = self.work.wait(writer).unwrap_or_else(PoisonError::into_inner);
            }
            drop(writer);
            self.commit_waiting(journal);
        }
    }

    /// Commits what waits, if anything does, then shows it and answers. Failure refuses all that
    /// comes later, and all that was built on it meanwhile.
    pub(crate) fn commit_waiting(&self, journal: &mut dyn Journal) {
        let (follows, state, Waiting { changes, outcome }) = {
            let mut writer = self.writer();
            if writer.waiting.changes.is_empty() {
                return;
            }
            let waiting = std::mem::take(&mut writer.waiting);
            writer.taken = Some(waiting.outcome.subscribe());
            (writer.durable_revision, writer.head.clone(), waiting)
        };
        let revision = state.revision();
        let write = || make_durable(journal, follows, revision, &changes);
        let written = catch_unwind(AssertUnwindSafe(write))
            .unwrap_or_else(|_panic| Err(StoreError::Journal("the journal panicked".into())));
        match written {
            Ok(()) => {
                self.writer().durable_revision = revision;
                let shown = Arc::new(state);
                *self.durable.write().unwrap_or_else(PoisonError::into_inner) = shown;
                self.committed.fetch_add(1, Ordering::Relaxed);
                // Without watchers there is nobody to tell.
                let _ = self.commits.send(Arc::new(Commit { revision, changes }));
                outcome.send_replace(Some(Ok(())));
            }
            Err(error) => {
                tracing::error!(%error, "a commit failed; nothing is acknowledged any more");
                let built_on_it = {
                    let mut writer = self.writer();
                    writer.refused = Some(StoreError::Closed { reason: error.to_string() });
                    std::mem::take(&mut writer.waiting)
                };
                outcome.send_replace(Some(Err(error.clone())));
                built_on_it.outcome.send_replace(Some(Err(error.clone())));
                self.failed.send_replace(Some(error));
            }
        }
    }
}

/// Writes what a batch of updates leaves: of several changes of one record, the last.
fn make_durable(
    journal: &mut dyn Journal,
    follows: u64,
    revision: u64,
    changes: &[Change],
) -> Result<(), StoreError> {
    let mut last: Vec<_> = changes.iter().rev().map(|it| (codec::key(it), it)).collect();
    last.sort_by(|one, other| one.0.cmp(&other.0));
    last.dedup_by(|later, first| later.0 == first.0);
    let record = |(key, change)| codec::value(change).map(|value| -> Record { (key, value) });
    let records = last.into_iter().map(record).collect::<Result<_, _>>()?;
    Ok(journal.commit(&Batch { follows, revision, records })?)
}
