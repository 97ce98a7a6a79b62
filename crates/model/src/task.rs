//! A task: containers of a definition on one container instance.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::arn::{ArnForm, Owner};
use crate::clock::Timestamp;
use crate::container_definition::{ContainerDefinition, Protocol};
use crate::id::{ContainerId, InstanceId, TaskId};
use crate::launch_type::LaunchType;
use crate::names::{ClusterName, ContainerName};
use crate::overrides::Overrides;
use crate::status::{DesiredStatus, LastStatus};
use crate::tags::Tags;
use crate::task_definition::{DefinitionKey, TaskDefinition};

/// A task. It exists from the moment that it is placed; it is never started again, only replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its identity.
    pub id: TaskId,
    /// The generation of its ARN, and of its containers'.
    #[serde(default, skip_serializing_if = "ArnForm::is_long")]
    pub arn_form: ArnForm,
    /// The cluster that it runs in.
    pub cluster: ClusterName,
    /// What it was made from.
    pub definition: DefinitionKey,
    /// Where it runs.
    pub container_instance: InstanceId,
    /// As the caller sent them; `None` when nothing was overridden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Arc<Overrides>>,
    /// The least over its containers, as the agent reported it.
    pub last_status: LastStatus,
    /// What the control plane wants.
    pub desired_status: DesiredStatus,
    /// One for each container of the definition, in its order.
    pub containers: Box<[Container]>,
    /// The caller's mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<Arc<str>>,
    /// `family:NAME` unless the caller named another.
    pub group: Arc<str>,
    /// The callers' tags and the managed one; those launched together share them.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// What it was launched as.
    #[serde(default, skip_serializing_if = "LaunchType::is_ec2")]
    pub launch_type: LaunchType,
    /// The call that made it, where the caller marked the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<Arc<ClientToken>>,
    /// From 1; one more with every transaction that changes the task.
    pub version: u64,
    /// Why it stops or stopped. The first reason stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_reason: Option<Box<str>>,
    /// The kind of that reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_code: Option<StopCode>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it was first reported RUNNING.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the desired status became STOPPED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopping_at: Option<Timestamp>,
    /// When it was reported STOPPED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// When the agent began to pull images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_started_at: Option<Timestamp>,
    /// When the agent had pulled them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_stopped_at: Option<Timestamp>,
    /// When the essential container ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_stopped_at: Option<Timestamp>,
    /// Set where it was STOPPED without a word of its agent, whose machine stayed away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
}

/// What is known of a task that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lost {
    /// Its containers may run: where it was it takes what it took, and is remembered.
    AtLarge,
    /// Its machine has said that it is over, or was deregistered.
    Settled {
        /// When.
        at: Timestamp,
    },
}

impl Task {
    /// Its ARN.
    pub fn arn(&self, owner: &Owner) -> String {
        owner.task_arn(self.arn_form, &self.cluster, self.id)
    }

    /// The ARN of one of its containers.
    pub fn container_arn(&self, container: ContainerId, owner: &Owner) -> String {
        owner.container_arn(self.arn_form, &self.cluster, self.id, container)
    }

    /// Wants the task to end. The first one to want it gives the reason; what comes later changes
    /// nothing.
    pub fn stop(&mut self, now: Timestamp, code: StopCode, reason: &str) {
        if self.desired_status == DesiredStatus::Running {
            self.desired_status = DesiredStatus::Stopped;
            self.stopping_at = Some(now);
        }
        if self.stopped_reason.is_none() {
            self.stopped_reason = Some(reason.into());
            self.stop_code = Some(code);
        }
    }

    /// Makes it STOPPED, with all of its containers.
    pub fn end(&mut self, now: Timestamp) {
        self.last_status = LastStatus::Stopped;
        self.stopped_at = Some(now);
        for container in &mut self.containers {
            container.last_status = LastStatus::Stopped;
        }
    }

    /// Whether it was given up and may still run where it was.
    pub fn is_at_large(&self) -> bool {
        self.lost == Some(Lost::AtLarge)
    }

    /// Whether its instance's resources and host ports are taken by it: while it lives, and while
    /// it may run although it was given up.
    pub fn takes_resources(&self) -> bool {
        self.last_status != LastStatus::Stopped || self.is_at_large()
    }

