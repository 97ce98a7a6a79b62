//! One container of a task definition.
//!
//! An absent member stays `None`, so that a response shows exactly what was registered; the few
//! that ECS fills in (`cpu`, `essential`, port mappings, ...) are filled in when it is made.

mod life;
mod linux_parameters;
mod secret;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::ContainerName;

pub use life::{Condition, Dependency, HealthCheck, RestartPolicy};
pub use linux_parameters::{Capabilities, Device, DevicePermission, LinuxParameters, Tmpfs};
pub use secret::{SecretReference, SecretReferenceError, SecretValue};

/// A container definition.
/// Source: Amazon ECS API Reference, `ContainerDefinition`.
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
    /// How Docker finds out whether it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// What the kernel gives it and takes from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linux_parameters: Option<LinuxParameters>,
    /// Kernel parameters of its namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_controls: Option<Vec<SystemControl>>,
    /// Whether it has a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudo_terminal: Option<bool>,
    /// Whether its standard input stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interactive: Option<bool>,
    /// What must have become of other containers before it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<Dependency>>,
    /// How long others wait for it, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_timeout_secs: Option<u32>,
    /// How long it has to end by itself, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout_secs: Option<u32>,
    /// Whether it is started again in place when it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
    /// Environment variables whose values are secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretValue>>,
    /// The secret that holds the login to the image's registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_credentials: Option<SecretReference>,
    /// Set where the caller said that tags stay tags, which is all that there is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub version_consistency_disabled: bool,
}

impl ContainerDefinition {
    /// An essential container with nothing else set.
    pub fn new(name: ContainerName, image: String) -> Self {
        Self {
            name,
            image,
            cpu_units: 0,
            memory_mib: None,
            memory_reservation_mib: None,
            links: None,
            port_mappings: Vec::new(),
            essential: true,
            entry_point: None,
            command: None,
            environment: Vec::new(),
            mount_points: Vec::new(),
            volumes_from: Vec::new(),
            hostname: None,
            user: None,
            working_directory: None,
            disable_networking: None,
            privileged: None,
            readonly_root_filesystem: None,
            dns_servers: None,
            dns_search_domains: None,
            extra_hosts: None,
            docker_security_options: None,
            docker_labels: None,
            ulimits: None,
            log_configuration: None,
            health_check: None,
            linux_parameters: None,
            system_controls: None,
            pseudo_terminal: None,
            interactive: None,
            depends_on: None,
            start_timeout_secs: None,
            stop_timeout_secs: None,
            restart_policy: None,
            secrets: None,
            repository_credentials: None,
            version_consistency_disabled: false,
        }
    }

    /// Its variables and its log driver's options whose values are secrets.
    pub fn secret_values(&self) -> impl Iterator<Item = &SecretValue> {
        let options = self.log_configuration.iter().flat_map(|it| it.secret_options.iter());
        self.secrets.iter().chain(options).flatten()
    }
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    /// 1 to 65535.
    pub container_port: u16,
    /// 0 lets the Docker Engine choose one when the container starts.
    pub host_port: u16,
    /// TCP unless said otherwise.
    pub protocol: Protocol,
    /// What the definition calls it: a label, unique in the definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
    /// Options whose values are secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_options: Option<Vec<SecretValue>>,
}

/// A kernel parameter of the container's namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemControl {
    /// Such as `net.core.somaxconn`.
    pub namespace: String,
    /// As the kernel reads it.
    pub value: String,
}

impl SystemControl {
    /// Whether it belongs to the network namespace.
    pub fn is_of_network(&self) -> bool {
        self.namespace.starts_with("net.")
    }

    /// Whether it belongs to the IPC namespace.
    pub fn is_of_ipc(&self) -> bool {
        const IPC: &[&str] = &[
            "kernel.msgmax",
            "kernel.msgmnb",
            "kernel.msgmni",
            "kernel.sem",
            "kernel.shm_rmid_forced",
            "kernel.shmall",
            "kernel.shmmax",
            "kernel.shmmni",
        ];
        IPC.contains(&self.namespace.as_str()) || self.namespace.starts_with("fs.mqueue.")
    }
}
