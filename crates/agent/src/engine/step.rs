//! One step of a task: take an input in, then derive from the new state all that follows.
//!
//! What follows depends on the state alone and never on which input came, so a repeated, late or
//! missed input can do no harm: [`Input::Tick`] after a restart plans what the happy case plans.

use longshore_model::{DesiredStatus, LastStatus, Timestamp};

use super::dependency;
use super::effect::Effect;
use super::input::{CreateOutcome, Found, Input, Marks, StartOutcome};
use super::reason::Reason;
use super::report::{ContainerReport, Report};
use super::spec::VolumeSource;
use super::task::{Action, Cleanup, ContainerState, ContainerStatus, TaskState};

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
    absorb(task, input, policy, now, &mut effects);
    stop_with_essential(task, now);
    plan(task, policy, &mut effects);
    stop_with_essential(task, now);
    report(task, now, &mut effects);
    clean_up(task, policy, now, &mut effects);
    effects
}

/// When a [`Input::Tick`] is needed although nothing happens.
pub fn wake_at(task: &TaskState, policy: &Policy) -> Option<Timestamp> {
    let waiting = task.cleanup == Cleanup::Due;
    let kept_secs = i64::from(policy.cleanup_wait_secs);
    task.told_at.filter(|_| waiting).map(|it| it.plus_secs(kept_secs))
}

/// Notes what is known now. What comes too late, twice or unasked changes nothing.
fn absorb(
    task: &mut TaskState,
    input: Input,
    policy: &Policy,
    now: Timestamp,
    effects: &mut Vec<Effect>,
) {
    match input {
        Input::Tick => {}
        Input::StopRequested => task.desired = DesiredStatus::Stopped,
        Input::Pulled { container, started_at, outcome } => {
            let Some(state) = awaiting(task, container, Action::Pull) else { return };
            pulled(state, outcome, policy);
            task.pull_started_at = task.pull_started_at.or(Some(started_at));
            task.pull_stopped_at = Some(now);
        }
        Input::Created { container, outcome } => {
            let Some(state) = awaiting(task, container, Action::Create) else { return };
            created(state, outcome);
        }
        Input::Started { container, outcome } => {
            let Some(state) = awaiting(task, container, Action::Start) else { return };
            match outcome {
                StartOutcome::Started { network_bindings } => {
                    state.network_bindings = network_bindings;
                    state.advance(ContainerStatus::Running);
                    effects.push(Effect::Watch(container));
                }
                StartOutcome::Failed(reason) => state.fail(reason),
            }
        }
        Input::Exited { container, exit_code, reason } => {
            let Some(state) = task.containers.get_mut(container) else { return };
            if state.known == ContainerStatus::Running {
                ended(state, exit_code, reason);
            }
        }
        Input::Adopted(found) => {
            for (container, (state, found)) in task.containers.iter_mut().zip(found).enumerate() {
                if state.known < ContainerStatus::Stopped && state.in_flight.is_none() {
                    adopt(state, found, container, effects);
                }
            }
        }
        Input::ReportAccepted => {
            if std::mem::take(&mut task.submitting) {
                task.outbox.pop_front();
            }
        }
        Input::CleanedUp => {
            if task.cleanup == Cleanup::Running {
                task.cleanup = Cleanup::Done;
            }
        }
    }
}

/// The container, if the outcome of `action` is awaited for it.
fn awaiting(task: &mut TaskState, container: usize, action: Action) -> Option<&mut ContainerState> {
    task.containers.get_mut(container).filter(|it| it.in_flight == Some(action))
}

/// A failed pull is not the end as long as the image may be present.
fn pulled(state: &mut ContainerState, outcome: Result<(), Reason>, policy: &Policy) {
    match outcome {
        Ok(()) => {
            state.pull_failure = None;
            state.advance(ContainerStatus::Pulled);
        }
        Err(reason) if state.image_missing || policy.pull_must_succeed => state.fail(reason),
        Err(reason) => {
            state.pull_failure = Some(reason);
            state.advance(ContainerStatus::Pulled);
        }
    }
}

fn created(state: &mut ContainerState, outcome: CreateOutcome) {
    match outcome {
        CreateOutcome::Created { docker_id } => {
            state.docker_id = Some(docker_id);
            state.advance(ContainerStatus::Created);
        }
        CreateOutcome::ImageMissing(reason) => {
            let was_pulled = state.known == ContainerStatus::Pulled;
            state.in_flight = None;
            state.image_missing = true;
            if was_pulled {
                let reason = state.pull_failure.take().unwrap_or(reason);
                state.fail(reason);
            }
        }
        CreateOutcome::Failed(reason) => state.fail(reason),
    }
}

fn ended(state: &mut ContainerState, exit_code: Option<i32>, reason: Option<Reason>) {
    state.exit_code = exit_code;
    state.reason = reason;
    state.settle();
}

