//! A task definition: what a task is made of.

mod volume;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::attribute::Attribute;
use crate::clock::Timestamp;
use crate::container_definition::ContainerDefinition;
use crate::launch_type::LaunchKind;
use crate::names::Family;
use crate::overrides::Overrides;
use crate::status::DefinitionStatus;
use crate::tags::Tags;
use crate::task_size::TaskSize;

pub use volume::{DockerVolume, Volume, VolumeScope};

/// Family and revision: which task definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DefinitionKey {
    /// The family.
    pub family: Family,
    /// From 1; never given twice in a family.
    pub revision: u32,
}

impl fmt::Display for DefinitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.family, self.revision)
    }
}

/// The text is not `FAMILY:REVISION`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a task definition is named FAMILY:REVISION")]
pub struct DefinitionKeyError;

impl FromStr for DefinitionKey {
    type Err = DefinitionKeyError;

    fn from_str(text: &str) -> Result<Self, DefinitionKeyError> {
        let (family, revision) = text.split_once(':').ok_or(DefinitionKeyError)?;
        Ok(Self {
            family: family.parse().map_err(|_| DefinitionKeyError)?,
            revision: revision.parse().map_err(|_| DefinitionKeyError)?,
        })
    }
}

/// A registered revision. Only its status ever changes, with it when it was deregistered, and its
/// tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// Family and revision.
    pub key: DefinitionKey,
    /// ACTIVE, INACTIVE once deregistered, DELETE_IN_PROGRESS until no task needs it any more.
    pub status: DefinitionStatus,
    /// 1 to 10, with different names, at least one of them essential.
    pub containers: Vec<ContainerDefinition>,
    /// Volumes that containers mount by name.
    pub volumes: Vec<Volume>,
    /// The role of the task's containers.
    pub task_role_arn: Option<String>,
    /// Absent means bridge, and stays absent in responses.
    pub network_mode: Option<NetworkMode>,
    /// `memberOf` expressions, each known to parse.
    pub member_of: Vec<String>,
    /// Capabilities that an instance must have.
    pub requires_attributes: Vec<Attribute>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was deregistered; `None` while it is ACTIVE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deregistered_at: Option<Timestamp>,
    /// The callers' tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Who registered it, as an ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_by: Option<String>,
    /// CPU and memory of the task as a whole.
    #[serde(default, skip_serializing_if = "TaskSize::is_open")]
    pub size: TaskSize,
    /// Whose processes its containers see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid_mode: Option<PidMode>,
    /// With whom its containers share System V IPC and `/dev/shm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipc_mode: Option<IpcMode>,
    /// What its containers are built for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_platform: Option<RuntimePlatform>,
    /// The role that pulls images and secrets elsewhere; here it is a note of the caller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// The launch types that it was checked against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_compatibilities: Option<Vec<LaunchKind>>,
}

impl TaskDefinition {
    /// The role that a task with these overrides has, if any.
    pub fn task_role<'a>(&'a self, overrides: Option<&'a Overrides>) -> Option<&'a str> {
        let overridden = overrides.and_then(|it| it.task_role_arn.as_deref());
        overridden.or(self.task_role_arn.as_deref())
    }

    /// The one kind of container instances that it is for, EC2 or EXTERNAL; `None` where it is for
    /// both. FARGATE says nothing of them.
    pub fn instance_kind(&self) -> Option<LaunchKind> {
        let required = self.requires_compatibilities.as_deref().unwrap_or_default();
        let of_instances = |it: &&LaunchKind| **it != LaunchKind::Fargate;
        let first = *required.iter().find(of_instances)?;
        required.iter().filter(of_instances).all(|it| *it == first).then_some(first)
    }

    /// An ACTIVE revision with nothing set but its containers.
    pub fn new(
        key: DefinitionKey,
        containers: Vec<ContainerDefinition>,
        registered_at: Timestamp,
    ) -> Self {
        Self {
            key,
            status: DefinitionStatus::Active,
            containers,
            volumes: Vec::new(),
            task_role_arn: None,
            network_mode: None,
            member_of: Vec::new(),
            requires_attributes: Vec::new(),
            registered_at,
            deregistered_at: None,
            tags: Tags::default(),
            registered_by: None,
            size: TaskSize::default(),
            pid_mode: None,
            ipc_mode: None,
            runtime_platform: None,
            execution_role_arn: None,
            requires_compatibilities: None,
        }
    }

    /// Whether its tasks cannot run without secrets.
    pub fn needs_secrets(&self) -> bool {
        let needs = |it: &ContainerDefinition| {
            it.repository_credentials.is_some() || it.secret_values().next().is_some()
        };
        self.containers.iter().any(needs)
    }

    /// Where its containers' ports are.
    pub fn network(&self) -> NetworkMode {
        self.network_mode.unwrap_or(NetworkMode::Bridge)
    }
}

/// What is remembered of a family's revisions that were deleted: that their numbers are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedRevisions {
    /// The family.
    pub family: Family,
    /// The highest of them.
    pub highest: u32,
}

/// The network that a task's containers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// Docker's bridge, with port mappings.
    Bridge,
    /// The host's own network.
    Host,
    /// No network.
    None,
}

impl NetworkMode {
    /// As ECS and Docker spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::None => "none",
        }
    }

    /// The mode that is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Bridge, Self::Host, Self::None].into_iter().find(|it| it.as_str() == text)
    }
}

/// Whose processes a task's containers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PidMode {
    /// The host's.
    Host,
    /// Those of all containers of the task.
    Task,
}

impl PidMode {
    /// As ECS spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Task => "task",
        }
    }

    /// The mode that is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Host, Self::Task].into_iter().find(|it| it.as_str() == text)
    }
}

/// With whom a task's containers share System V IPC and `/dev/shm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpcMode {
    /// With the host.
    Host,
    /// With each other.
    Task,
    /// With nobody, and without `/dev/shm`.
    None,
}

impl IpcMode {
    /// As ECS and Docker spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Task => "task",
            Self::None => "none",
        }
    }

    /// The mode that is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Host, Self::Task, Self::None].into_iter().find(|it| it.as_str() == text)
    }
}

/// What a task's containers are built for. Placement honours it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimePlatform {
    /// The processor.
    pub cpu_architecture: Option<CpuArchitecture>,
    /// Linux is said to be meant, which is all that there is.
    pub is_linux: bool,
}

/// A processor that containers are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CpuArchitecture {
    /// 64 bits of Intel and AMD.
    X86_64,
    /// 64 bits of Arm.
    Arm64,
}

impl CpuArchitecture {
    /// As ECS spells it in a definition; as an instance's attribute it is the same in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "X86_64",
            Self::Arm64 => "ARM64",
        }
    }

    /// The processor that is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::X86_64, Self::Arm64].into_iter().find(|it| it.as_str() == text)
    }
}
