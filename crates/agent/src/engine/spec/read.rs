//! Reading a payload's task: what makes no sense is refused by name.

use std::collections::BTreeSet;

use longshore_model::Ids;
use longshore_model::container_definition::Protocol;
use longshore_wire::acs;
use serde::Deserialize;

use super::{
    Condition, ContainerSpec, DependencySpec, DockerVolumeSpec, Limits, LinkSpec, MountSpec,
    PortSpec, RegistryLogin, RestartPolicy, TaskSpec, VolumeFromSpec, VolumeScope, VolumeSource,
    VolumeSpec, docker_name,
};

/// CPU units of a vCPU.
const UNITS_PER_VCPU: f64 = 1024.0;

/// Source: Amazon ECS API Reference, `ContainerRestartPolicy`.
const DEFAULT_RESTART_ATTEMPT_PERIOD_SECS: u32 = 300;

pub(super) fn task(task: acs::Task, ids: &dyn Ids) -> Result<TaskSpec, String> {
    let limits = read_limits(&task)?;
    refuse_shared_namespaces(&task)?;
    let acs::Task { arn, family, version, containers, volumes, launch_type, .. } = task;
    let mut names = BTreeSet::new();
    if let Some(twice) = containers.iter().find(|it| !names.insert(it.name.as_str())) {
        return Err(format!("two containers are named {:?}", twice.name));
    }
    let volumes = volumes
        .into_iter()
        .map(|volume| read_volume(volume, &family, &version, ids))
        .collect::<Result<_, _>>()?;
    let containers = containers
        .into_iter()
        .map(|container| {
            let name = container.name.clone();
            read_container(container).map_err(|text| format!("container {name:?}: {text}"))
        })
        .collect::<Result<_, _>>()?;
    Ok(TaskSpec { arn, family, version, containers, volumes, limits, launch_type })
}

fn read_volume(
    volume: acs::Volume,
    family: &str,
    version: &str,
    ids: &dyn Ids,
) -> Result<VolumeSpec, String> {
    let acs::Volume { name, host, kind, docker_volume_configuration } = volume;
    if name.is_empty() {
        return Err("a volume has no name".to_owned());
    }
    if let Some(configuration) = docker_volume_configuration {
        let volume =
            read_docker_volume(&name, configuration, || docker_name(family, version, &name, ids))?;
        return Ok(VolumeSpec { name, source: VolumeSource::Configured(volume) });
    }
    if let Some(kind) = kind.filter(|it| it != "host") {
        return Err(format!("volume {name:?} is of type {kind:?}, which is not supported"));
    }
    let host = host.ok_or_else(|| format!("volume {name:?} has no host"))?;
    let source = match host.source_path.filter(|path| !path.is_empty()) {
        Some(path) => VolumeSource::Host(path),
        None => VolumeSource::Docker(docker_name(family, version, &name, ids)),
    };
    Ok(VolumeSpec { name, source })
}

fn read_docker_volume(
    name: &str,
    configuration: acs::DockerVolumeConfiguration,
    docker_name_of_task: impl FnOnce() -> String,
) -> Result<DockerVolumeSpec, String> {
    let scope = match (configuration.scope.as_deref(), configuration.autoprovision) {
        (None | Some("" | "task"), _) => VolumeScope::Task,
        (Some("shared"), true) => VolumeScope::SharedAutoprovision,
        (Some("shared"), false) => VolumeScope::Shared,
        (Some(other), _) => {
            return Err(format!("volume {name:?} has the unknown scope {other:?}"));
        }
    };
    Ok(DockerVolumeSpec {
        docker_name: match scope {
            VolumeScope::Task => docker_name_of_task(),
            VolumeScope::SharedAutoprovision | VolumeScope::Shared => name.to_owned(),
        },
        scope,
        driver: configuration.driver.filter(|it| !it.is_empty()),
        driver_opts: configuration.driver_opts.unwrap_or_default(),
        labels: configuration.labels.unwrap_or_default(),
    })
}

fn read_container(container: acs::Container) -> Result<ContainerSpec, String> {
    if container.name.is_empty() {
        return Err("it has no name".to_owned());
    }
    let command = match container.overrides {
        Some(overrides) => read_overrides(&overrides.0)?.unwrap_or(container.command),
        None => container.command,
    };
    let ports = container.port_mappings.into_iter().map(read_port).collect::<Result<_, _>>()?;
    let docker = container.docker_config.unwrap_or_default();
    let depends_on = container.depends_on.unwrap_or_default().into_iter();
    Ok(ContainerSpec {
        name: container.name,
        image: container.image,
        command,
        entry_point: container.entry_point,
        cpu_units: amount("cpu", container.cpu)?,
        memory_mib: amount("memory", container.memory)?,
        essential: container.essential,
        environment: container.environment,
        links: container.links.iter().map(|link| read_link(link)).collect(),
        ports,
        mounts: container.mount_points.into_iter().map(read_mount).collect(),
        volumes_from: container.volumes_from.into_iter().map(read_volume_from).collect(),
        docker_config: docker.config,
        docker_host_config: docker.host_config,
        has_health_check: read_health_check_type(container.health_check_type)?,
        depends_on: depends_on.map(read_dependency).collect::<Result<_, _>>()?,
        start_timeout_secs: read_timeout("start", container.start_timeout)?,
        stop_timeout_secs: read_timeout("stop", container.stop_timeout)?,
        restart_policy: read_restart_policy(container.restart_policy)?,
        registry_login: read_login(container.registry_authentication)?,
        arn: container.container_arn,
        secret_log_options: container.secret_log_options,
    })
}