/// Takes over what an earlier run of the agent left in Docker.
fn adopt(state: &mut ContainerState, found: Found, container: usize, effects: &mut Vec<Effect>) {
    let mut mark = |marks: Marks| {
        state.docker_name = marks.docker_name;
        state.docker_id = Some(marks.docker_id);
    };
    match found {
        Found::Missing if state.known < ContainerStatus::Created => {}
        Found::Missing => state.fail(Reason::vanished()),
        Found::Created(_) if state.known == ContainerStatus::Running => {
            state.fail(Reason::vanished());
        }
        Found::Created(marks) => {
            mark(marks);
            state.advance(ContainerStatus::Created);
        }
        Found::Running { marks, network_bindings } => {
            mark(marks);
            state.network_bindings = network_bindings;
            state.advance(ContainerStatus::Running);
            effects.push(Effect::Watch(container));
        }
        Found::Exited { marks, exit_code, reason } => {
            mark(marks);
            ended(state, exit_code, reason);
        }
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

/// Asks for what brings each container on. All that can go on at once does.
fn plan(task: &mut TaskState, policy: &Policy, effects: &mut Vec<Effect>) {
    for container in 0..task.containers.len() {
        let Some(next) = next(task, container, policy) else { continue };
        let Some(state) = task.containers.get_mut(container) else { continue };
        let (action, effect) = match next {
            Next::Settle => {
                state.settle();
                continue;
            }
            Next::Do(Action::Pull) => (Action::Pull, Effect::Pull(container)),
            Next::Do(Action::Create) => (Action::Create, Effect::Create(container)),
            Next::Do(Action::Start) => (Action::Start, Effect::Start(container)),
            Next::Do(Action::Stop) => (Action::Stop, Effect::Stop(container)),
        };
        state.in_flight = Some(action);
        effects.push(effect);
    }
}

enum Next {
    Do(Action),
    /// It is not to run, and does not: it counts as stopped.
    Settle,
}

/// The one thing to do next for a container, or `None` when it is where it should be or waits.
fn next(task: &TaskState, container: usize, policy: &Policy) -> Option<Next> {
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
        (DesiredStatus::Stopped, Known::Running, None) => Some(Next::Do(Action::Stop)),
        (DesiredStatus::Running, Known::None, None) if policy.pull_first || state.image_missing => {
            Some(Next::Do(Action::Pull))
        }
        (DesiredStatus::Running, Known::None | Known::Pulled, None) => {
            dependency::may_create(task, spec).then_some(Next::Do(Action::Create))
        }
        (DesiredStatus::Running, Known::Created, None) => {
            dependency::may_start(task, spec).then_some(Next::Do(Action::Start))
        }
        (DesiredStatus::Running, Known::Running, None) => None,
    }
}

/// Files a report of whatever changed, and sends the oldest that is not accepted yet.
fn report(task: &mut TaskState, now: Timestamp, effects: &mut Vec<Effect>) {
    let containers: Vec<ContainerReport> = task
        .spec
        .containers
        .iter()
        .zip(&mut task.containers)
        .filter_map(|(spec, state)| report_container(&spec.name, state))
        .collect();
    let status = task.status();
    if status > task.reported || !containers.is_empty() {
        task.reported = task.reported.max(status);
        task.outbox.push_back(Report {
            status: task.reported,
            reason: task.reason.clone(),
            containers,
            pull_started_at: task.pull_started_at,
            pull_stopped_at: task.pull_stopped_at,
            execution_stopped_at: task.execution_stopped_at,
        });
    }
    if task.reported == LastStatus::Stopped && task.outbox.is_empty() {
        task.told_at = task.told_at.or(Some(now));
    }
    if !task.submitting
        && let Some(report) = task.outbox.front()
    {
        task.submitting = true;
        effects.push(Effect::Submit(report.clone()));
    }
}

fn report_container(name: &str, state: &mut ContainerState) -> Option<ContainerReport> {
    let status = match state.known {
        ContainerStatus::None | ContainerStatus::Pulled | ContainerStatus::Created => return None,
        ContainerStatus::Running => LastStatus::Running,
        ContainerStatus::Stopped => LastStatus::Stopped,
    };
    if status <= state.reported {
        return None;
    }
    state.reported = status;
    Some(ContainerReport {
        name: name.to_owned(),
        status,
        exit_code: state.exit_code,
        reason: state.reason.clone(),
        network_bindings: state.network_bindings.clone(),
        runtime_id: state.docker_id.clone(),
    })
}

/// Removes what is left of a stopped task, once it is old enough and all of it is told.
fn clean_up(task: &mut TaskState, policy: &Policy, now: Timestamp, effects: &mut Vec<Effect>) {
    if wake_at(task, policy).is_none_or(|at| now < at) {
        return;
    }
    task.cleanup = Cleanup::Running;
    let volumes = task.spec.volumes.iter().filter_map(|volume| match &volume.source {
        VolumeSource::Docker(name) => Some(name.clone()),
        VolumeSource::Host(_) => None,
    });
    let volumes = volumes.collect();
    let containers = task.containers.iter().map(|it| it.docker_name.clone()).collect();
    effects.push(Effect::CleanUp { containers, volumes });
}
