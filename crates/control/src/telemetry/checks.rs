//! What a container instance's own checks say. Source: Amazon ECS API Reference,
//! `ContainerInstanceHealthStatus`.

use longshore_model::Timestamp;

/// What one check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which one.
    pub kind: CheckKind,
    /// What it says.
    pub status: CheckStatus,
    /// When it was last made, by the agent's clock.
    pub updated_at: Option<Timestamp>,
    /// When it last said something else.
    pub changed_at: Option<Timestamp>,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// The Docker Engine.
    ContainerRuntime,
    /// GPUs and the like.
    AcceleratedCompute,
    /// A daemon that the agent runs.
    Daemon,
}

/// What a check can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// All is well.
    Ok,
    /// It is not.
    Impaired,
    /// It begins.
    Initializing,
    /// It is not known.
    InsufficientData,
}

impl CheckKind {
    /// What agents name so.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ContainerRuntime" => Some(Self::ContainerRuntime),
            "AcceleratedCompute" => Some(Self::AcceleratedCompute),
            "Daemon" => Some(Self::Daemon),
            _ => None,
        }
    }

    /// As ECS's API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContainerRuntime => "CONTAINER_RUNTIME",
            Self::AcceleratedCompute => "ACCELERATED_COMPUTE",
            Self::Daemon => "DAEMON",
        }
    }
}

impl CheckStatus {
    /// The status that agents and ECS's API spell so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ok, Self::Impaired, Self::Initializing, Self::InsufficientData]
            .into_iter()
            .find(|it| it.as_str() == text)
    }

    /// As agents and ECS's API spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Impaired => "IMPAIRED",
            Self::Initializing => "INITIALIZING",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    /// What some checks come to: the worst that one of them says.
    pub fn overall(checks: &[Check]) -> Self {
        [Self::Impaired, Self::Initializing, Self::InsufficientData, Self::Ok]
            .into_iter()
            .find(|status| checks.iter().any(|it| it.status == *status))
            .unwrap_or(Self::InsufficientData)
    }
}

impl Check {
    /// Takes the place of what the same check said before.
    pub(super) fn put_into(self, checks: &mut Vec<Self>) {
        match checks.iter_mut().find(|it| it.kind == self.kind) {
            Some(before) => *before = self,
            None => checks.push(self),
        }
    }
}
