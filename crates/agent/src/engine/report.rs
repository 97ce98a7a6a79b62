//! What the control plane is told of a task, in the order in which it happened.

use longshore_model::{LastStatus, NetworkBinding, Timestamp};
use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// The content of one SubmitTaskStateChange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The task's status now. PENDING only says that no change of it is meant.
    pub status: LastStatus,
    /// Why the task as a whole failed. Mostly the containers say why instead.
    pub reason: Option<String>,
    /// The containers that changed since the report before.
    pub containers: Vec<ContainerReport>,
    /// When the first pull began, if anything was pulled.
    pub pull_started_at: Option<Timestamp>,
    /// When the last pull ended.
    pub pull_stopped_at: Option<Timestamp>,
    /// When the first essential container ended.
    pub execution_stopped_at: Option<Timestamp>,
}

impl Report {
    /// Whether it says that something has stopped, after which it must never run again: that is to
    /// be remembered whatever happens, before it is said.
    pub fn tells_an_end(&self) -> bool {
        let ended = |it: &ContainerReport| it.status == LastStatus::Stopped;
        self.status == LastStatus::Stopped || self.containers.iter().any(ended)
    }
}

/// A container that came to run, or stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerReport {
    /// Its name in the task definition.
    pub name: String,
    /// RUNNING or STOPPED.
    pub status: LastStatus,
    /// Only of a container that ran and ended.
    pub exit_code: Option<i32>,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// The ports of the host that lead to it.
    pub network_bindings: Vec<NetworkBinding>,
    /// Docker's id of it.
    pub runtime_id: Option<String>,
}
