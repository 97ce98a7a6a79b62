//! Why a container failed, in the words of ECS: `<ErrorName>: <text>`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest container reason, in characters.
const MAX_CHARS: usize = 255;

/// The error names that this agent gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The image could not be had.
    CannotPullContainer,
    /// The login to the image's registry could not be had.
    CannotPullContainerAuth,
    /// The Docker Engine refused to create the container.
    CannotCreateContainer,
    /// The Docker Engine refused to start the container.
    CannotStartContainer,
    /// The Docker Engine refused to show the container.
    CannotInspectContainer,
    /// The Docker Engine did not answer in time.
    DockerTimeout,
    /// The kernel killed the container for its memory limit.
    OutOfMemory,
    /// The Docker Engine says that the container's run went wrong.
    DockerState,
    /// The container is not there any more.
    ContainerVanished,
    /// What containers depend on is unknown, or goes round in circles.
    TaskDependency,
    /// The Docker Engine refused a volume, or does not have it.
    CannotCreateVolume,
    /// What the task's containers need together could not be made.
    ResourceInitialization,
    /// `dockerConfig.hostConfig`, or what it is laid over, makes no sense.
    HostConfig,
    /// `dockerConfig.config` makes no sense.
    DockerClientConfig,
    /// The payload's task makes no sense. The name's spelling is the official agent's.
    UnrecognizedTask,
}

impl Failure {
    /// The name, as it stands before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CannotPullContainer => "CannotPullContainerError",
            Self::CannotPullContainerAuth => "CannotPullContainerAuthError",
            Self::CannotCreateContainer => "CannotCreateContainerError",
            Self::CannotStartContainer => "CannotStartContainerError",
            Self::CannotInspectContainer => "CannotInspectContainerError",
            Self::DockerTimeout => "DockerTimeoutError",
            Self::OutOfMemory => "OutOfMemoryError",
            Self::DockerState => "DockerStateError",
            Self::ContainerVanished => "ContainerVanishedError",
            Self::TaskDependency => "TaskDependencyError",
            Self::CannotCreateVolume => "CannotCreateVolumeError",
            Self::ResourceInitialization => "ResourceInitializationError",
            Self::HostConfig => "HostConfigError",
            Self::DockerClientConfig => "DockerClientConfigError",
            Self::UnrecognizedTask => "UnrecogniedTaskError",
        }
    }

    /// This failure with its text, cut to the length that ECS shows.
    pub fn because(self, text: impl fmt::Display) -> Reason {
        let whole = format!("{}: {}", self.name(), text.to_string().trim());
        Reason(match whole.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => whole[..end].to_owned(),
            None => whole,
        })
    }
}

/// A failure as the API shows it; at most 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(String);

impl Reason {
    /// The kernel killed the container for its memory limit.
    pub fn out_of_memory() -> Self {
        Failure::OutOfMemory.because("Container killed due to memory usage")
    }

    /// The container is not there any more.
    pub fn vanished() -> Self {
        Failure::ContainerVanished.because("No container matching saved ID found")
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_at_255_characters_and_never_inside_one() {
        let reason = Failure::CannotStartContainer.because("é".repeat(400));
        assert_eq!(reason.as_str().chars().count(), 255);
        assert!(reason.as_str().starts_with("CannotStartContainerError: é"));
    }

    #[test]
    fn a_short_reason_stays_whole_but_for_surrounding_space() {
        let reason = Failure::CannotPullContainer.because("API error (404): not found\n");
        assert_eq!(reason.as_str(), "CannotPullContainerError: API error (404): not found");
    }
}
