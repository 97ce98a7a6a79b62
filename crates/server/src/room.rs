//! How many connections may be open at once: as many as there are file descriptors for, and some for
//! the files that the server itself needs.
//!
//! Most places are for callers that are served. A few are for those beyond them, who are told to come
//! later; where these are taken too, callers wait unaccepted, as the system lets them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::warn;

/// Where the system sets no limit.
const UNLIMITED: usize = 1 << 20;

/// Between two words of the log on the same trouble.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// The places for connections.
#[derive(Debug)]
pub(crate) struct Room {
    served: Arc<Semaphore>,
    turned_away: Arc<Semaphore>,
    open_files: usize,
    complaint: Complaint,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(crate) enum Place {
    Served(#[expect(dead_code, reason = "held, not used")] OwnedSemaphorePermit),
    /// To be told to come later.
    TurnedAway(#[expect(dead_code, reason = "held, not used")] OwnedSemaphorePermit),
}

/// Says at most once a minute what may happen many times a second.
#[derive(Debug, Default)]
pub(crate) struct Complaint(Mutex<Option<Instant>>);

impl Room {
    /// As large as this process may have files open.
    pub(crate) fn of_this_process() -> Self {
        let limit = getrlimit(Resource::Nofile).current;
        let limit = limit.and_then(|it| usize::try_from(it).ok());
        Self::of(limit.map_or(UNLIMITED, |it| it.min(UNLIMITED)))
    }

    fn of(open_files: usize) -> Self {
        let (served, turned_away) = shares(open_files);
        Self {
            served: Arc::new(Semaphore::new(served)),
            turned_away: Arc::new(Semaphore::new(turned_away)),
            open_files,
            complaint: Complaint::default(),
        }
    }

    /// A place for a connection that was accepted; waits until there is one.
    pub(crate) async fn place(&self) -> Place {
        let served = Arc::clone(&self.served);
        if let Ok(permit) = Arc::clone(&served).try_acquire_owned() {
            return Place::Served(permit);
        }
        if self.complaint.is_due() {
            warn!(
                open_files = self.open_files,
                "as many connections are open as there may be: callers beyond them are told to come \
                 later; raise the limit of open files (LimitNOFILE of systemd, ulimit -n)"
            );
        }
        let turned_away = Arc::clone(&self.turned_away);
        // Neither is ever closed.
        tokio::select! {
            biased;
            Ok(permit) = served.acquire_owned() => Place::Served(permit),
            Ok(permit) = turned_away.acquire_owned() => Place::TurnedAway(permit),
            else => std::future::pending().await,
        }
    }
}

/// Of so many open files: connections that are served, and those that are turned away. The rest is
/// for the state, for files of keys and secrets, and for what the runtime needs.
fn shares(open_files: usize) -> (usize, usize) {
    let own = (open_files / 8).clamp(24, 256);
    let turned_away = (open_files / 8).clamp(4, 128);
    (open_files.saturating_sub(own + turned_away).max(1), turned_away)
}

impl Complaint {
    pub(crate) fn is_due(&self) -> bool {
        let mut told_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told_at.is_none_or(|it| it.elapsed() >= TOLD_EVERY);
        if is_due {
            *told_at = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn most_open_files_are_for_connections_and_some_are_kept() {
        let all = [0, 64, 1_024, 65_536, UNLIMITED].map(shares);
        let expected = [(1, 4), (32, 8), (768, 128), (65_152, 128), (1_048_192, 128)];
        assert_eq!(all, expected);
    }

    #[tokio::test]
    async fn callers_beyond_the_limit_are_turned_away_and_then_wait() {
        let room = Room::of(64);
        let mut places = Vec::new();
        for _ in 0..40 {
            places.push(room.place().await);
        }
        let served = places.iter().filter(|it| matches!(it, Place::Served(_))).count();
        assert_eq!(served, 32);
        let mut waiting = Box::pin(room.place());
        assert!((&mut waiting).now_or_never().is_none());
        places.remove(0);
        assert!(matches!(waiting.await, Place::Served(_)));
    }
}
