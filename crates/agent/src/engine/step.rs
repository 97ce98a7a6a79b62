//! One step of a task: take an input in, then derive from the new state all that follows.
//!
//! What follows depends on the state alone and never on which input came, so a repeated, late or
//! missed input can do no harm: [`Input::Tick`] after a restart plans what the happy case plans.

use longshore_model::{DesiredStatus, Timestamp};

use super::absorb::absorb;
use super::dependency::{self, Readiness};
use super::effect::Effect;
use super::input::Input;
use super::reason::Reason;
use super::report;
use super::spec::Limits;
use super::task::{Action, Cleanup, ContainerStatus, Preparation, TaskState};

/// How this agent differs from others; the same for all of its tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether an image is pulled before the container is created, or only if it is missing.
    pub pull_first: bool,
    /// Whether a failed pull ends the container although the image may be present.
    pub pull_must_succeed: bool,
    /// How long a stopped task is remembered and its containers are kept. Must be longer than a
    /// message of the control plane may be under way: one that was sent before it knew of the end
    /// would begin the task anew.
    pub cleanup_wait_secs: u32,
}

/// Takes `input` in and says what is to be done now.
pub fn step(task: &mut TaskState, input: Input, policy: &Policy, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    follow_clock(task, now);
    absorb(task, input, policy, now, &mut effects);
    loop {
        stop_with_essential(task, now);
        // What settles or fails may be what others waited for.
        if !plan(task, policy, now, &mut effects) {
            break;
        }
    }
    follow_health(task, &mut effects);
    report::file(task, now, &mut effects);
    clean_up(task, policy, now, &mut effects);
    effects
}

/// When a [`Input::Tick`] is needed although nothing happens.
pub fn wake_at(task: &TaskState, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let runs = task.desired == DesiredStatus::Running;
    let gives_up_at = runs.then(|| dependency::gives_up_at(task, now)).flatten();
    gives_up_at.into_iter().chain(clean_up_at(task, policy)).min()
}

/// What is waited for from some moment on is never in the future, or a clock that was set back by
/// hours would have it waited for hours longer.
fn follow_clock(task: &mut TaskState, now: Timestamp) {
    task.told_at = task.told_at.map(|it| it.min(now));
    for container in &mut task.containers {
        container.started_at = container.started_at.map(|it| it.min(now));
    }
}

/// A task ends with any of its essential containers.
fn stop_with_essential(task: &mut TaskState, now: Timestamp) {
    let ended = task
        .spec
        .containers
        .iter()
        .zip(&task.containers)
        .any(|(spec, state)| spec.essential && state.known == ContainerStatus::Stopped);
    if ended {
        task.desired = DesiredStatus::Stopped;
        task.execution_stopped_at = task.execution_stopped_at.or(Some(now));
    }
}

/// Asks for what brings each container on. All that can go on at once does. Says whether a
/// container came to count as stopped by it.
fn plan(task: &mut TaskState, policy: &Policy, now: Timestamp, effects: &mut Vec<Effect>) -> bool {
    let mut settled = false;
    for container in 0..task.containers.len() {
        let Some(next) = next(task, container, policy, now) else { continue };
        let Some(state) = task.containers.get_mut(container) else { continue };
        match next {
            Next::Settle => {
                state.settle();
                settled = true;
            }
            Next::Fail(reason) => {
                state.fail(reason);
                settled = true;
            }
            Next::Prepare => {
                if task.preparation == Preparation::Due {
                    task.preparation = Preparation::Running;
                    effects.push(Effect::Prepare);
                }
            }
            Next::Do(action) => {
                state.in_flight = Some(action);
                effects.push(match action {
                    Action::Pull => Effect::Pull(container),
                    Action::Create => Effect::Create(container),
                    Action::Start => Effect::Start(container),
                    Action::Stop => Effect::Stop(container),
                });
            }
        }
    }
    settled
}

