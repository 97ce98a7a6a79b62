//! Taking an input in: what is known now.

use longshore_model::{DesiredStatus, Timestamp};

use super::effect::Effect;
use super::input::{CreateOutcome, Exit, Found, Input, Marks, StartOutcome};
use super::reason::Reason;
use super::spec::ContainerSpec;
use super::step::Policy;
use super::task::{Action, Cleanup, ContainerState, ContainerStatus, Preparation, TaskState};

/// Notes what is known now. What comes too late, twice or unasked changes nothing.
pub(super) fn absorb(
    task: &mut TaskState,
    input: Input,
    policy: &Policy,
    now: Timestamp,
    effects: &mut Vec<Effect>,
) {
    match input {
        Input::Tick => {}
        Input::StopRequested => task.desired = DesiredStatus::Stopped,
        Input::Prepared(outcome) => {
            if task.preparation == Preparation::Running {
                task.preparation = Preparation::Done;
                if let Err(reason) = outcome {
                    cannot_be_prepared(task, reason);
                }
            }
        }
        Input::Pulled { container, started_at, outcome } => {
            let Some(state) = awaiting(task, container, Action::Pull) else { return };
            pulled(state, outcome, policy);
            if started_at.is_some() {
                task.pull_started_at = task.pull_started_at.or(started_at);
                task.pull_stopped_at = Some(now);
            }
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
                    state.runs(now);
                    effects.push(Effect::Watch(container));
                }
                StartOutcome::Failed(reason) => state.fail(reason),
                StartOutcome::NotBegun => state.in_flight = None,
            }
        }
        Input::Exited { container, exit } => {
            let spec = task.spec.containers.get(container);
            let Some((spec, state)) = spec.zip(task.containers.get_mut(container)) else { return };
            if state.known == ContainerStatus::Running && !state.between_runs {
                let at = ended(state, spec, exit);
                task.execution_stopped_at = earlier(task.execution_stopped_at, at, now);
            }
        }
        Input::Health { container, status } => {
            let Some(state) = task.containers.get_mut(container) else { return };
            state.followed = None;
            if state.known == ContainerStatus::Running {
                state.set_health(status, now);
            }
        }
        Input::Adopted(found) => {
            let containers = task.spec.containers.iter().zip(&mut task.containers);
            for (container, ((spec, state), found)) in containers.zip(found).enumerate() {
                if state.known < ContainerStatus::Stopped && state.in_flight.is_none() {
                    let ended_at = match adopt(state, spec, found, now) {
                        Adopted::Runs => {
                            effects.push(Effect::Watch(container));
                            None
                        }
                        Adopted::Ended(at) => at,
                        Adopted::Waits => None,
                    };
                    task.execution_stopped_at = earlier(task.execution_stopped_at, ended_at, now);
                }
            }
        }
        Input::Unsaved(reason) => {
            // What an earlier run of the agent began goes on.
            if task.containers.iter().all(|it| it.known <= ContainerStatus::Created) {
                cannot_be_prepared(task, reason);
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
        CreateOutcome::Created { docker_id, image_digest } => {
            state.docker_id = Some(docker_id);
            state.image_digest = image_digest;
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
        CreateOutcome::NotBegun => state.in_flight = None,
    }
}

/// A container that its policy starts again counts as running all the while. Gives when the task
/// ended, if it did by this and that is known.
fn ended(state: &mut ContainerState, spec: &ContainerSpec, exit: Exit) -> Option<Timestamp> {
    let runs_again = spec.restart_policy.as_ref().is_some_and(|it| it.allows(&exit));
    state.exit_code = exit.code;
    state.reason = exit.reason;
    if runs_again {
        state.advance(ContainerStatus::Running);
        state.between_runs = true;
        state.restarts = state.restarts.saturating_add(1);
        None
    } else {
        state.settle();
        exit.at.filter(|_| spec.essential)
    }
}

/// When the first essential container ended: nothing ends later than now, whatever Docker says.
fn earlier(known: Option<Timestamp>, at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    known.into_iter().chain(at.map(|it| it.min(now))).min()
}

/// How a container was found that an earlier run of the agent left.
enum Adopted {
    Runs,
    /// When the task ended, if it did by this and that is known.
    Ended(Option<Timestamp>),
    Waits,
}

/// Takes over what an earlier run of the agent left in Docker.
fn adopt(
    state: &mut ContainerState,
    spec: &ContainerSpec,
    found: Found,
    now: Timestamp,
) -> Adopted {
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
            state.runs(now);
            return Adopted::Runs;
        }
        Found::Exited { marks, exit } => {
            mark(marks);
            state.runs(now);
            return Adopted::Ended(ended(state, spec, exit));
        }
    }
    Adopted::Waits
}

/// No container that is yet to be created will be; those that an earlier run of the agent had
/// prepared for are stopped.
fn cannot_be_prepared(task: &mut TaskState, reason: Reason) {
    task.desired = DesiredStatus::Stopped;
    task.reason = task.reason.take().or_else(|| Some(reason.as_str().to_owned()));
    for container in &mut task.containers {
        if container.known < ContainerStatus::Created && container.in_flight.is_none() {
            container.fail(reason.clone());
        }
    }
}
