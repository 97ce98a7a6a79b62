//! The events that a commit means: a task or a container instance has changed, or a RunTask call
//! could place nothing.
//!
//! A function from values to values. Task and instance events are not kept: the state has what they
//! say, and who wants them watches commits. Envelope and JSON are left to whoever sends them.

use std::collections::BTreeSet;
use std::sync::Arc;

use longshore_model::{ContainerInstance, InstanceId, Occupancy, Owner, PlacementFailure, Task};
use longshore_store::{Change, Commit, State};

/// Something that has happened, and what became of the record that it happened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task was created, or it or a container of it has changed.
    TaskStateChange(Arc<Task>),
    /// A container instance was registered or has changed, or a task came to it or left it.
    ContainerInstanceStateChange(Arc<ContainerInstance>, Arc<Occupancy>),
    /// A RunTask call could place nothing.
    PlacementFailure(Arc<PlacementFailure>),
}

impl Event {
    /// The kind of event. ECS has the first two; for the third it has none.
    pub const fn detail_type(&self) -> &'static str {
        match self {
            Self::TaskStateChange(_) => "ECS Task State Change",
            Self::ContainerInstanceStateChange(..) => "ECS Container Instance State Change",
            Self::PlacementFailure(_) => "Longshore Task Placement Failure",
        }
    }

    /// Who it comes from: ECS, unless ECS has no such event.
    pub const fn source(&self) -> &'static str {
        match self {
            Self::TaskStateChange(_) | Self::ContainerInstanceStateChange(..) => "aws.ecs",
            Self::PlacementFailure(_) => "longshore",
        }
    }

    /// The ARN of what it is about. A call that placed nothing is about its cluster.
    pub fn resource(&self, owner: &Owner) -> String {
        match self {
            Self::TaskStateChange(task) => task.arn(owner),
            Self::ContainerInstanceStateChange(instance, _) => instance.arn(owner),
            Self::PlacementFailure(failure) => owner.cluster_arn(&failure.cluster),
        }
    }
}

/// The events of a commit, in the order of its changes; after them, one for each instance that
/// tasks came to or left and that has none by itself.
///
/// `state` is the one that the commit led to, or a later one: from it is only read what instances
/// have left. Source: Amazon ECS Developer Guide, CloudWatch Events.
pub fn events(commit: &Commit, state: &State) -> Vec<Event> {
    let mut events: Vec<Event> = commit.changes.iter().filter_map(|it| event(it, state)).collect();
    let told: BTreeSet<InstanceId> = events.iter().filter_map(instance_of).collect();
    let touched: BTreeSet<InstanceId> = commit.changes.iter().filter_map(touched).collect();
    let untold = touched.difference(&told).filter_map(|it| state.instance(*it));
    events.extend(untold.map(|it| instance_state_change(it, state)));
    events
}

/// What one change means by itself. That a record is forgotten is no event, and neither are tags.
fn event(change: &Change, state: &State) -> Option<Event> {
    match change {
        Change::Task { before, after: Some(after) } => {
            let is_event = before.as_ref().is_none_or(|it| it.version < after.version);
            is_event.then(|| Event::TaskStateChange(Arc::clone(after)))
        }
        Change::Instance { before, after: Some(after) } => {
            let is_event = before.as_ref().is_none_or(|it| it.version < after.version);
            is_event.then(|| instance_state_change(after, state))
        }
        Change::PlacementFailure { after: Some(after), .. } => {
            Some(Event::PlacementFailure(Arc::clone(after)))
        }
        Change::Task { after: None, .. }
        | Change::Instance { after: None, .. }
        | Change::PlacementFailure { after: None, .. }
        | Change::AccountSettings { .. }
        | Change::Cluster { .. }
        | Change::Definition { .. }
        | Change::DeletedRevisions { .. }
        | Change::InstanceKey { .. }
        | Change::JoinToken { .. } => None,
    }
}

fn instance_state_change(instance: &Arc<ContainerInstance>, state: &State) -> Event {
    Event::ContainerInstanceStateChange(Arc::clone(instance), state.occupancy(instance.id))
}

fn instance_of(event: &Event) -> Option<InstanceId> {
    match event {
        Event::ContainerInstanceStateChange(instance, _) => Some(instance.id),
        Event::TaskStateChange(_) | Event::PlacementFailure(_) => None,
    }
}

/// The instance that has more or less left, since a task came to it or left it.
fn touched(change: &Change) -> Option<InstanceId> {
    let Change::Task { before, after: Some(after) } = change else { return None };
    let took = before.as_ref().is_some_and(|it| it.takes_resources());
    (took != after.takes_resources()).then_some(after.container_instance)
}

#[cfg(test)]
mod tests;
