//! Which session belongs to which container instance, and waking it.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_control::Control;
use longshore_model::{InstanceId, InstanceStatus, LastStatus, TaskId};
use longshore_store::{Change, Store, StoreError};
use longshore_wire::acs::{CONTESTED, Refusal};
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

use super::contest::{Contest, Verdict};
use super::hello::{Hello, Who};
use super::sequence::Sequence;

/// The connected sessions. The newest connection of an instance is the one that counts: an agent
/// that comes back may do so before its old connection is known to be dead.
///
/// That an agent is connected is recorded while its seat is taken or left, and the seats are
/// locked meanwhile, so that the records come in the order of the connections.
#[derive(Default)]
pub(crate) struct Hub {
    seats: Mutex<HashMap<InstanceId, Arc<Seat>>>,
    /// Of instances whose seat went from one agent to another lately. Locked after the seats.
    contests: Mutex<HashMap<InstanceId, Contest>>,
    /// Numbers the messages of all sessions.
    pub(crate) sequence: Arc<Sequence>,
}

/// A session's place in the hub.
#[derive(Default)]
pub(crate) struct Seat {
    /// There may be something to tell.
    pub(crate) news: Notify,
    /// A newer connection of the same instance has taken over.
    pub(crate) replaced: Notify,
    concerns: Mutex<Concerns>,
    /// Whose it is.
    who: Who,
}

/// Which tasks a session has to look at. It says nothing of what has become of them: that is
/// always read from the state.
#[derive(Default)]
pub(crate) enum Concerns {
    /// Every task of the instance: nothing was looked at yet, or changes were missed.
    #[default]
    Every,
    /// Those that have changed since the last look.
    Tasks(BTreeSet<TaskId>),
}

impl Seat {
    /// What there is to look at now; from then on it counts as looked at.
    pub(crate) fn concerns(&self) -> Concerns {
        mem::replace(&mut *self.lock(), Concerns::Tasks(BTreeSet::new()))
    }

    pub(super) fn note(&self, task: TaskId) {
        if let Concerns::Tasks(tasks) = &mut *self.lock() {
            tasks.insert(task);
        }
    }

    fn note_every(&self) {
        *self.lock() = Concerns::Every;
    }

    fn lock(&self) -> MutexGuard<'_, Concerns> {
        self.concerns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    fn seats(&self) -> MutexGuard<'_, HashMap<InstanceId, Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this agent may push out the one that is connected, or why not: the two have pushed
    /// each other out again and again.
    pub(crate) fn may_sit(&self, hello: &Hello) -> Result<(), Refusal> {
        let seats = self.seats();
        let holder = seats.get(&hello.instance).map(|it| it.who);
        let Some((holder, run)) = holder.zip(hello.who.run) else { return Ok(()) };
        if holder.run.is_none_or(|it| it == run) {
            return Ok(());
        }
        let verdict = {
            let mut contests = self.contests();
            contests.get_mut(&hello.instance).map(|it| it.arrives(run, Instant::now()))
        };
        let Some(Verdict::KeepOut { is_news }) = verdict else { return Ok(()) };
        let instance = hello.instance;
        if is_news {
            warn!(
                %instance, connected = %holder, kept_out = %hello.who,
                "two agents are this container instance and push each other out: a data directory \
                 was copied. The one that is connected stays, the other is kept out until that one \
                 is gone"
            );
        }
        let message = format!(
            "Another agent is connected as container instance {instance}, from {holder}: a data \
             directory was copied. End one of the two agents; to make this machine a container \
             instance of its own, start its agent on an empty data directory."
        );
        Err(Refusal { exception: CONTESTED.into(), message })
    }

