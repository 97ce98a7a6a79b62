//! How many stopped tasks keep their containers: beyond that, the oldest give theirs up early.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

/// The stopped tasks that still have containers. Clones are of the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    most: usize,
    /// The oldest first. Whoever is gone has nothing left to give up.
    tasks: Arc<Mutex<VecDeque<Weak<Notify>>>>,
}

impl Kept {
    pub(crate) fn of(most: usize) -> Self {
        Self { most, tasks: Arc::default() }
    }

    /// A task has stopped, and all of it is told. It is notified when it is to make room; until
    /// then, and as long as it has containers, it holds on to this.
    pub(crate) fn add(&self) -> Arc<Notify> {
        let task = Arc::new(Notify::new());
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push_back(Arc::downgrade(&task));
        if tasks.len() > self.most {
            tasks.retain(|it| it.strong_count() > 0);
        }
        while tasks.len() > self.most
            && let Some(oldest) = tasks.pop_front()
        {
            if let Some(oldest) = oldest.upgrade() {
                oldest.notify_one();
            }
        }
        task
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn makes_room(task: &Notify) -> bool {
        task.notified().now_or_never().is_some()
    }

    #[test]
    fn of_too_many_the_oldest_makes_room() {
        let kept = Kept::of(2);
        let tasks: Vec<_> = (0..4).map(|_| kept.add()).collect();
        let told: Vec<bool> = tasks.iter().map(|it| makes_room(it)).collect();
        assert_eq!(told, [true, true, false, false]);
    }

    #[test]
    fn whoever_is_gone_does_not_count() {
        let kept = Kept::of(2);
        let first = kept.add();
        drop(kept.add());
        let third = kept.add();
        assert!(!makes_room(&first) && !makes_room(&third));
    }

    #[test]
    fn none_may_be_kept() {
        assert!(makes_room(&Kept::of(0).add()));
    }
}
