//! A container instance: a machine with an agent on it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::arn::{ArnForm, Owner};
use crate::attribute::Attribute;
use crate::clock::Timestamp;
use crate::id::InstanceId;
use crate::launch_type::{LaunchKind, LaunchType};
use crate::names::ClusterName;
use crate::resources::Resources;
use crate::status::InstanceStatus;
use crate::tags::Tags;
use crate::task_definition::TaskDefinition;

/// The most host ports that may be in use on one instance, reserved ones included and dynamic ones
/// not. Source: Amazon ECS Developer Guide, task definition parameters, `hostPort`.
pub const MAX_USED_PORTS: usize = 100;

/// A container instance as registered. What its tasks take of it is in
/// [`Occupancy`](crate::Occupancy), computed from them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerInstance {
    /// Given at the first registration and kept at every later one.
    pub id: InstanceId,
    /// The generation of its ARN.
    #[serde(default, skip_serializing_if = "ArnForm::is_long")]
    pub arn_form: ArnForm,
    /// The cluster that it was registered into.
    pub cluster: ClusterName,
    /// ACTIVE, DRAINING or INACTIVE.
    pub status: InstanceStatus,
    /// Whether the agent's control connection is up. Cleared when the control plane starts.
    pub agent_connected: bool,
    /// When the connection that is up, or the last one that was, began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// From when on its agent counts as away; `None` while it is connected, and where nobody knows.
    /// Later than the connection's end where the control plane itself was away, or its clock was
    /// set, so that nobody is given up for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away_since: Option<Timestamp>,
    /// Rises by one with every change of the instance that is an event.
    pub version: u64,
    /// CPU and memory at registration.
    pub registered: Resources,
    /// TCP host ports that no task may have.
    pub reserved_ports_tcp: BTreeSet<u16>,
    /// UDP host ports that no task may have.
    pub reserved_ports_udp: BTreeSet<u16>,
    /// What the agent registered: capabilities, and custom attributes at the first registration.
    pub attributes: Vec<Attribute>,
    /// From the instance identity document, where there is one.
    pub ec2_instance_id: Option<String>,
    /// What runs there.
    pub version_info: VersionInfo,
    /// When it was first registered.
    pub registered_at: Timestamp,
    /// When it was deregistered; `None` until it is INACTIVE. The reaper counts from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deregistered_at: Option<Timestamp>,
    /// The agent's and the callers' tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// Versions of the software on an instance, as its agent names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// Such as `1.14.3`.
    pub agent_version: Option<String>,
    /// The agent's commit.
    pub agent_hash: Option<String>,
    /// Such as `DockerVersion: 20.10.24`.
    pub docker_version: Option<String>,
}

impl ContainerInstance {
    /// Its ARN.
    pub fn arn(&self, owner: &Owner) -> String {
        owner.container_instance_arn(self.arn_form, &self.cluster, self.id)
    }

    /// Whether tasks of a launch type may be placed on it. A machine that says it is outside of AWS
    /// takes no EC2 tasks, and one that EC2 vouches for no EXTERNAL ones, as in ECS; one of which
    /// neither is known takes both. FARGATE stands for whichever machines there are.
    pub fn serves(&self, kind: LaunchKind) -> bool {
        match kind {
            LaunchKind::Ec2 => !self.is_external(),
            LaunchKind::External => self.ec2_instance_id.is_none(),
            LaunchKind::Fargate => true,
        }
    }

    /// What a task of a definition is launched as here where its caller names no launch type: what
    /// the definition is for, if that is one kind that can be here, or else what the machine is.
    pub fn launch_type_of(&self, definition: &TaskDefinition) -> LaunchType {
        match definition.instance_kind().filter(|it| self.serves(*it)) {
            Some(LaunchKind::External) => LaunchType::External,
            None if self.is_external() => LaunchType::External,
            _ => LaunchType::Ec2,
        }
    }

    /// Whether its agent says that it is outside of AWS.
    pub fn is_external(&self) -> bool {
        self.attribute("ecs.capability.external").is_some()
    }

    /// The value of an attribute: `None` when absent, an empty text when it has no value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|it| &*it.name == name)?;
        Some(found.value.as_deref().unwrap_or(""))
    }
}
