//! Which instances are away, and when each is to be looked at.
//!
//! A cache that follows commits and can be made anew from a state at any time. An instance that
//! comes back before the shortest time that a policy can have is never looked at.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use longshore_model::lost_after::SHORTEST_SECS;
use longshore_model::{ContainerInstance, InstanceId, LastStatus, LostAfter, Timestamp};
use longshore_store::{Change, Commit, State};

use super::{is_away, is_away_with_tasks};

/// A clock that differs by more than this from one that nobody sets was set.
const TOLERANCE_MILLIS: i64 = 1_000;

/// The instances that are away, in the order in which they are to be looked at.
#[derive(Debug, Default)]
pub struct Absences {
    due: BTreeSet<(Timestamp, InstanceId)>,
    /// The time that each has in `due`.
    at: HashMap<InstanceId, Timestamp>,
    /// What both clocks said the last time.
    clocks: Option<(Timestamp, Duration)>,
}

impl Absences {
    /// Those of a state.
    pub fn of(state: &State) -> Self {
        let mut absences = Self::default();
        absences.begin_again(state);
        absences
    }

    /// Forgets what was known and begins with this state.
    pub fn begin_again(&mut self, state: &State) {
        self.due.clear();
        self.at.clear();
        for instance in state.all_instances().filter(|it| is_away_with_tasks(it, state)) {
            self.note(instance);
        }
    }

    /// Takes in what changed. `state` is the one that the commit led to, or a later one.
    pub fn follow(&mut self, commit: &Commit, state: &State) {
        for change in &commit.changes {
            match change {
                Change::Instance { after: Some(after), .. } => self.note(after),
                Change::Instance { before: Some(before), after: None } => {
                    self.look_at(before.id, None);
                }
                Change::Cluster { before: Some(before), after: Some(after) }
                    if LostAfter::of(&before.tags) != LostAfter::of(&after.tags) =>
                {
                    for instance in state.instances(&after.name) {
                        self.note(instance);
                    }
                }
                Change::Task { before: Some(before), after: Some(after) }
                    if before.tags != after.tags && after.last_status != LastStatus::Stopped =>
                {
                    if let Some(instance) = state.instance(after.container_instance) {
                        self.note(instance);
                    }
                }
                _ => {}
            }
        }
    }

    /// When something is to be done next.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Puts an instance where its state says that it belongs.
    fn note(&mut self, instance: &ContainerInstance) {
        let since = instance.away_since.filter(|_| is_away(instance));
        self.look_at(instance.id, since.map(|it| it.plus_secs(SHORTEST_SECS.into())));
    }

    /// When an instance is to be looked at; `None` if it need not be before it changes.
    pub(super) fn look_at(&mut self, instance: InstanceId, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.at.insert(instance, at),
            None => self.at.remove(&instance),
        };
        if let Some(before) = before {
            self.due.remove(&(before, instance));
        }
        if let Some(at) = at {
            self.due.insert((at, instance));
        }
    }

    /// The instances to look at now.
    pub(super) fn due(&self, now: Timestamp) -> Vec<InstanceId> {
        self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, it)| *it).collect()
    }

    /// By how much the clock was set since the last time, if it was.
    pub(super) fn clock_was_set(&mut self, now: Timestamp, elapsed: Duration) -> Option<i64> {
        let (then, elapsed_then) = self.clocks.replace((now, elapsed))?;
        let passed = i64::try_from(elapsed.saturating_sub(elapsed_then).as_millis());
        let passed = passed.unwrap_or(i64::MAX);
        let set_by = now.millis().saturating_sub(then.millis()).saturating_sub(passed);
        (set_by.abs() > TOLERANCE_MILLIS).then_some(set_by)
    }
}
