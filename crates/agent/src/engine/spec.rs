//! A task as the engine holds it: parsed once from the payload, and valid from then on.
//!
//! It is also a file on disk, so a member that joined later has a default.

mod read;

use std::collections::BTreeMap;

use longshore_model::Ids;
use longshore_model::container_definition::Protocol;
use longshore_wire::{Secret, acs};
use serde::{Deserialize, Serialize};

use super::input::Exit;
use super::reason::{Failure, Reason};

/// What a task is made of. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// Names the task.
    pub arn: String,
    /// The task definition's family.
    pub family: String,
    /// The task definition's revision, as text.
    pub version: String,
    /// In the task definition's order.
    pub containers: Vec<ContainerSpec>,
    /// What its containers can mount.
    pub volumes: Vec<VolumeSpec>,
    /// What its containers may take together.
    #[serde(default)]
    pub limits: Limits,
    /// As the control plane calls it; `None` where it did not say.
    #[serde(default)]
    pub launch_type: Option<String>,
}

/// What a task's containers may take together; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Units of 1/1024 CPU.
    pub cpu_units: u32,
    /// As a hard limit.
    pub memory_mib: u32,
}

/// One container of a task. Names in it may still be unknown: that is the container's failure and
/// not the task's, so whoever creates the container finds it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// Unique within the task.
    pub name: String,
    /// As the task definition has it.
    pub image: String,
    /// Empty means the image's.
    pub command: Vec<String>,
    /// Empty means the image's.
    pub entry_point: Vec<String>,
    /// Units of 1/1024 CPU.
    pub cpu_units: u32,
    /// The hard limit; 0 is none.
    pub memory_mib: u32,
    /// Whether the task ends with this container.
    pub essential: bool,
    /// Never to be logged.
    pub environment: BTreeMap<String, String>,
    /// Containers that this one reaches by name.
    pub links: Vec<LinkSpec>,
    /// Ports that the host offers.
    pub ports: Vec<PortSpec>,
    /// Volumes of the task.
    pub mounts: Vec<MountSpec>,
    /// Containers whose volumes this one has too.
    pub volumes_from: Vec<VolumeFromSpec>,
    /// Docker's JSON of a container `Config`, laid over what the other members say.
    pub docker_config: Option<String>,
    /// Docker's JSON of a `HostConfig`, likewise.
    pub docker_host_config: Option<String>,
    /// Whether Docker runs a health check in it whose outcome matters.
    #[serde(default)]
    pub has_health_check: bool,
    /// What must have happened to other containers before this one is created. When the task
    /// stops, this one stops before them.
    #[serde(default)]
    pub depends_on: Vec<DependencySpec>,
    /// How long, after it came to run, others wait for what they need of it.
    #[serde(default)]
    pub start_timeout_secs: Option<u32>,
    /// Between SIGTERM and SIGKILL, where it is not the agent's own.
    #[serde(default)]
    pub stop_timeout_secs: Option<u32>,
    /// Whether it is started again when it ends.
    #[serde(default)]
    pub restart_policy: Option<RestartPolicy>,
    /// How to log in to its image's registry.
    #[serde(default)]
    pub registry_login: Option<RegistryLogin>,
    /// The container's name in the API; `None` where the control plane did not say.
    #[serde(default)]
    pub arn: Option<String>,
    /// Which options of the log driver are secrets; `None` where the control plane did not say.
    #[serde(default)]
    pub secret_log_options: Option<Vec<String>>,
}

/// Another container of the task, and what must have happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencySpec {
    /// The other container.
    pub container: String,
    /// What must have happened to it.
    pub condition: Condition,
}

/// What must have happened to a container that another depends on.
/// Source: Amazon ECS API Reference, `ContainerDependency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// It was started.
    Start,
    /// It ran and ended.
    Complete,
    /// It ran and ended with 0.
    Success,
    /// Its health check passed.
    Healthy,
}

/// When a container that ended is started again in place.
/// Source: Amazon ECS API Reference, `ContainerRestartPolicy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    /// Exit codes after which it is not.
    pub ignored_exit_codes: Vec<i32>,
    /// How long it must have run.
    pub restart_attempt_period_secs: u32,
}

impl RestartPolicy {
    /// Whether a container is started again that ended like this. One of which it is not known
    /// how it ended is not.
    pub fn allows(&self, exit: &Exit) -> bool {
        let ran_long = exit.ran_secs.is_some_and(|it| it >= self.restart_attempt_period_secs);
        exit.code.is_some_and(|it| !self.ignored_exit_codes.contains(&it)) && ran_long
    }
}

/// A login to a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryLogin {
    /// Who.
    pub username: String,
    /// Never to be logged.
    pub password: Secret,
}

/// Another container of the task, and the name by which to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSpec {
    /// The other container.
    pub container: String,
    /// Its name inside this one.
    pub alias: String,
}

