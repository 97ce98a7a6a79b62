//! Whose turn it is to have a container made or started.
//!
//! The Engine starts no more containers a second for being asked for all of them at once; it only
//! takes longer for each. So a few are under way at a time, and of those that wait, whatever the
//! task that came first needs goes first: it runs before the next one is begun. Pulls, stops and
//! all else take no turns. What takes long gives up its turn and goes on beside the others, so that
//! a few that hang hold up nobody for long.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// Longer than a busy Engine takes.
const LONG: Duration = Duration::from_secs(10);

/// How many starts the Engine is best asked for at a time. See
/// `docs/decisions/2026-11-24-starts-at-once.md`.
pub(crate) fn best_for(cpus: u32) -> usize {
    usize::try_from(cpus).unwrap_or(usize::MAX).clamp(1, 8) * 4
}

/// Gives turns. Clones give the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    shared: Arc<Shared>,
}

/// When a task came, by which those that wait are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrival(u64);

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Of tasks, and of those that wait for a turn.
    next: AtomicU64,
}

#[derive(Debug)]
struct Queue {
    free: usize,
    /// Nobody waits while there is a free one.
    waiting: BTreeMap<(Arrival, u64), oneshot::Sender<Turn>>,
}

/// A place among those that wait for a turn; given up by being dropped.
#[derive(Debug)]
pub(crate) struct Place {
    comes: oneshot::Receiver<Turn>,
}

/// The right to go on; whoever is next gets it when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    shared: Arc<Shared>,
}

impl Turns {
    /// So many go on at a time.
    pub(crate) fn of(at_once: usize) -> Self {
        let queue = Mutex::new(Queue { free: at_once, waiting: BTreeMap::new() });
        Self { shared: Arc::new(Shared { queue, next: AtomicU64::new(0) }) }
    }

    /// A task has come.
    pub(crate) fn arrive(&self) -> Arrival {
        Arrival(self.shared.next())
    }

    /// Has a turn given to the task: now if one is free, or else when those that came before have
    /// had theirs.
    pub(crate) fn ask(&self, arrival: Arrival) -> Place {
        let (sender, comes) = oneshot::channel();
        let mut queue = self.shared.queue();
        if queue.free > 0 {
            queue.free -= 1;
            drop(queue);
            // It is right there, in `comes`.
            let _ = sender.send(Turn { shared: self.shared.clone() });
        } else {
            queue.waiting.insert((arrival, self.shared.next()), sender);
        }
        Place { comes }
    }
}

impl Place {
    /// Does the work when the turn has come; nothing if it is no longer of use before that. The
    /// turn, if it was not given up, lasts until the caller has asked for the next one.
    pub(crate) async fn then<T>(
        self,
        of_no_use: impl Future<Output = ()>,
        work: impl Future<Output = T>,
    ) -> (Option<T>, Option<Turn>) {
        let turn = tokio::select! {
            biased;
            () = of_no_use => return (None, None),
            turn = self.comes => turn.expect("who waits is dropped only when it is given a turn"),
        };
        let mut work = std::pin::pin!(work);
        match timeout(LONG, &mut work).await {
            Ok(outcome) => (Some(outcome), Some(turn)),
            Err(_) => {
                drop(turn);
                (Some(work.await), None)
            }
        }
    }
}

impl Shared {
    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

impl Drop for Turn {
    /// Passes it on. Who ceases to wait at this very moment does not take it, and it comes back here.
    fn drop(&mut self) {
        let next = {
            let mut queue = self.shared.queue();
            let mut waiting = std::iter::from_fn(|| queue.waiting.pop_first());
            let next = waiting.find(|(_, it)| !it.is_closed());
            if next.is_none() {
                queue.free += 1;
            }
            next
        };
        if let Some((_, next)) = next {
            drop(next.send(Self { shared: self.shared.clone() }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    /// Takes a turn that lasts until the sender is used or dropped; tells its name when it begins.
    fn begin(
        turns: &Turns,
        arrival: Arrival,
        name: &'static str,
        log: &Arc<Mutex<Vec<&'static str>>>,
    ) -> (oneshot::Sender<()>, tokio::task::JoinHandle<Option<()>>) {
        let (end, ended) = oneshot::channel();
        let (place, log) = (turns.ask(arrival), Arc::clone(log));
        let task = tokio::spawn(async move {
            let work = async {
                log.lock().unwrap().push(name);
                let _ = ended.await;
            };
            place.then(pending(), work).await.0
        });
        (end, task)
    }

    async fn settle() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn those_that_wait_go_on_in_the_order_in_which_their_tasks_came() {
        let turns = Turns::of(1);
        let log = Arc::default();
        let (first, second) = (turns.arrive(), turns.arrive());
        let (end, _) = begin(&turns, first, "first is made", &log);
        settle().await;
        let (end_second, _) = begin(&turns, second, "second is made", &log);
        settle().await;
        let (end_first, _) = begin(&turns, first, "first is started", &log);
        settle().await;
        drop(end);
        settle().await;
        drop(end_first);
        settle().await;
        drop(end_second);
        settle().await;
        assert_eq!(*log.lock().unwrap(), ["first is made", "first is started", "second is made"]);
        assert_eq!(turns.shared.queue().free, 1);
    }

    #[tokio::test]
    async fn whoever_is_dropped_while_waiting_takes_no_turn_away() {
        let turns = Turns::of(1);
        let log = Arc::default();
        let (end, _) = begin(&turns, turns.arrive(), "a", &log);
        settle().await;
        let (_b, waiting) = begin(&turns, turns.arrive(), "b", &log);
        settle().await;
        waiting.abort();
        let (end_c, _) = begin(&turns, turns.arrive(), "c", &log);
        settle().await;
        drop(end);
        settle().await;
        assert_eq!(*log.lock().unwrap(), ["a", "c"]);
        drop(end_c);
        settle().await;
        assert_eq!(turns.shared.queue().free, 1);
    }

    #[tokio::test]
    async fn what_is_of_no_use_any_more_is_not_begun() {
        let turns = Turns::of(1);
        let work = async { panic!("it is not begun") };
        assert_eq!(turns.ask(turns.arrive()).then::<()>(ready(()), work).await.0, None);
        assert_eq!(turns.shared.queue().free, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_holds_up_the_others_for_a_while_only_and_goes_on() {
        let turns = Turns::of(1);
        let log = Arc::default();
        let (end, hangs) = begin(&turns, turns.arrive(), "hangs", &log);
        settle().await;
        let others = turns.ask(turns.arrive()).then(pending(), ready("done"));
        assert_eq!(timeout(LONG * 2, others).await.unwrap().0, Some("done"));
        end.send(()).unwrap();
        assert_eq!(hangs.await.unwrap(), Some(()));
        assert_eq!(turns.shared.queue().free, 1);
    }
}
