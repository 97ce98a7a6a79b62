//! The rules that bind the members of a task definition to each other.

mod namespaces;
mod references;

use std::collections::BTreeSet;

use longshore_model::ContainerName;
use longshore_model::container_definition::{ContainerDefinition, Protocol};
use longshore_model::overrides::{SizeError, check_sizes};
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
    /// CPU and memory.
    #[error(transparent)]
    Size(#[from] SizeError),
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
    /// Two ports of one name.
    #[error("Port mapping names must be unique within a task definition: '{0}'.")]
    RepeatedPortName(String),
    /// Links outside the bridge.
    #[error("Links are not supported when networkMode={0}.")]
    LinksWithoutBridge(&'static str),
    /// A link, volumesFrom or dependsOn to a container that is not there.
    #[error("Invalid '{member}' setting. Unknown container: '{name}'")]
    UnknownContainer {
        /// `links`, `volumesFrom` or `dependsOn`.
        member: &'static str,
        /// The name that was given.
        name: String,
    },
    /// Containers that wait for each other.
    #[error("Container {0} should not have a cycle")]
    Cycle(&'static str),
    /// To wait for the end of a container with which the task would end.
    #[error(
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"
    )]
    EndOfEssential,
    /// To wait for the health of a container that has no health check.
    #[error(
        "Invalid 'dependsOn' setting for container '{container}'. The condition HEALTHY needs a health check in container '{target}'."
    )]
    NoHealthCheck {
        /// The container that waits.
        container: ContainerName,
        /// The one that it waits for.
        target: ContainerName,
    },
    /// A member that has no meaning in namespaces that are shared with others.
    #[error(
        "Invalid '{member}' setting for container '{container}'. It is not supported when {mode}."
    )]
    SharedNamespace {
        /// Such as `systemControls`.
        member: &'static str,
        /// The container.
        container: ContainerName,
        /// Such as `networkMode=host`.
        mode: String,
    },
    /// A kernel parameter with two values in one namespace.
    #[error("System control '{0}' is set more than once.")]
    RepeatedSystemControl(String),
    /// A secret and a variable of one name, or two secrets.
    #[error(
        "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '{0}'."
    )]
    RepeatedSecretName(String),
    /// A log driver's option that is given twice, once as a secret.
    #[error("Log driver option '{0}' is set more than once.")]
    RepeatedLogOption(String),
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
    check_containers(registration)?;
    check_network(registration)?;
    namespaces::check(registration)?;
    references::check(&registration.containers)?;
    check_volumes(registration)
}

fn check_containers(registration: &Registration) -> Result<(), DefinitionError> {
    let containers = &registration.containers;
    match containers.len() {
        0 => return Err(DefinitionError::NoContainers),
        count if count > MAX_CONTAINERS => return Err(DefinitionError::TooManyContainers),
        _ => {}
    }
    for (at, container) in containers.iter().enumerate() {
        if containers[..at].iter().any(|it| it.name == container.name) {
            return Err(DefinitionError::RepeatedName);
        }
    }
    check_sizes(containers, registration.size, None)?;
    containers.iter().try_for_each(check_secret_names)?;
    if !containers.iter().any(|it| it.essential) {
        return Err(DefinitionError::NoEssentialContainer);
    }
    Ok(())
}

fn check_secret_names(container: &ContainerDefinition) -> Result<(), DefinitionError> {
    let mut taken: BTreeSet<&str> = container.environment.iter().map(|it| it.0.as_str()).collect();
    if let Some(secret) = container.secrets.iter().flatten().find(|it| !taken.insert(&it.name)) {
        return Err(DefinitionError::RepeatedSecretName(secret.name.clone()));
    }
    let Some(log) = &container.log_configuration else { return Ok(()) };
    let mut taken: BTreeSet<&str> = log.options.iter().flatten().map(|it| it.0.as_str()).collect();
    match log.secret_options.iter().flatten().find(|it| !taken.insert(&it.name)) {
        Some(option) => Err(DefinitionError::RepeatedLogOption(option.name.clone())),
        None => Ok(()),
    }
}

fn check_network(registration: &Registration) -> Result<(), DefinitionError> {
    let mode = registration.network_mode.unwrap_or(NetworkMode::Bridge);
    let mut taken: Vec<(Protocol, u16)> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
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
            if let Some(name) = &mapping.name {
                if names.contains(&name.as_str()) {
                    return Err(DefinitionError::RepeatedPortName(name.clone()));
                }
                names.push(name);
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
