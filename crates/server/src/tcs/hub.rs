//! Which session belongs to which container instance, and what ends with the state's changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_control::Control;
use longshore_model::{InstanceId, InstanceStatus, LastStatus};
use longshore_store::Change;
use tokio::sync::Notify;

/// The open sessions. The newest connection of an instance is the one that counts.
#[derive(Default)]
pub(crate) struct Hub {
    seats: Mutex<HashMap<InstanceId, Arc<Seat>>>,
}

/// A session's place in the hub.
#[derive(Default)]
pub(super) struct Seat {
    /// The instance, or the key that it was opened with, may be gone.
    pub(super) doubt: Notify,
    /// A newer connection of the same instance has taken over.
    pub(super) replaced: Notify,
}

impl Hub {
    fn seats(&self) -> MutexGuard<'_, HashMap<InstanceId, Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many agents are telling.
    pub(crate) fn len(&self) -> usize {
        self.seats().len()
    }

    /// Gives an instance's new session its seat; the session before loses its own.
    pub(super) fn sit(&self, instance: InstanceId) -> Arc<Seat> {
        let seat = Arc::new(Seat::default());
        // What has changed since the handshake was looked at, nobody else would tell.
        seat.doubt.notify_one();
        if let Some(before) = self.seats().insert(instance, Arc::clone(&seat)) {
            before.replaced.notify_one();
        }
        seat
    }

    /// Takes a session's seat away, unless a newer session has it. Says whether it had.
    pub(super) fn rise(&self, instance: InstanceId, seat: &Arc<Seat>) -> bool {
        let mut seats = self.seats();
        let is_its_own = seats.get(&instance).is_some_and(|it| Arc::ptr_eq(it, seat));
        if is_its_own {
            seats.remove(&instance);
        }
        is_its_own
    }

    /// Follows the durable changes until the store is gone.
    pub(crate) async fn follow(&self, control: &Control) {
        let mut watch = control.store().watch();
        loop {
            match watch.next().await {
                Ok(commit) => commit.changes.iter().for_each(|it| self.pass_on(it, control)),
                Err(_lagged) => {
                    watch = control.store().watch();
                    control.telemetry().forget_absent(&control.view());
                    self.seats().values().for_each(|it| it.doubt.notify_one());
                }
            }
        }
    }

    fn pass_on(&self, change: &Change, control: &Control) {
        let telemetry = control.telemetry();
        match change {
            Change::Task { before: Some(task), after } => {
                let is_live =
                    |it: &Arc<longshore_model::Task>| it.last_status != LastStatus::Stopped;
                if is_live(task) && !after.as_ref().is_some_and(is_live) {
                    telemetry.forget_task(task.id);
                }
            }
            Change::Instance { before: Some(instance), after } => {
                let is_registered = after.as_ref().map(|it| it.status);
                if matches!(is_registered, None | Some(InstanceStatus::Inactive)) {
                    telemetry.forget_instance(instance.id);
                    self.doubt(instance.id);
                }
            }
            Change::InstanceKey { after: Some(key), .. } if key.revoked_at.is_some() => {
                key.instance.into_iter().for_each(|it| self.doubt(it));
            }
            _ => {}
        }
    }

    fn doubt(&self, instance: InstanceId) {
        if let Some(seat) = self.seats().get(&instance) {
            seat.doubt.notify_one();
        }
    }
}
