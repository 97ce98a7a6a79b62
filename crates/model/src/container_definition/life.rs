//! How a container begins, shows that it is well, and begins again.

use serde::{Deserialize, Serialize};

use crate::names::ContainerName;

/// A command that Docker runs in the container to find out whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `CMD` and words, or `CMD-SHELL` and a line for the container's shell.
    pub command: Vec<String>,
    /// From one run to the next.
    pub interval_secs: Option<u32>,
    /// After which a run counts as failed.
    pub timeout_secs: Option<u32>,
    /// Failures in a row that make it unhealthy.
    pub retries: Option<u32>,
    /// From its start, while failures do not count.
    pub start_period_secs: Option<u32>,
}

impl HealthCheck {
    /// From one run to the next, in seconds.
    pub fn interval_secs(&self) -> u32 {
        self.interval_secs.unwrap_or(30)
    }

    /// After which a run counts as failed, in seconds. Docker's own default is another.
    pub fn timeout_secs(&self) -> u32 {
        self.timeout_secs.unwrap_or(5)
    }

    /// Failures in a row that make the container unhealthy.
    pub fn retries(&self) -> u32 {
        self.retries.unwrap_or(3)
    }
}

/// Another container, and what must have become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// A container of the definition.
    pub container: ContainerName,
    /// How far it must be.
    pub condition: Condition,
}

/// How far a container must be before those that depend on it start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// It was started.
    Start,
    /// It has ended.
    Complete,
    /// It has ended with 0.
    Success,
    /// Its health check says that it is well.
    Healthy,
}

impl Condition {
    const ALL: [Self; 4] = [Self::Start, Self::Complete, Self::Success, Self::Healthy];

    /// As ECS spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Complete => "COMPLETE",
            Self::Success => "SUCCESS",
            Self::Healthy => "HEALTHY",
        }
    }

    /// The condition that is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Whether the container must have ended.
    pub const fn is_of_the_end(self) -> bool {
        matches!(self, Self::Complete | Self::Success)
    }
}

/// When a container that ended is started again in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    /// Whether it is at all.
    pub enabled: bool,
    /// Exit codes after which it is not.
    pub ignored_exit_codes: Option<Vec<i32>>,
    /// How long it must have run, in seconds.
    pub restart_attempt_period_secs: Option<u32>,
}

impl RestartPolicy {
    /// How long the container must have run, in seconds.
    pub fn restart_attempt_period_secs(&self) -> u32 {
        self.restart_attempt_period_secs.unwrap_or(300)
    }
}
