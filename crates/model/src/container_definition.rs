//! One container of a task definition, with every member of June 2017.
//!
//! An absent member stays `None`, so that a response shows exactly what was registered; the few
//! that ECS fills in (`cpu`, `essential`, port mappings, ...) are filled in when it is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::ContainerName;

/// A container definition.
/// Source: Amazon ECS API Reference, `ContainerDefinition`, June 2017.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerDefinition {
    /// Unique within the task definition.
    pub name: ContainerName,
    /// Passed to the Docker Engine unchanged.
    pub image: String,
    /// CPU units; 0 when absent in the request.
    pub cpu_units: u32,
    /// Hard limit in MiB.
    pub memory_mib: Option<u32>,
    /// Soft limit in MiB; what placement counts where it is set.
    pub memory_reservation_mib: Option<u32>,
    /// `name` or `name:alias` of other containers of the definition.
    pub links: Option<Vec<String>>,
    /// Ports that the container serves.
    pub port_mappings: Vec<PortMapping>,
    /// Whether the whole task stops when this container does.
    pub essential: bool,
    /// Replaces the image's entry point.
    pub entry_point: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Environment variables, in the order given.
    pub environment: Vec<(String, String)>,
    /// Volumes of the task and where they appear in the container.
    pub mount_points: Vec<MountPoint>,
    /// Containers of the definition whose volumes appear in this one.
    pub volumes_from: Vec<VolumeFrom>,
    /// The container's host name.
    pub hostname: Option<String>,
    /// User within the container.
    pub user: Option<String>,
    /// Where the command runs.
    pub working_directory: Option<String>,
    /// Whether the container has no network.
    pub disable_networking: Option<bool>,
    /// Whether the container has the host's privileges.
    pub privileged: Option<bool>,
    /// Whether the root file system is read-only.
    pub readonly_root_filesystem: Option<bool>,
    /// Name servers.
    pub dns_servers: Option<Vec<String>>,
    /// Search domains.
    pub dns_search_domains: Option<Vec<String>>,
    /// Further lines of `/etc/hosts`.
    pub extra_hosts: Option<Vec<HostEntry>>,
    /// SELinux and AppArmor labels.
    pub docker_security_options: Option<Vec<String>>,
    /// Labels of the Docker container.
    pub docker_labels: Option<BTreeMap<String, String>>,
    /// Resource limits of its processes.
    pub ulimits: Option<Vec<Ulimit>>,
    /// Where its output goes.
    pub log_configuration: Option<LogConfiguration>,
}

/// A transport protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// As ECS and Docker spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// The protocol that is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "tcp" => Some(Self::Tcp),
            "udp" => Some(Self::Udp),
            _ => None,
        }
    }
}

/// A port of the container and the host port that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    /// 1 to 65535.
    pub container_port: u16,
    /// 0 lets the Docker Engine choose one when the container starts.
    pub host_port: u16,
    /// TCP unless said otherwise.
    pub protocol: Protocol,
}

/// A volume of the task within a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPoint {
    /// The name of a volume of the task definition.
    pub source_volume: Option<String>,
    /// The path in the container.
    pub container_path: Option<String>,
    /// Whether the container may only read.
    pub read_only: Option<bool>,
}

/// Another container's volumes within this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeFrom {
    /// The name of a container of the definition.
    pub source_container: Option<String>,
    /// Whether this container may only read.
    pub read_only: Option<bool>,
}

/// A line of `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntry {
    /// The name.
    pub hostname: String,
    /// The address.
    pub ip_address: String,
}

/// A resource limit of a container's processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// Such as `nofile`.
    pub name: String,
    /// What a process gets.
    pub soft_limit: i32,
    /// As far as it may raise that.
    pub hard_limit: i32,
}

/// Where a container's output goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogConfiguration {
    /// Such as `json-file`.
    pub log_driver: String,
    /// Passed to the driver.
    pub options: Option<BTreeMap<String, String>>,
}
