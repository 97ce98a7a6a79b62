//! A task as the engine holds it: parsed once from the payload, and valid from then on.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use longshore_model::Ids;
use longshore_model::container_definition::Protocol;
use longshore_wire::acs;
use serde::{Deserialize, Serialize};

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
        Self::read(task, ids).map_err(|text| Rejection {
            arn,
            reason: Failure::UnrecognizedTask.because(format!("Error loading task - {text}")),
        })
    }

    /// The same task with no containers, for one that could not be read.
    pub fn unreadable(arn: String) -> Self {
        let (family, version) = Default::default();
        Self { arn, family, version, containers: Vec::new(), volumes: Vec::new() }
    }

    fn read(task: acs::Task, ids: &dyn Ids) -> Result<Self, String> {
        let acs::Task { arn, family, version, containers, volumes, .. } = task;
        let mut names = BTreeSet::new();
        if let Some(twice) = containers.iter().find(|it| !names.insert(it.name.as_str())) {
            return Err(format!("two containers are named {:?}", twice.name));
        }
        let volumes = volumes
            .into_iter()
            .map(|volume| read_volume(volume, &family, &version, ids))
            .collect::<Result<_, _>>()?;
        let containers = containers
            .into_iter()
            .map(|container| {
                let name = container.name.clone();
                read_container(container).map_err(|text| format!("container {name:?}: {text}"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { arn, family, version, containers, volumes })
    }

    /// What names the task in the log: the first characters of its id.
    pub fn short_id(&self) -> &str {
        let id = self.arn.rsplit('/').next().unwrap_or(&self.arn);
        id.get(..12).unwrap_or(id)
    }

    /// A Docker name of the task, in the form that log shippers and monitors know.
    pub(super) fn docker_name(&self, part: &str, ids: &dyn Ids) -> String {
        docker_name(&self.family, &self.version, part, ids)
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

fn read_volume(
    volume: acs::Volume,
    family: &str,
    version: &str,
    ids: &dyn Ids,
) -> Result<VolumeSpec, String> {
    let acs::Volume { name, host, .. } = volume;
    if name.is_empty() {
        return Err("a volume has no name".to_owned());
    }
    let host = host.ok_or_else(|| format!("volume {name:?} has no host"))?;
    let source = match host.source_path.filter(|path| !path.is_empty()) {
        Some(path) => VolumeSource::Host(path),
        None => VolumeSource::Docker(docker_name(family, version, &name, ids)),
    };
    Ok(VolumeSpec { name, source })
}

fn read_container(container: acs::Container) -> Result<ContainerSpec, String> {
    if container.name.is_empty() {
        return Err("it has no name".to_owned());
    }
    let command = match container.overrides {
        Some(overrides) => read_overrides(&overrides.0)?.unwrap_or(container.command),
        None => container.command,
    };
    let ports = container.port_mappings.into_iter().map(read_port).collect::<Result<_, _>>()?;
    let docker = container.docker_config.unwrap_or_default();
    Ok(ContainerSpec {
        name: container.name,
        image: container.image,
        command,
        entry_point: container.entry_point,
        cpu_units: amount("cpu", container.cpu)?,
        memory_mib: amount("memory", container.memory)?,
        essential: container.essential,
        environment: container.environment,
        links: container.links.iter().map(|link| read_link(link)).collect(),
        ports,
        mounts: container.mount_points.into_iter().map(read_mount).collect(),
        volumes_from: container.volumes_from.into_iter().map(read_volume_from).collect(),
        docker_config: docker.config,
        docker_host_config: docker.host_config,
    })
}

/// The one override that may travel to the agent is the command.
fn read_overrides(text: &str) -> Result<Option<Vec<String>>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Overrides {
        command: Option<Vec<String>>,
    }
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_str::<Option<Overrides>>(text)
        .map(|overrides| overrides.and_then(|it| it.command))
        .map_err(|error| format!("its overrides cannot be read: {error}"))
}

fn amount(member: &str, value: i64) -> Result<u32, String> {
    u32::try_from(value).map_err(|_| format!("its {member} {value} is out of range"))
}

fn read_port(mapping: acs::PortMapping) -> Result<PortSpec, String> {
    let port =
        |value: i32| u16::try_from(value).map_err(|_| format!("its port {value} is out of range"));
    let protocol = match mapping.protocol.as_deref() {
        None | Some("tcp") => Protocol::Tcp,
        Some("udp") => Protocol::Udp,
        Some(other) => return Err(format!("its port's protocol {other:?} is unknown")),
    };
    let (container_port, host_port) = (port(mapping.container_port)?, port(mapping.host_port)?);
    if container_port == 0 {
        return Err("its container port is 0".to_owned());
    }
    Ok(PortSpec { container_port, host_port, protocol })
}

fn read_link(link: &str) -> LinkSpec {
    let (container, alias) = link.split_once(':').unwrap_or((link, link));
    LinkSpec { container: container.to_owned(), alias: alias.to_owned() }
}

fn read_mount(mount: acs::MountPoint) -> MountSpec {
    let acs::MountPoint { source_volume, container_path, read_only } = mount;
    MountSpec { volume: source_volume, container_path, read_only }
}

fn read_volume_from(from: acs::VolumeFrom) -> VolumeFromSpec {
    VolumeFromSpec { container: from.source_container, read_only: from.read_only }
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
