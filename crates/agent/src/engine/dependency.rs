//! May a container be created, started or stopped yet?
//!
//! Links, `volumesFrom` and `dependsOn` hold a container back. A target of a link or `volumesFrom`
//! that has already ended holds nobody back: whether Docker still takes it is Docker's to say, and
//! its refusal is a better reason than any of ours. What `dependsOn` asks for may turn out never to
//! happen; then the container that waits for it has failed.

use std::collections::BTreeSet;

use longshore_model::{HealthStatus, Timestamp};

use super::reason::{Failure, Reason};
use super::spec::{Condition, ContainerSpec, DependencySpec, TaskSpec};
use super::task::{ContainerState, ContainerStatus, TaskState};

/// Whether every name is known, no container waits for itself, directly or by way of others, and
/// none waits for the health of one that has no health check.
pub(super) fn can_be_ordered(spec: &TaskSpec) -> bool {
    let mut ordered: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = ordered.len();
        for container in &spec.containers {
            if targets(container).all(|target| ordered.contains(target)) {
                ordered.insert(&container.name);
            }
        }
        if ordered.len() == before {
            break;
        }
    }
    let healths = spec.containers.iter().flat_map(|it| &it.depends_on);
    let mut healths = healths.filter(|it| it.condition == Condition::Healthy);
    let is_checked =
        |name: &str| spec.containers.iter().any(|it| it.name == name && it.has_health_check);
    ordered.len() == spec.containers.len() && healths.all(|it| is_checked(&it.container))
}

/// What stands between a container and its creation.
#[derive(Debug, PartialEq)]
pub(super) enum Readiness {
    /// Nothing.
    Ready,
    /// Something that may still happen, though perhaps only until the given time.
    Waiting(Option<Timestamp>),
    /// Something that will never happen.
    Never(Reason),
}

/// Docker wants the targets of links and `volumesFrom` to exist; `dependsOn` says itself what it
/// wants.
pub(super) fn may_create(task: &TaskState, container: &ContainerSpec, now: Timestamp) -> Readiness {
    let mut readiness = Readiness::Ready;
    if !linked(container).all(|target| has_reached(task, target, ContainerStatus::Created)) {
        readiness = Readiness::Waiting(None);
    }
    for dependency in &container.depends_on {
        readiness = match (readiness, met(task, dependency, now)) {
            (_, Readiness::Never(reason)) => return Readiness::Never(reason),
            (Readiness::Waiting(one), Readiness::Waiting(other)) => {
                Readiness::Waiting(one.into_iter().chain(other).min())
            }
            (Readiness::Ready, other) | (other, _) => other,
        };
    }
    readiness
}

/// Docker wants the targets of links to run.
pub(super) fn may_start(task: &TaskState, container: &ContainerSpec) -> bool {
    let mut links = container.links.iter().map(|link| link.container.as_str());
    links.all(|target| has_reached(task, target, ContainerStatus::Running))
}

/// Whoever needs a container stops before it does.
pub(super) fn may_stop(task: &TaskState, container: &ContainerSpec) -> bool {
    let containers = task.spec.containers.iter().zip(&task.containers);
    let mut dependants =
        containers.filter(|(spec, _)| targets(spec).any(|target| target == container.name));
    dependants.all(|(_, state)| state.known == ContainerStatus::Stopped)
}

/// When a container that waits now gives up, if nothing happens before.
pub(super) fn gives_up_at(task: &TaskState, now: Timestamp) -> Option<Timestamp> {
    let containers = task.spec.containers.iter().zip(&task.containers);
    let waiting = containers.filter(|(_, state)| state.known < ContainerStatus::Created);
    let times = waiting.filter_map(|(spec, _)| match may_create(task, spec, now) {
        Readiness::Waiting(until) => until,
        Readiness::Ready | Readiness::Never(_) => None,
    });
    times.min()
}

/// Source: Amazon ECS API Reference, `ContainerDependency` and `startTimeout`. An unhealthy
/// container may become healthy yet, so it is waited for, as the official agent does.
fn met(task: &TaskState, dependency: &DependencySpec, now: Timestamp) -> Readiness {
    let DependencySpec { container: name, condition } = dependency;
    let Some((spec, state)) = task.spec_and_state(name) else { return Readiness::Ready };
    let stopped = state.known == ContainerStatus::Stopped;
    let started = state.started_at.is_some();
    let never = |text: &str| {
        let text = format!("dependency {name:?} {text}");
        Readiness::Never(Failure::CannotStartContainer.because(text))
    };
    let is_met = match condition {
        Condition::Start => started,
        Condition::Complete => started && stopped,
        Condition::Success => started && stopped && state.exit_code == Some(0),
        Condition::Healthy => !stopped && started && state.health == HealthStatus::Healthy,
    };
    match condition {
        _ if is_met => Readiness::Ready,
        _ if stopped && !started => never("will never start"),
        Condition::Success if stopped => never("did not exit successfully"),
        Condition::Healthy if stopped => never("exited before it was healthy"),
        Condition::Start => Readiness::Waiting(None),
        Condition::Complete | Condition::Success | Condition::Healthy => {
            match times_out_at(spec, state) {
                Some(at) if at <= now => never("has timed out"),
                at => Readiness::Waiting(at),
            }
        }
    }
}

/// When those who wait for the container give it up.
fn times_out_at(spec: &ContainerSpec, state: &ContainerState) -> Option<Timestamp> {
    let secs = i64::from(spec.start_timeout_secs?);
    state.started_at.map(|it| it.plus_secs(secs))
}

fn targets(container: &ContainerSpec) -> impl Iterator<Item = &str> {
    linked(container).chain(container.depends_on.iter().map(|it| it.container.as_str()))
}

fn linked(container: &ContainerSpec) -> impl Iterator<Item = &str> {
    let links = container.links.iter().map(|it| it.container.as_str());
    links.chain(container.volumes_from.iter().map(|it| it.container.as_str()))
}

fn has_reached(task: &TaskState, target: &str, status: ContainerStatus) -> bool {
    task.container(target).is_none_or(|it| it.known >= status)
}
