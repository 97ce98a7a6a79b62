//! What a caller of RunTask or StartTask changes in a task definition, and the result.

use serde::{Deserialize, Serialize};

use crate::container_definition::ContainerDefinition;
use crate::names::ContainerName;
use crate::task_definition::TaskDefinition;
use crate::task_size::{TaskSize, TaskSizeError};

/// Overrides as they were sent; a response echoes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// At most one for a container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<ContainerOverride>,
    /// Replaces the definition's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,
    /// Replaces, each by itself, CPU and memory of the task as a whole.
    #[serde(default, skip_serializing_if = "TaskSize::is_open")]
    pub size: TaskSize,
}

/// The overrides of one container. Each member replaces its counterpart on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerOverride {
    /// A container of the definition.
    pub name: ContainerName,
    /// Replaces the whole command; an empty one counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Merged by name into the definition's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Vec<(String, String)>>,
    /// CPU units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_units: Option<u32>,
    /// Hard limit in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// Soft limit in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_reservation_mib: Option<u32>,
}

impl ContainerOverride {
    /// A variable that has the name of one of the container's secrets.
    fn hidden_secret(&self, containers: &[ContainerDefinition]) -> Option<&str> {
        let container = containers.iter().find(|it| it.name == self.name)?;
        let is_secret = |name: &str| container.secrets.iter().flatten().any(|it| it.name == name);
        let names = self.environment.iter().flatten().map(|(name, _)| name.as_str());
        names.into_iter().find(|it| is_secret(it))
    }
}

/// Why overrides do not fit a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// No container of the definition has this name.
    #[error("Override for container named {0} is not a container in the TaskDefinition.")]
    UnknownContainer(ContainerName),
    /// Two entries for one container.
    #[error("Override for container named {0} is given more than once.")]
    Repeated(ContainerName),
    /// A variable would hide a secret.
    #[error(
        "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '{0}'."
    )]
    SecretName(String),
    /// The sizes contradict each other once merged.
    #[error(transparent)]
    Size(#[from] SizeError),
}

/// Why the sizes of containers are not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// One's memory settings by themselves.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Those of all, beside their task's.
    #[error(transparent)]
    Task(#[from] TaskSizeError),
}

/// Why a container's memory settings are not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Neither limit is set.
    #[error(
        "Invalid setting for container '{0}'. At least one of 'memory' or 'memoryReservation' must be specified."
    )]
    Missing(ContainerName),
    /// The hard limit is below the soft one.
    #[error(
        "Invalid setting for container '{0}'. 'memory' must be greater than or equal to 'memoryReservation'."
    )]
    BelowReservation(ContainerName),
    /// Below the least that the Docker Engine takes.
    #[error("Invalid '{1}' setting for container '{0}'. It must be at least 4 MiB.")]
    TooSmall(ContainerName, &'static str),
    /// Swap is set beside a limit that is not.
    #[error("Invalid 'maxSwap' setting for container '{0}'. It needs a 'memory' setting.")]
    SwapWithoutLimit(ContainerName),
}

/// The smallest memory setting, in MiB.
/// Source: Amazon ECS API Reference, `ContainerDefinition`, June 2017.
pub const MIN_MEMORY_MIB: u32 = 4;

impl Overrides {
    /// The overrides of one container.
    pub fn container(&self, name: &ContainerName) -> Option<&ContainerOverride> {
        self.containers.iter().find(|it| it.name == *name)
    }

    /// Checks that every entry names a container of the definition, and names it once, and that
    /// every container is still valid once they are merged.
    pub fn check(&self, definition: &TaskDefinition) -> Result<(), OverrideError> {
        for (at, entry) in self.containers.iter().enumerate() {
            if !definition.containers.iter().any(|it| it.name == entry.name) {
                return Err(OverrideError::UnknownContainer(entry.name.clone()));
            }
            if self.containers[..at].iter().any(|it| it.name == entry.name) {
                return Err(OverrideError::Repeated(entry.name.clone()));
            }
            if let Some(name) = entry.hidden_secret(&definition.containers) {
                return Err(OverrideError::SecretName(name.to_owned()));
            }
        }
        Ok(check_sizes(&definition.containers, effective_size(definition, Some(self)), Some(self))?)
    }
}