    /// Gives an instance's new session its seat and records that the agent is connected; the
    /// session before loses its own. `None` for an instance that is gone.
    pub(crate) async fn sit(
        &self,
        control: &Control,
        hello: &Hello,
    ) -> Result<Option<Arc<Seat>>, StoreError> {
        let seat = Arc::new(Seat { who: hello.who, ..Seat::default() });
        let instance = hello.instance;
        let recorded = {
            let mut seats = self.seats();
            if let Some(before) = seats.insert(instance, Arc::clone(&seat)) {
                before.replaced.notify_one();
                if let (Some(before), Some(now)) = (before.who.run, seat.who.run)
                    && before != now
                {
                    let mut contests = self.contests();
                    contests.entry(instance).or_default().pushed_out(before, Instant::now());
                }
            }
            control.set_agent_connected(instance, true, Some(hello.versions.clone()))
        };
        match recorded.await {
            Ok(true) => Ok(Some(seat)),
            Ok(false) => self.rise(control, instance, &seat).await.map(|()| None),
            Err(error) => self.rise(control, instance, &seat).await.and(Err(error)),
        }
    }

    /// Takes a session's seat away and records that no agent is connected, unless a newer session
    /// has the seat.
    pub(crate) async fn rise(
        &self,
        control: &Control,
        instance: InstanceId,
        seat: &Arc<Seat>,
    ) -> Result<(), StoreError> {
        let recorded = {
            let mut seats = self.seats();
            if !seats.get(&instance).is_some_and(|it| Arc::ptr_eq(it, seat)) {
                return Ok(());
            }
            seats.remove(&instance);
            let mut contests = self.contests();
            if contests.get_mut(&instance).is_some_and(|it| it.is_over(Instant::now())) {
                contests.remove(&instance);
            }
            control.set_agent_connected(instance, false, None)
        };
        recorded.await.map(|_is_in_use| ())
    }

    fn contests(&self) -> MutexGuard<'_, HashMap<InstanceId, Contest>> {
        self.contests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seat(&self, instance: InstanceId) -> Option<Arc<Seat>> {
        self.seats().get(&instance).map(Arc::clone)
    }

    fn wake_all(&self) {
        for seat in self.seats().values() {
            seat.note_every();
            seat.news.notify_one();
        }
    }

    /// Wakes the sessions that the durable changes concern, until the store is gone.
    pub(crate) async fn follow(&self, store: Store) {
        let mut watch = store.watch();
        loop {
            match watch.next().await {
                Ok(commit) => commit.changes.iter().for_each(|it| self.pass_on(it)),
                Err(_lagged) => {
                    watch = store.watch();
                    self.wake_all();
                }
            }
        }
    }

    /// A new task, or one whose desired status has changed, is news for its agent; so is it that its
    /// instance was deregistered, its key revoked, or that a task which was given up is known to be
    /// over, for which others may have waited. That a task has stopped is no news to the agent
    /// which said so, but the session may forget it.
    fn pass_on(&self, change: &Change) {
        match change {
            Change::Task { before, after: Some(after) } => {
                let before = before.as_deref();
                let is_caught = before.is_some_and(|it| it.is_at_large()) && !after.is_at_large();
                let is_news =
                    is_caught || before.map(|it| it.desired_status) != Some(after.desired_status);
                let has_stopped = after.last_status == LastStatus::Stopped
                    && before.is_some_and(|it| it.last_status != LastStatus::Stopped);
                if (is_news || has_stopped)
                    && let Some(seat) = self.seat(after.container_instance)
                {
                    seat.note(after.id);
                    if is_news {
                        seat.news.notify_one();
                    }
                }
            }
            Change::Instance { after: Some(after), .. }
                if after.status == InstanceStatus::Inactive =>
            {
                if let Some(seat) = self.seat(after.id) {
                    seat.news.notify_one();
                }
            }
            Change::InstanceKey { after: Some(key), .. } if key.revoked_at.is_some() => {
                if let Some(seat) = key.instance.and_then(|it| self.seat(it)) {
                    seat.news.notify_one();
                }
            }
            _ => {}
        }
    }
}