/// A port of the container, offered by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortSpec {
    /// Inside the container.
    pub container_port: u16,
    /// 0 lets Docker choose.
    pub host_port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// Where a volume appears in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountSpec {
    /// The volume's name in the task.
    pub volume: String,
    /// Where the container sees it.
    pub container_path: String,
    /// Whether the container may not write to it.
    pub read_only: bool,
}

/// A container whose volumes are to be shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeFromSpec {
    /// The other container.
    pub container: String,
    /// Whether this one may not write to them.
    pub read_only: bool,
}

/// A volume of the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeSpec {
    /// Its name in the task.
    pub name: String,
    /// Where its content is.
    pub source: VolumeSource,
}

/// Where a volume's content is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeSource {
    /// A path of the host; outlives the task.
    Host(String),
    /// A Docker volume of this name, empty at first, removed with the task's containers.
    Docker(String),
    /// A Docker volume of which the task definition says more.
    Configured(DockerVolumeSpec),
}

/// A Docker volume as the task definition wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerVolumeSpec {
    /// Its name in Docker.
    pub docker_name: String,
    /// Who makes it, and how long it lives.
    pub scope: VolumeScope,
    /// Docker's own if there is none.
    pub driver: Option<String>,
    /// Passed to the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// For whoever looks at the volume.
    pub labels: BTreeMap<String, String>,
}

/// Who makes a Docker volume, and how long it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeScope {
    /// It is made for the task and removed with the task's containers.
    Task,
    /// It stays. It is made if need be.
    SharedAutoprovision,
    /// It stays, and must be there.
    Shared,
}

impl VolumeSource {
    /// The name in Docker, if the volume goes when the task does.
    pub fn removed_with_task(&self) -> Option<&str> {
        match self {
            Self::Docker(name) => Some(name),
            Self::Configured(volume) if volume.scope == VolumeScope::Task => {
                Some(&volume.docker_name)
            }
            Self::Host(_) | Self::Configured(_) => None,
        }
    }
}

/// A task that cannot be loaded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The task's.
    pub arn: String,
    /// For the API and the log.
    pub reason: Reason,
}

impl TaskSpec {
    /// Reads a payload's task. `ids` is drawn on for the names of Docker volumes.
    ///
    /// # Errors
    /// [`Rejection`] when no container of it could be made, however one reads it.
    pub fn parse(task: acs::Task, ids: &dyn Ids) -> Result<Self, Rejection> {
        let arn = task.arn.clone();
        read::task(task, ids).map_err(|text| Rejection {
            arn,
            reason: Failure::UnrecognizedTask.because(format!("Error loading task - {text}")),
        })
    }

    /// The same task with no containers, for one that could not be read.
    pub fn unreadable(arn: String) -> Self {
        let (family, version) = Default::default();
        let (containers, volumes, limits, launch_type) = Default::default();
        Self { arn, family, version, containers, volumes, limits, launch_type }
    }

    /// What names the task in the log: the first characters of its id.
    pub fn short_id(&self) -> &str {
        let id = self.arn.rsplit('/').next().unwrap_or(&self.arn);
        id.get(..12).unwrap_or(id)
    }

    /// What names the task in a path: its id, and nothing else of an ARN that may say anything.
    pub fn file_name(&self) -> String {
        file_name(&self.arn)
    }

    /// A Docker name of the task, in the form that log shippers and monitors know.
    pub(super) fn docker_name(&self, part: &str, ids: &dyn Ids) -> String {
        docker_name(&self.family, &self.version, part, ids)
    }

    /// Whether something must be there before its containers can be created.
    pub(super) fn needs_preparation(&self) -> bool {
        let is_configured = |it: &VolumeSpec| matches!(it.source, VolumeSource::Configured(_));
        self.limits != Limits::default() || self.volumes.iter().any(is_configured)
    }
}

impl ContainerSpec {
    /// Whether ports of the host may lead to it, be it only by way of Docker's own JSON.
    pub fn offers_ports(&self) -> bool {
        let names_ports = |text: &String| text.contains("Ports") || text.contains("PortBindings");
        !self.ports.is_empty() || self.docker_host_config.as_ref().is_some_and(names_ports)
    }
}

impl std::fmt::Debug for ContainerSpec {
    /// Leaves out the environment and Docker's JSON: secrets travel there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let image = &self.image;
        f.debug_struct("ContainerSpec")
            .field("name", &self.name)
            .field("image", image)
            .finish_non_exhaustive()
    }
}

/// The id at the end of the ARN, which is unique, of characters that no path minds.
pub(crate) fn file_name(arn: &str) -> String {
    let id = arn.rsplit('/').next().unwrap_or_default();
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect()
}

/// `ecs-<family>-<version>-<part>-<20 hex digits>`, of characters that Docker takes.
fn docker_name(family: &str, version: &str, part: &str, ids: &dyn Ids) -> String {
    let part: String = part.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let random = format!("{:032x}", ids.next_bits());
    let random = random.get(12..).unwrap_or(&random);
    format!("ecs-{family}-{version}-{part}-{random}")
}

#[cfg(test)]
mod tests;