/// CPU and memory of a task as a whole once its overrides are merged in.
pub fn effective_size(definition: &TaskDefinition, overrides: Option<&Overrides>) -> TaskSize {
    let (defined, sent) = (definition.size, overrides.map(|it| it.size).unwrap_or_default());
    TaskSize {
        cpu_units: sent.cpu_units.or(defined.cpu_units),
        memory_mib: sent.memory_mib.or(defined.memory_mib),
    }
}

/// Checks CPU and memory of a task's containers, each by itself and all beside the task's.
pub fn check_sizes(
    containers: &[ContainerDefinition],
    size: TaskSize,
    overrides: Option<&Overrides>,
) -> Result<(), SizeError> {
    let settings: Vec<_> = containers.iter().map(|it| (it, effective(it, overrides))).collect();
    for (container, settings) in &settings {
        settings.check_memory(container, size.memory_mib)?;
    }
    Ok(size.check(settings.iter().map(|(container, settings)| (&container.name, settings)))?)
}

/// The settings of a container once its overrides are merged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective<'a> {
    /// The command, where either sets one.
    pub command: Option<&'a [String]>,
    /// The definition's variables with replaced values, then the added ones.
    pub environment: Vec<(&'a str, &'a str)>,
    /// CPU units.
    pub cpu_units: u32,
    /// Hard limit in MiB.
    pub memory_mib: Option<u32>,
    /// Soft limit in MiB.
    pub memory_reservation_mib: Option<u32>,
}

impl Effective<'_> {
    /// What placement counts for the container, in MiB: the reservation where there is one.
    pub fn reserved_memory_mib(&self) -> u32 {
        positive(self.memory_reservation_mib).or(positive(self.memory_mib)).unwrap_or(0)
    }

    /// Checks the rules that bind a container's memory settings.
    fn check_memory(
        &self,
        container: &ContainerDefinition,
        of_task_mib: Option<u32>,
    ) -> Result<(), MemoryError> {
        let name = &container.name;
        let swap = container.linux_parameters.as_ref().and_then(|it| it.max_swap_mib);
        let limit = positive(self.memory_mib);
        let reservation = positive(self.memory_reservation_mib);
        for (value, member) in [(limit, "memory"), (reservation, "memoryReservation")] {
            if value.is_some_and(|mib| mib < MIN_MEMORY_MIB) {
                return Err(MemoryError::TooSmall(name.clone(), member));
            }
        }
        match (limit, reservation) {
            (None, None) if of_task_mib.is_none() => Err(MemoryError::Missing(name.clone())),
            (Some(limit), Some(reservation)) if limit < reservation => {
                Err(MemoryError::BelowReservation(name.clone()))
            }
            (None, _) if swap.is_some() => Err(MemoryError::SwapWithoutLimit(name.clone())),
            _ => Ok(()),
        }
    }
}

fn positive(setting: Option<u32>) -> Option<u32> {
    setting.filter(|&it| it > 0)
}

/// Merges what was overridden into a container's definition.
pub fn effective<'a>(
    container: &'a ContainerDefinition,
    overrides: Option<&'a Overrides>,
) -> Effective<'a> {
    let entry = overrides.and_then(|it| it.container(&container.name));
    let command = entry.and_then(|it| it.command.as_deref()).filter(|it| !it.is_empty());
    Effective {
        command: command.or(container.command.as_deref()),
        environment: merged_environment(container, entry),
        cpu_units: entry.and_then(|it| it.cpu_units).unwrap_or(container.cpu_units),
        memory_mib: entry.and_then(|it| it.memory_mib).or(container.memory_mib),
        memory_reservation_mib: entry
            .and_then(|it| it.memory_reservation_mib)
            .or(container.memory_reservation_mib),
    }
}

fn merged_environment<'a>(
    container: &'a ContainerDefinition,
    entry: Option<&'a ContainerOverride>,
) -> Vec<(&'a str, &'a str)> {
    let mut merged: Vec<(&str, &str)> =
        container.environment.iter().map(|(name, value)| (&**name, &**value)).collect();
    for (name, value) in entry.and_then(|it| it.environment.as_deref()).unwrap_or_default() {
        match merged.iter_mut().find(|it| it.0 == name) {
            Some(variable) => variable.1 = value,
            None => merged.push((name, value)),
        }
    }
    merged
}