fn read_health_check_type(kind: Option<String>) -> Result<bool, String> {
    match kind.as_deref() {
        None | Some("") => Ok(false),
        Some("docker") => Ok(true),
        Some(other) => Err(format!("its health check's type {other:?} is unknown")),
    }
}

fn read_dependency(dependency: acs::ContainerDependency) -> Result<DependencySpec, String> {
    let acs::ContainerDependency { container_name, condition } = dependency;
    let condition = match condition.as_str() {
        "START" => Condition::Start,
        "COMPLETE" => Condition::Complete,
        "SUCCESS" => Condition::Success,
        "HEALTHY" => Condition::Healthy,
        other => return Err(format!("its dependency's condition {other:?} is unknown")),
    };
    Ok(DependencySpec { container: container_name, condition })
}

/// 0 is no time-out of its own.
fn read_timeout(which: &str, secs: Option<i64>) -> Result<Option<u32>, String> {
    let secs = secs.filter(|it| *it != 0);
    secs.map(|it| amount(&format!("{which} timeout"), it)).transpose()
}

fn read_restart_policy(
    policy: Option<acs::RestartPolicy>,
) -> Result<Option<RestartPolicy>, String> {
    let Some(policy) = policy.filter(|it| it.enabled) else { return Ok(None) };
    let period = policy.restart_attempt_period.filter(|it| *it != 0);
    let period = period.map(|it| amount("restart attempt period", it)).transpose()?;
    Ok(Some(RestartPolicy {
        ignored_exit_codes: policy.ignored_exit_codes.unwrap_or_default(),
        restart_attempt_period_secs: period.unwrap_or(DEFAULT_RESTART_ATTEMPT_PERIOD_SECS),
    }))
}

/// The other types ask services of AWS for a password.
fn read_login(
    authentication: Option<acs::RegistryAuthentication>,
) -> Result<Option<RegistryLogin>, String> {
    let Some(authentication) = authentication else { return Ok(None) };
    let kind = authentication.kind.unwrap_or_default();
    match authentication.basic_auth_data {
        Some(acs::BasicAuthData { username, password }) if kind == "basic" => {
            Ok(Some(RegistryLogin { username, password }))
        }
        _ => Err(format!("its registry authentication of type {kind:?} is not supported")),
    }
}

fn read_limits(task: &acs::Task) -> Result<Limits, String> {
    let cpu_units = (task.cpu.unwrap_or_default() * UNITS_PER_VCPU).round();
    if !(0.0..=f64::from(u32::MAX)).contains(&cpu_units) {
        return Err(format!("its cpu {:?} is out of range", task.cpu));
    }
    let memory_mib = amount("memory", task.memory.unwrap_or_default())?;
    Ok(Limits { cpu_units: cpu_units as u32, memory_mib })
}

/// Namespaces that the containers of a task share with each other need a container that holds
/// them, which this agent does not have. The host's, and none, travel in Docker's JSON.
fn refuse_shared_namespaces(task: &acs::Task) -> Result<(), String> {
    let modes = [("pidMode", &task.pid_mode), ("ipcMode", &task.ipc_mode)];
    match modes.iter().find(|(_, mode)| mode.as_deref() == Some("task")) {
        Some((member, _)) => Err(format!("{member} task is not supported")),
        None => Ok(()),
    }
}

/// The one override that may travel to the agent is the command.
fn read_overrides(text: &str) -> Result<Option<Vec<String>>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Overrides {
        command: Option<Vec<String>>,
    }
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_str::<Option<Overrides>>(text)
        .map(|overrides| overrides.and_then(|it| it.command))
        .map_err(|error| format!("its overrides cannot be read: {error}"))
}

fn amount(member: &str, value: i64) -> Result<u32, String> {
    u32::try_from(value).map_err(|_| format!("its {member} {value} is out of range"))
}

fn read_port(mapping: acs::PortMapping) -> Result<PortSpec, String> {
    let port =
        |value: i32| u16::try_from(value).map_err(|_| format!("its port {value} is out of range"));
    let protocol = match mapping.protocol.as_deref() {
        None | Some("tcp") => Protocol::Tcp,
        Some("udp") => Protocol::Udp,
        Some(other) => return Err(format!("its port's protocol {other:?} is unknown")),
    };
    let (container_port, host_port) = (port(mapping.container_port)?, port(mapping.host_port)?);
    if container_port == 0 {
        return Err("its container port is 0".to_owned());
    }
    Ok(PortSpec { container_port, host_port, protocol })
}

pub(super) fn read_link(link: &str) -> LinkSpec {
    let (container, alias) = link.split_once(':').unwrap_or((link, link));
    LinkSpec { container: container.to_owned(), alias: alias.to_owned() }
}

fn read_mount(mount: acs::MountPoint) -> MountSpec {
    let acs::MountPoint { source_volume, container_path, read_only } = mount;
    MountSpec { volume: source_volume, container_path, read_only }
}

fn read_volume_from(from: acs::VolumeFrom) -> VolumeFromSpec {
    VolumeFromSpec { container: from.source_container, read_only: from.read_only }
}
