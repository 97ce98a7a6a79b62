//! A task definition: what a task is made of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::attribute::Attribute;
use crate::clock::Timestamp;
use crate::container_definition::ContainerDefinition;
use crate::names::Family;
use crate::status::DefinitionStatus;
use crate::tags::Tags;

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
}

impl TaskDefinition {
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

/// A volume of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// What mount points call it.
    pub name: String,
    /// A path of the instance; without one, an empty volume that lives as long as the task.
    pub host_source_path: Option<String>,
}