    /// When all of it had ended, as far as anybody will ever know; it can be forgotten some time
    /// after that.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self.lost {
            None => self.stopped_at,
            Some(Lost::AtLarge) => None,
            Some(Lost::Settled { at }) => Some(at),
        }
    }

    /// What health checks say of the task as a whole.
    pub fn health(&self, definition: &TaskDefinition) -> HealthStatus {
        health(&self.containers, definition)
    }
}

/// Health checks of essential containers count; only where none of these has one do the others.
/// Source: Amazon ECS API Reference, `HealthCheck`.
fn health(containers: &[Container], definition: &TaskDefinition) -> HealthStatus {
    let has_check = |it: &&ContainerDefinition| it.health_check.is_some();
    let (essential, others): (Vec<_>, Vec<_>) =
        definition.containers.iter().filter(has_check).partition(|it| it.essential);
    let counted = if essential.is_empty() { others } else { essential };
    let health = |defined: &&ContainerDefinition| {
        let container = containers.iter().find(|it| it.name == defined.name);
        container.and_then(|it| it.health).unwrap_or_default()
    };
    let healths: Vec<HealthStatus> = counted.iter().map(health).collect();
    if healths.contains(&HealthStatus::Unhealthy) {
        HealthStatus::Unhealthy
    } else if healths.is_empty() || healths.contains(&HealthStatus::Unknown) {
        HealthStatus::Unknown
    } else {
        HealthStatus::Healthy
    }
}

/// A caller's mark of one RunTask call: the same call made again gives the same tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientToken {
    /// As the caller sent it, at most 64 characters.
    pub token: Box<str>,
    /// What else the call asked for, as a digest: another call may not use the same token.
    pub parameters: Box<str>,
    /// What the call could not do: the same call made again says it again. One of the call's tasks
    /// has them, for all and for as long as that one is remembered.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub failures: Box<[LaunchFailure]>,
}

/// A container instance that could not take a task, in a call that made others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchFailure {
    /// The instance.
    pub container_instance: InstanceId,
    /// Why, as the caller was told.
    pub reason: Box<str>,
    /// The figures, as the caller was told; kept for the first of a call's failures only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<str>>,
}

/// A container of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its identity.
    pub id: ContainerId,
    /// The name in the definition.
    pub name: ContainerName,
    /// As the agent reported it.
    pub last_status: LastStatus,
    /// Absent while it runs, and for ever when it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What the agent had to say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// The ports as the Docker Engine bound them.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub network_bindings: Box<[NetworkBinding]>,
    /// The Docker Engine's id for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<Box<str>>,
    /// The digest of its image, where that came from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<Box<str>>,
    /// As its health check last had it; `None` where no agent has told of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthStatus>,
    /// Since when, by its agent's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_since: Option<Timestamp>,
}

/// What health checks say of a container, or of a task as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthStatus {
    /// There is no check, or no verdict yet.
    #[default]
    #[serde(rename = "UNKNOWN")]
    Unknown,
    /// The check passed.
    #[serde(rename = "HEALTHY")]
    Healthy,
    /// The check failed as often as it may.
    #[serde(rename = "UNHEALTHY")]
    Unhealthy,
}

impl HealthStatus {
    /// As ECS spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
        }
    }

    /// The status that ECS spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unknown, Self::Healthy, Self::Unhealthy].into_iter().find(|it| it.as_str() == text)
    }
}

/// A port of a container and where the host offers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkBinding {
    /// The host's address, `0.0.0.0` for all.
    pub bind_ip: Box<str>,
    /// The port in the container.
    pub container_port: u16,
    /// The port of the host.
    pub host_port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// Why a task stopped, as a code. Source: Amazon ECS API Reference, `Task.stopCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopCode {
    /// It never ran.
    TaskFailedToStart,
    /// An essential container ended.
    EssentialContainerExited,
    /// StopTask, or a forced deregistration.
    UserInitiated,
    /// Its machine stayed away for longer than its policy allows. ECS has this for machines that
    /// are taken away, and nothing closer.
    TerminationNotice,
}

impl StopCode {
    /// As ECS spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TaskFailedToStart => "TaskFailedToStart",
            Self::EssentialContainerExited => "EssentialContainerExited",
            Self::UserInitiated => "UserInitiated",
            Self::TerminationNotice => "TerminationNotice",
        }
    }
}

#[cfg(test)]
mod tests;
