//! A journal that fails when it is told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_store::journal::Take;
use longshore_store::{Batch, Journal, JournalError, MemoryJournal, StoreError};

/// Records that last through restarts of the control plane. Clones are the same journal.
#[derive(Clone, Default)]
pub(crate) struct FragileJournal {
    kept: MemoryJournal,
    state: Arc<Mutex<Soundness>>,
}

/// How well the journal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Soundness {
    /// It keeps what it is given.
    #[default]
    Sound,
    /// The next batch fails, and is lost or, all the same, kept.
    AboutToFail { kept: bool },
    /// A batch has failed, and was lost or kept.
    Failed { kept: bool },
    /// It was used again after that, which a store must never do.
    Misused,
}

impl FragileJournal {
    fn state(&self) -> MutexGuard<'_, Soundness> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How well it is.
    pub(crate) fn soundness(&self) -> Soundness {
        *self.state()
    }

    /// Lets the next batch fail, or mends the journal.
    pub(crate) fn set(&self, soundness: Soundness) {
        *self.state() = soundness;
    }
}

impl Journal for FragileJournal {
    fn load(&mut self, take: Take<'_>) -> Result<u64, StoreError> {
        self.kept.load(take)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), JournalError> {
        let fails = |reason: &str| {
            Err(JournalError::File { path: "journal".into(), reason: reason.to_owned() })
        };
        match self.soundness() {
            Soundness::Sound => self.kept.commit(batch),
            Soundness::AboutToFail { kept } => {
                self.set(Soundness::Failed { kept });
                if kept {
                    self.kept.commit(batch)?;
                }
                fails("no space left")
            }
            Soundness::Failed { .. } | Soundness::Misused => {
                self.set(Soundness::Misused);
                fails("used after a failure")
            }
        }
    }
}