enum Next {
    Do(Action),
    /// What all containers need is not there yet.
    Prepare,
    /// It is not to run, and does not: it counts as stopped.
    Settle,
    /// What it waits for will never happen.
    Fail(Reason),
}

/// The one thing to do next for a container, or `None` when it is where it should be or waits.
fn next(task: &TaskState, container: usize, policy: &Policy, now: Timestamp) -> Option<Next> {
    use ContainerStatus as Known;
    let (spec, state) = (task.spec.containers.get(container)?, task.containers.get(container)?);
    match (task.desired, state.known, state.in_flight) {
        (_, Known::Stopped, _) => None,
        // A pull may take hours; nobody waits for it to stop a task.
        (DesiredStatus::Stopped, Known::None, Some(Action::Pull)) => Some(Next::Settle),
        (_, _, Some(_)) => None,
        (DesiredStatus::Stopped, Known::None | Known::Pulled | Known::Created, None) => {
            Some(Next::Settle)
        }
        (DesiredStatus::Stopped, Known::Running, None) if state.between_runs => Some(Next::Settle),
        (DesiredStatus::Stopped, Known::Running, None) => {
            dependency::may_stop(task, spec).then_some(Next::Do(Action::Stop))
        }
        (DesiredStatus::Running, Known::None, None) if policy.pull_first || state.image_missing => {
            Some(Next::Do(Action::Pull))
        }
        (DesiredStatus::Running, Known::None | Known::Pulled, None) => {
            match dependency::may_create(task, spec, now) {
                Readiness::Ready => Some(prepared(task, Action::Create)),
                Readiness::Waiting(_) => None,
                Readiness::Never(reason) => Some(Next::Fail(reason)),
            }
        }
        (DesiredStatus::Running, Known::Created, None) => {
            dependency::may_start(task, spec).then(|| prepared(task, Action::Start))
        }
        (DesiredStatus::Running, Known::Running, None) => {
            state.between_runs.then(|| prepared(task, Action::Start))
        }
    }
}

/// The action, once what all containers of the task need is there.
fn prepared(task: &TaskState, action: Action) -> Next {
    let is_ready = task.preparation == Preparation::Done || !task.spec.needs_preparation();
    if is_ready { Next::Do(action) } else { Next::Prepare }
}

/// Has the health of whatever runs followed from what is known of it.
fn follow_health(task: &mut TaskState, effects: &mut Vec<Effect>) {
    if task.desired == DesiredStatus::Stopped {
        return;
    }
    let containers = task.spec.containers.iter().zip(&mut task.containers);
    for (container, (spec, state)) in containers.enumerate() {
        let runs = state.known == ContainerStatus::Running && !state.between_runs;
        if spec.has_health_check && runs && state.followed != Some(state.health) {
            state.followed = Some(state.health);
            effects.push(Effect::FollowHealth { container, known: state.health });
        }
    }
}

/// Removes what is left of a stopped task, once it is old enough and all of it is told.
fn clean_up(task: &mut TaskState, policy: &Policy, now: Timestamp, effects: &mut Vec<Effect>) {
    if clean_up_at(task, policy).is_none_or(|at| now < at) {
        return;
    }
    task.cleanup = Cleanup::Running;
    let volumes = task.spec.volumes.iter().filter_map(|it| it.source.removed_with_task());
    let volumes = volumes.map(str::to_owned).collect();
    let containers = task.containers.iter().map(|it| it.docker_name.clone()).collect();
    let limits = task.spec.limits != Limits::default();
    effects.push(Effect::CleanUp { containers, volumes, limits });
}

fn clean_up_at(task: &TaskState, policy: &Policy) -> Option<Timestamp> {
    let is_due = task.cleanup == Cleanup::Due && task.preparation != Preparation::Running;
    let kept_secs = i64::from(policy.cleanup_wait_secs);
    task.told_at.filter(|_| is_due).map(|it| it.plus_secs(kept_secs))
}
