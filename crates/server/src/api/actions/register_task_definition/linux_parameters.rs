//! `linuxParameters`. The words are those of the Amazon ECS API Reference.

use longshore_model::container_definition::{
    Capabilities, Device, DevicePermission, LinuxParameters, Tmpfs,
};
use longshore_wire::ecs;

use super::unfit::{Unfit, all, amount, required, within};

const CAPABILITIES: &[&str] = &[
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// Options of `mount` that are words.
const MOUNT_OPTIONS: &[&str] = &[
    "async",
    "atime",
    "bind",
    "defaults",
    "dev",
    "diratime",
    "dirsync",
    "exec",
    "mand",
    "noatime",
    "nodev",
    "nodiratime",
    "noexec",
    "nomand",
    "norelatime",
    "nostrictatime",
    "nosuid",
    "private",
    "rbind",
    "relatime",
    "remount",
    "ro",
    "rprivate",
    "rshared",
    "rslave",
    "runbindable",
    "rw",
    "shared",
    "slave",
    "strictatime",
    "suid",
    "sync",
    "unbindable",
];

/// Options of `mount` that have a value, such as `mode=755`.
const MOUNT_OPTIONS_WITH_VALUE: &[&str] = &["gid", "mode", "mpol", "nr_blocks", "nr_inodes", "uid"];

pub(super) fn parse(sent: ecs::LinuxParameters) -> Result<LinuxParameters, Unfit> {
    let max_swap_mib = amount(sent.max_swap, "maxSwap")?;
    let swappiness = within(sent.swappiness, 0..=100, "swappiness")?;
    if swappiness.is_some() && max_swap_mib.is_none() {
        return Err(Unfit::because("swappiness", "It needs a 'maxSwap' setting."));
    }
    Ok(LinuxParameters {
        capabilities: sent.capabilities.map(capabilities).transpose()?,
        devices: all(sent.devices, device)?,
        init_process_enabled: sent.init_process_enabled,
        shared_memory_size_mib: positive(sent.shared_memory_size, "sharedMemorySize")?,
        tmpfs: all(sent.tmpfs, tmpfs)?,
        max_swap_mib,
        swappiness,
    })
}

fn positive(number: Option<i32>, member: &'static str) -> Result<Option<u32>, Unfit> {
    match amount(number, member)? {
        Some(0) => Err(Unfit::because(member, "It must be at least 1 MiB.")),
        other => Ok(other),
    }
}

fn capabilities(sent: ecs::KernelCapabilities) -> Result<Capabilities, Unfit> {
    let known = |list: Option<Vec<String>>, member: &'static str| {
        let unknown =
            list.iter().flatten().find(|it| !CAPABILITIES.contains(&it.as_str())).cloned();
        match unknown {
            Some(name) => Err(Unfit::because(
                member,
                format!("'{}' is not the name of a Linux capability.", name.escape_debug()),
            )),
            None => Ok(list),
        }
    };
    Ok(Capabilities {
        add: known(sent.add, "capabilities.add")?,
        drop: known(sent.drop, "capabilities.drop")?,
    })
}

fn device(sent: ecs::Device) -> Result<Device, Unfit> {
    let absolute = |path: &String| path.starts_with('/') && !path.contains('\0');
    let host_path = required(sent.host_path, "devices.hostPath")?;
    let container_path = sent.container_path.filter(|it| !it.is_empty());
    if !absolute(&host_path) {
        return Err(Unfit::because("devices.hostPath", "It must be an absolute path."));
    }
    if container_path.as_ref().is_some_and(|it| !absolute(it)) {
        return Err(Unfit::because("devices.containerPath", "It must be an absolute path."));
    }
    let permission = |it: String| {
        let unfit = || Unfit::because("devices.permissions", "They must be of [read,write,mknod].");
        DevicePermission::parse(&it).ok_or_else(unfit)
    };
    Ok(Device { host_path, container_path, permissions: all(sent.permissions, permission)? })
}

fn tmpfs(sent: ecs::Tmpfs) -> Result<Tmpfs, Unfit> {
    let container_path = required(sent.container_path, "tmpfs.containerPath")?;
    if !container_path.starts_with('/') || container_path.contains([':', '\0']) {
        return Err(Unfit::because("tmpfs.containerPath", "It must be an absolute path."));
    }
    let size_mib = positive(sent.size, "tmpfs.size")?
        .ok_or_else(|| Unfit::because("tmpfs.size", "It must be there."))?;
    let unknown = sent.mount_options.iter().flatten().find(|it| !is_mount_option(it));
    if let Some(option) = unknown {
        let rule = format!("'{}' is not an option that ECS knows.", option.escape_debug());
        return Err(Unfit::because("tmpfs.mountOptions", rule));
    }
    Ok(Tmpfs { container_path, size_mib, mount_options: sent.mount_options })
}

fn is_mount_option(option: &str) -> bool {
    match option.split_once('=') {
        Some((name, value)) => {
            MOUNT_OPTIONS_WITH_VALUE.contains(&name)
                && !value.is_empty()
                && !value.contains([',', '\0'])
        }
        None => MOUNT_OPTIONS.contains(&option),
    }
}
