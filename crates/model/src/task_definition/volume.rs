//! Volumes that a task's containers share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A volume of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// What mount points call it.
    pub name: String,
    /// A path of the instance; without one, an empty volume that lives as long as the task.
    pub host_source_path: Option<String>,
    /// A volume of Docker's in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker: Option<DockerVolume>,
}

/// A volume that Docker keeps. Absent members stay absent in responses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerVolume {
    /// How long it lives; as long as the task when absent.
    pub scope: Option<VolumeScope>,
    /// Whether a shared one is made where it is missing.
    pub autoprovision: Option<bool>,
    /// Docker's plugin for it; `local` when absent.
    pub driver: Option<String>,
    /// Passed to the driver.
    pub driver_opts: Option<BTreeMap<String, String>>,
    /// Labels of the volume.
    pub labels: Option<BTreeMap<String, String>>,
}

impl DockerVolume {
    /// Docker's plugin for it.
    pub fn driver(&self) -> &str {
        self.driver.as_deref().unwrap_or("local")
    }
}

/// How long a volume of Docker's lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeScope {
    /// As long as the task.
    Task,
    /// Beyond it, for others of the instance.
    Shared,
}

impl VolumeScope {
    /// As ECS spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Shared => "shared",
        }
    }

    /// The scope that is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Task, Self::Shared].into_iter().find(|it| it.as_str() == text)
    }
}
