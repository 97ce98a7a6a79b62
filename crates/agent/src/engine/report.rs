//! What the control plane is told of a task, in the order in which it happened.

use longshore_model::{HealthStatus, LastStatus, NetworkBinding, Timestamp};
use serde::{Deserialize, Serialize};

use super::effect::Effect;
use super::reason::Reason;
use super::spec::ContainerSpec;
use super::task::{ContainerState, ContainerStatus, TaskState};

/// The content of one SubmitTaskStateChange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The task's status now. PENDING only says that no change of it is meant.
    pub status: LastStatus,
    /// Why the task as a whole failed. Mostly the containers say why instead.
    pub reason: Option<String>,
    /// The containers that changed since the report before.
    pub containers: Vec<ContainerReport>,
    /// When the first pull began, if anything was pulled.
    pub pull_started_at: Option<Timestamp>,
    /// When the last pull ended.
    pub pull_stopped_at: Option<Timestamp>,
    /// When the first essential container ended.
    pub execution_stopped_at: Option<Timestamp>,
}

impl Report {
    /// Whether it says that something has stopped, after which it must never run again: that is to
    /// be remembered whatever happens, before it is said.
    pub fn tells_an_end(&self) -> bool {
        let ended = |it: &ContainerReport| it.status == LastStatus::Stopped;
        self.status == LastStatus::Stopped || self.containers.iter().any(ended)
    }
}

/// A container that came to run, stopped, or became healthy or unhealthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerReport {
    /// Its name in the task definition.
    pub name: String,
    /// RUNNING or STOPPED.
    pub status: LastStatus,
    /// Only of a container that ran and ended.
    pub exit_code: Option<i32>,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// The ports of the host that lead to it.
    pub network_bindings: Vec<NetworkBinding>,
    /// Docker's id of it.
    pub runtime_id: Option<String>,
    /// Of its image, if it came from a registry.
    #[serde(default)]
    pub image_digest: Option<String>,
    /// Of a container with a health check.
    #[serde(default)]
    pub health: Option<HealthStatus>,
    /// Since when it is so.
    #[serde(default)]
    pub health_since: Option<Timestamp>,
}

/// Files a report of whatever changed, and sends the oldest that is not accepted yet.
pub(super) fn file(task: &mut TaskState, now: Timestamp, effects: &mut Vec<Effect>) {
    // Of its health only the latest is of interest, so that never adds to what waits to be told.
    let tells_health = task.outbox.is_empty();
    let containers: Vec<ContainerReport> = task
        .spec
        .containers
        .iter()
        .zip(&mut task.containers)
        .filter_map(|(spec, state)| report_container(spec, state, tells_health))
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

fn report_container(
    spec: &ContainerSpec,
    state: &mut ContainerState,
    tells_health: bool,
) -> Option<ContainerReport> {
    let status = match state.known {
        ContainerStatus::None | ContainerStatus::Pulled | ContainerStatus::Created => return None,
        ContainerStatus::Running => LastStatus::Running,
        ContainerStatus::Stopped => LastStatus::Stopped,
    };
    let turned = tells_health && spec.has_health_check && state.health != state.reported_health;
    if status <= state.reported && !turned {
        return None;
    }
    state.reported = status;
    state.reported_health = state.health;
    let has_ended = status == LastStatus::Stopped;
    Some(ContainerReport {
        name: spec.name.clone(),
        status,
        exit_code: state.exit_code.filter(|_| has_ended),
        reason: state.reason.clone(),
        network_bindings: state.network_bindings.clone(),
        runtime_id: state.docker_id.clone(),
        image_digest: state.image_digest.clone(),
        health: spec.has_health_check.then_some(state.health),
        health_since: state.health_since.filter(|_| spec.has_health_check),
    })
}
