//! The rules that bind the members of a task definition to each other.

use longshore_model::ContainerName;
use longshore_model::container_definition::{ContainerDefinition, Protocol};
use longshore_model::overrides::{MemoryError, effective};
use longshore_model::task_definition::NetworkMode;

use super::Registration;

/// The most containers of one definition. Source: Amazon ECS Developer Guide, service limits 2017.
const MAX_CONTAINERS: usize = 10;

/// Why the members of a definition do not fit together. Texts as ECS sends them where they are
/// known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// There is no container.
    #[error("Container list cannot be empty.")]
    NoContainers,
    /// There are too many.
    #[error("Too many containers.")]
    TooManyContainers,
    /// Two have one name.
    #[error("Container names must be unique within a task definition.")]
    RepeatedName,
    /// None is essential.
    #[error("Task definition doesn't have any essential container")]
    NoEssentialContainer,
    /// Memory settings.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A host port in host mode that is not the container port.
    #[error(
        "When networkMode=host, the host ports and container ports in port mappings must match."
    )]
    HostPortDiffers,
    /// A static host port twice.
    #[error("Host port {0} is mapped more than once.")]
    RepeatedHostPort(u16),
    /// Port mappings without a network.
    #[error("Port mappings are not supported when networkMode=none.")]
    PortsWithoutNetwork,
    /// Links outside the bridge.
    #[error("Links are not supported when networkMode={0}.")]
    LinksWithoutBridge(&'static str),
    /// A link, or volumesFrom, to a container that is not there.
    #[error("Invalid '{member}' setting. Unknown container: '{name}'")]
    UnknownContainer {
        /// `links` or `volumesFrom`.
        member: &'static str,
        /// The name that was given.
        name: String,
    },
    /// Containers that wait for each other.
    #[error("Container {0} should not have a cycle")]
    Cycle(&'static str),
    /// Two volumes of one name.
    #[error("Volume names must be unique within a task definition.")]
    RepeatedVolume,
    /// A mount point of a volume that is not declared.
    #[error("Unknown volume '{0}'.")]
    UnknownVolume(String),
    /// A mount point without a path in the container.
    #[error("Invalid 'containerPath' setting for container '{0}'.")]
    NoContainerPath(ContainerName),
}

/// Checks a definition as a whole.
pub(super) fn check(registration: &Registration) -> Result<(), DefinitionError> {
    check_containers(&registration.containers)?;
    check_network(registration)?;
    check_references(&registration.containers)?;
    check_volumes(registration)
}

fn check_containers(containers: &[ContainerDefinition]) -> Result<(), DefinitionError> {
    match containers.len() {
        0 => return Err(DefinitionError::NoContainers),
        count if count > MAX_CONTAINERS => return Err(DefinitionError::TooManyContainers),
        _ => {}
    }
    for (at, container) in containers.iter().enumerate() {
        if containers[..at].iter().any(|it| it.name == container.name) {
            return Err(DefinitionError::RepeatedName);
        }
        effective(container, None).check_memory(&container.name)?;
    }
    if !containers.iter().any(|it| it.essential) {
        return Err(DefinitionError::NoEssentialContainer);
    }
    Ok(())
}

fn check_network(registration: &Registration) -> Result<(), DefinitionError> {
    let mode = registration.network_mode.unwrap_or(NetworkMode::Bridge);
    let mut taken: Vec<(Protocol, u16)> = Vec::new();
    for container in &registration.containers {
        if mode != NetworkMode::Bridge && container.links.as_ref().is_some_and(|it| !it.is_empty())
        {
            return Err(DefinitionError::LinksWithoutBridge(mode.as_str()));
        }
        if mode == NetworkMode::None && !container.port_mappings.is_empty() {
            return Err(DefinitionError::PortsWithoutNetwork);
        }
        for mapping in &container.port_mappings {
            if mode == NetworkMode::Host && mapping.host_port != mapping.container_port {
                return Err(DefinitionError::HostPortDiffers);
            }
            if mapping.host_port == 0 {
                continue;
            }
            let port = (mapping.protocol, mapping.host_port);
            if taken.contains(&port) {
                return Err(DefinitionError::RepeatedHostPort(mapping.host_port));
            }
            taken.push(port);
        }
    }
    Ok(())
}

/// The names of the containers that one's links lead to: each is `name` or `name:alias`.
fn linked(container: &ContainerDefinition) -> impl Iterator<Item = &str> {
    let links = container.links.as_deref().unwrap_or_default();
    links.iter().map(|it| it.split_once(':').map_or(it.as_str(), |(name, _)| name))
}

fn volume_sources(container: &ContainerDefinition) -> impl Iterator<Item = &str> {
    container.volumes_from.iter().map(|it| it.source_container.as_deref().unwrap_or_default())
}

fn check_references(containers: &[ContainerDefinition]) -> Result<(), DefinitionError> {
    let index_of = |name: &str| containers.iter().position(|it| it.name.as_str() == name);
    let mut links: Vec<Vec<usize>> = Vec::new();
    let mut all: Vec<Vec<usize>> = Vec::new();
    for container in containers {
        let resolve = |member: &'static str, name: &str| {
            index_of(name)
                .ok_or_else(|| DefinitionError::UnknownContainer { member, name: name.into() })
        };
        let to: Vec<usize> =
            linked(container).map(|it| resolve("links", it)).collect::<Result<_, _>>()?;
        let from: Vec<usize> = volume_sources(container)
            .map(|it| resolve("volumesFrom", it))
            .collect::<Result<_, _>>()?;
        all.push(to.iter().chain(&from).copied().collect());
        links.push(to);
    }
    if has_cycle(&links) {
        return Err(DefinitionError::Cycle("links"));
    }
    if has_cycle(&all) {
        return Err(DefinitionError::Cycle("links and volumesFrom"));
    }
    Ok(())
}

/// Whether some of these, each of which waits for others, can never begin.
fn has_cycle(waits_for: &[Vec<usize>]) -> bool {
    let mut begun = vec![false; waits_for.len()];
    loop {
        let next = (0..waits_for.len())
            .find(|&at| !begun[at] && waits_for[at].iter().all(|&needed| begun[needed]));
        match next {
            Some(at) => begun[at] = true,
            None => return begun.contains(&false),
        }
    }
}

fn check_volumes(registration: &Registration) -> Result<(), DefinitionError> {
    let volumes = &registration.volumes;
    for (at, volume) in volumes.iter().enumerate() {
        if volumes[..at].iter().any(|it| it.name == volume.name) {
            return Err(DefinitionError::RepeatedVolume);
        }
    }
    for container in &registration.containers {
        for mount in &container.mount_points {
            let name = mount.source_volume.as_deref().unwrap_or_default();
            if !volumes.iter().any(|it| it.name == name) {
                return Err(DefinitionError::UnknownVolume(name.into()));
            }
            if mount.container_path.as_deref().unwrap_or_default().is_empty() {
                return Err(DefinitionError::NoContainerPath(container.name.clone()));
            }
        }
    }
    Ok(())
}
