//! What the kernel gives a container besides, and takes from it.

use serde::{Deserialize, Serialize};

/// `linuxParameters`. Source: Amazon ECS API Reference, `LinuxParameters`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinuxParameters {
    /// Kernel capabilities beyond Docker's default, or taken from it.
    pub capabilities: Option<Capabilities>,
    /// Devices of the host.
    pub devices: Option<Vec<Device>>,
    /// Whether a small init forwards signals and reaps processes.
    pub init_process_enabled: Option<bool>,
    /// The size of `/dev/shm`, in MiB.
    pub shared_memory_size_mib: Option<u32>,
    /// File systems in memory.
    pub tmpfs: Option<Vec<Tmpfs>>,
    /// Swap beside the hard memory limit, in MiB.
    pub max_swap_mib: Option<u32>,
    /// 0 to 100: how readily its memory is swapped out.
    pub swappiness: Option<u32>,
}

/// Names of capabilities without `CAP_`, or `ALL`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Given besides.
    pub add: Option<Vec<String>>,
    /// Taken away.
    pub drop: Option<Vec<String>>,
}

/// A device of the host within the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its path on the host.
    pub host_path: String,
    /// Its path in the container; the same when absent.
    pub container_path: Option<String>,
    /// What the container may do with it; all three when absent.
    pub permissions: Option<Vec<DevicePermission>>,
}

/// What a container may do with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DevicePermission {
    /// Read from it.
    Read,
    /// Write to it.
    Write,
    /// Make its file.
    Mknod,
}

impl DevicePermission {
    const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Mknod];

    /// As ECS spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Mknod => "mknod",
        }
    }

    /// The permission that is spelled so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// As the kernel's device rules spell it.
    pub const fn letter(self) -> char {
        match self {
            Self::Read => 'r',
            Self::Write => 'w',
            Self::Mknod => 'm',
        }
    }
}

/// A file system in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Where it is mounted.
    pub container_path: String,
    /// As much as it may hold, in MiB.
    pub size_mib: u32,
    /// Such as `noexec`.
    pub mount_options: Option<Vec<String>>,
}
