//! What Docker's own JSON says of a container: it reaches every agent, and wins over the typed
//! members.

use std::collections::BTreeMap;

use longshore_control::task_definitions::requires;
use longshore_model::container_definition::{
    Device, DevicePermission, HealthCheck, LinuxParameters, LogConfiguration, Tmpfs, Ulimit,
};
use longshore_model::overrides::Effective;
use longshore_model::task_definition::{IpcMode, PidMode};
use longshore_model::{ContainerDefinition, TaskDefinition};
use longshore_wire::acs;
use serde_json::{Map, Value, json};

use crate::secrets::TaskSecrets;

const MIB: u64 = 1024 * 1024;

const NANOSECONDS: u64 = 1_000_000_000;

/// Both of Docker's objects, and the version of its API that has what they use.
pub(super) fn config(
    container: &ContainerDefinition,
    settings: &Effective<'_>,
    definition: &TaskDefinition,
    secrets: &TaskSecrets,
) -> acs::DockerConfig {
    let minor = requires::docker_api_minor(container, settings.memory_reservation_mib);
    let host_config =
        merge(host_config(container, settings, definition, secrets), linux(container, settings));
    acs::DockerConfig {
        config: Some(container_config(container).to_string()),
        host_config: Some(host_config.to_string()),
        version: Some(format!("1.{minor}")),
    }
}

/// The members that are there.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

fn merge(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}

fn container_config(container: &ContainerDefinition) -> Value {
    object([
        ("Hostname", container.hostname.as_ref().map(|it| json!(it))),
        ("User", container.user.as_ref().map(|it| json!(it))),
        ("WorkingDir", container.working_directory.as_ref().map(|it| json!(it))),
        ("NetworkDisabled", container.disable_networking.map(|it| json!(it))),
        ("Labels", container.docker_labels.as_ref().map(|it| json!(it))),
        ("Healthcheck", container.health_check.as_ref().map(health_check)),
        ("Tty", container.pseudo_terminal.map(|it| json!(it))),
        ("OpenStdin", container.interactive.map(|it| json!(it))),
    ])
}

fn health_check(it: &HealthCheck) -> Value {
    let nanoseconds = |secs: u32| json!(u64::from(secs) * NANOSECONDS);
    object([
        ("Test", Some(json!(it.command))),
        ("Interval", Some(nanoseconds(it.interval_secs()))),
        ("Timeout", Some(nanoseconds(it.timeout_secs()))),
        ("Retries", Some(json!(it.retries()))),
        ("StartPeriod", it.start_period_secs.map(nanoseconds)),
    ])
}

fn host_config(
    container: &ContainerDefinition,
    settings: &Effective<'_>,
    definition: &TaskDefinition,
    secrets: &TaskSecrets,
) -> Value {
    let reservation = settings.memory_reservation_mib.filter(|it| *it > 0);
    let extra_hosts = container.extra_hosts.as_ref().map(|all| {
        all.iter().map(|it| json!(format!("{}:{}", it.hostname, it.ip_address))).collect()
    });
    let ulimits = container.ulimits.as_ref().map(|all| {
        let ulimit =
            |it: &Ulimit| json!({"Name": it.name, "Soft": it.soft_limit, "Hard": it.hard_limit});
        all.iter().map(ulimit).collect()
    });
    let log = container.log_configuration.as_ref().map(|it| log_config(it, secrets));
    let sysctls = container.system_controls.as_ref().map(|all| {
        let pairs = all.iter().map(|it| (it.namespace.clone(), json!(it.value)));
        Value::Object(pairs.collect())
    });
    let pid_mode = definition.pid_mode.filter(|it| *it == PidMode::Host);
    let ipc_mode = definition.ipc_mode.filter(|it| *it != IpcMode::Task);
    object([
        ("MemoryReservation", reservation.map(|it| json!(u64::from(it) * MIB))),
        ("NetworkMode", definition.network_mode.map(|it| json!(it.as_str()))),
        ("Privileged", container.privileged.map(|it| json!(it))),
        ("ReadonlyRootfs", container.readonly_root_filesystem.map(|it| json!(it))),
        ("Dns", container.dns_servers.as_ref().map(|it| json!(it))),
        ("DnsSearch", container.dns_search_domains.as_ref().map(|it| json!(it))),
        ("ExtraHosts", extra_hosts),
        ("SecurityOpt", container.docker_security_options.as_ref().map(|it| json!(it))),
        ("Ulimits", ulimits),
        ("LogConfig", log),
        ("Sysctls", sysctls),
        ("PidMode", pid_mode.map(|it| json!(it.as_str()))),
        ("IpcMode", ipc_mode.map(|it| json!(it.as_str()))),
    ])
}

fn log_config(log: &LogConfiguration, secrets: &TaskSecrets) -> Value {
    let options = log.options.iter().flatten().map(|(name, value)| (name, value.as_str()));
    let secret_options = log.secret_options.iter().flatten();
    let secret_options =
        secret_options.filter_map(|it| Some((&it.name, secrets.value(&it.value_from)?)));
    let all: BTreeMap<_, _> = options.chain(secret_options).collect();
    json!({"Type": log.log_driver, "Config": all})
}

fn linux(container: &ContainerDefinition, settings: &Effective<'_>) -> Value {
    let Some(linux) = &container.linux_parameters else { return json!({}) };
    let capabilities = linux.capabilities.as_ref();
    let devices = linux.devices.as_ref().map(|all| all.iter().map(device).collect());
    let tmpfs = linux.tmpfs.as_ref().map(|all| Value::Object(all.iter().map(tmpfs).collect()));
    object([
        ("CapAdd", capabilities.and_then(|it| it.add.as_ref()).map(|it| json!(it))),
        ("CapDrop", capabilities.and_then(|it| it.drop.as_ref()).map(|it| json!(it))),
        ("Devices", devices),
        ("Init", linux.init_process_enabled.map(|it| json!(it))),
        ("ShmSize", linux.shared_memory_size_mib.map(|it| json!(u64::from(it) * MIB))),
        ("Tmpfs", tmpfs),
        ("MemorySwap", memory_and_swap(linux, settings)),
        ("MemorySwappiness", linux.swappiness.map(|it| json!(it))),
    ])
}

/// Docker takes memory and swap as one sum.
fn memory_and_swap(linux: &LinuxParameters, settings: &Effective<'_>) -> Option<Value> {
    let limit = settings.memory_mib.filter(|it| *it > 0)?;
    Some(json!((u64::from(limit) + u64::from(linux.max_swap_mib?)) * MIB))
}

fn device(it: &Device) -> Value {
    const ALL: &[DevicePermission] =
        &[DevicePermission::Read, DevicePermission::Write, DevicePermission::Mknod];
    let permissions = it.permissions.as_deref().unwrap_or(ALL).iter();
    json!({
        "PathOnHost": it.host_path,
        "PathInContainer": it.container_path.as_ref().unwrap_or(&it.host_path),
        "CgroupPermissions": permissions.map(|it| it.letter()).collect::<String>(),
    })
}

fn tmpfs(it: &Tmpfs) -> (String, Value) {
    let size = format!("size={}", u64::from(it.size_mib) * MIB);
    let options = it.mount_options.iter().flatten().map(String::as_str);
    let all: Vec<&str> = std::iter::once(size.as_str()).chain(options).collect();
    (it.container_path.clone(), json!(all.join(",")))
}
