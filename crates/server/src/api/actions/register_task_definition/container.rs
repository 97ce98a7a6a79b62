//! A container by itself, with the members of June 2017; the later ones have files of their own.

use longshore_model::ContainerName;
use longshore_model::container_definition::{
    ContainerDefinition, HostEntry, LogConfiguration, MountPoint, PortMapping, Protocol,
    SystemControl, Ulimit, VolumeFrom,
};
use longshore_model::names::NameError;
use longshore_model::task_definition::NetworkMode;
use longshore_wire::ecs;

use super::unfit::{Unfit, all, amount, within};
use super::{life, linux_parameters, secrets};
use crate::api::exception::Exception;
use crate::api::input;

const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

const LOG_DRIVERS: &[&str] =
    &["json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk"];

/// No engine waits longer, and no wait of ECS's is longer than a day.
const MOST_SECS: u32 = 24 * 60 * 60;

/// Reads one container.
pub(super) fn parse(
    mut sent: ecs::ContainerDefinition,
    network_mode: Option<NetworkMode>,
) -> Result<ContainerDefinition, Exception> {
    let name: ContainerName =
        sent.name.take().unwrap_or_default().parse().map_err(|error| match error {
            NameError::Empty => Exception::client("Container.name should not be null or empty."),
            NameError::Invalid => Exception::client("Container.name contains invalid characters."),
        })?;
    let image = parse_image(sent.image.take())?;
    let environment = sent.environment.take().unwrap_or_default().into_iter();
    let environment = environment.map(|it| input::parse_variable(it).map_err(Exception::client));
    let environment = environment.collect::<Result<_, _>>()?;
    let log_configuration =
        sent.log_configuration.take().map(|it| log_configuration(it, &name)).transpose()?;
    let version_consistency_disabled = versions_may_differ(sent.version_consistency.take())?;
    let container = ContainerDefinition {
        environment,
        log_configuration,
        version_consistency_disabled,
        ..ContainerDefinition::new(name.clone(), image)
    };
    members(container, sent, network_mode).map_err(|it| it.in_container(&name))
}

/// The container with the members whose refusals name it.
fn members(
    container: ContainerDefinition,
    sent: ecs::ContainerDefinition,
    network_mode: Option<NetworkMode>,
) -> Result<ContainerDefinition, Unfit> {
    let port_mappings = all(sent.port_mappings, |it| parse_port_mapping(it, network_mode))?;
    Ok(ContainerDefinition {
        cpu_units: amount(sent.cpu, "cpu")?.unwrap_or(0),
        memory_mib: amount(sent.memory, "memory")?,
        memory_reservation_mib: amount(sent.memory_reservation, "memoryReservation")?,
        links: sent.links,
        port_mappings: port_mappings.unwrap_or_default(),
        essential: sent.essential.unwrap_or(true),
        entry_point: sent.entry_point,
        command: sent.command,
        mount_points: sent.mount_points.unwrap_or_default().into_iter().map(mount_point).collect(),
        volumes_from: sent.volumes_from.unwrap_or_default().into_iter().map(volume_from).collect(),
        hostname: sent.hostname,
        user: sent.user,
        working_directory: sent.working_directory,
        disable_networking: sent.disable_networking,
        privileged: sent.privileged,
        readonly_root_filesystem: sent.readonly_root_filesystem,
        dns_servers: sent.dns_servers,
        dns_search_domains: sent.dns_search_domains,
        extra_hosts: all(sent.extra_hosts, host_entry)?,
        docker_security_options: sent.docker_security_options,
        docker_labels: sent.docker_labels,
        ulimits: all(sent.ulimits, ulimit)?,
        health_check: sent.health_check.map(life::health_check).transpose()?.flatten(),
        linux_parameters: sent.linux_parameters.map(linux_parameters::parse).transpose()?,
        system_controls: all(sent.system_controls, system_control)?,
        pseudo_terminal: sent.pseudo_terminal,
        interactive: sent.interactive,
        depends_on: all(sent.depends_on, life::dependency)?,
        start_timeout_secs: within(sent.start_timeout, 0..=MOST_SECS, "startTimeout")?,
        stop_timeout_secs: within(sent.stop_timeout, 0..=MOST_SECS, "stopTimeout")?,
        restart_policy: sent.restart_policy.map(life::restart_policy).transpose()?.flatten(),
        secrets: all(sent.secrets, |it| secrets::value(it, "secrets"))?,
        repository_credentials: sent
            .repository_credentials
            .map(secrets::credentials)
            .transpose()?
            .flatten(),
        ..container
    })
}

fn parse_image(text: Option<String>) -> Result<String, Exception> {
    const MAX: usize = 255;
    let image = text.unwrap_or_default();
    let allowed = |it: char| it.is_ascii_alphanumeric() || "-_:./#@".contains(it);
    if image.is_empty() {
        return Err(Exception::client("Container.image should not be null or empty."));
    }
    if image.len() > MAX || !image.chars().all(allowed) {
        return Err(Exception::client("Container.image contains invalid characters."));
    }
    Ok(image)
}

/// ECS can replace a tag by the digest that it had at the first task; here a tag stays a tag.
fn versions_may_differ(text: Option<String>) -> Result<bool, Exception> {
    match text.as_deref() {
        None | Some("") => Ok(false),
        Some("disabled") => Ok(true),
        Some("enabled") => Err(Exception::client(
            "versionConsistency enabled is not available here: Longshore passes image tags on as they are. Use disabled, or leave it out.",
        )),
        Some(_) => {
            Err(Exception::client("Version consistency should be one of [enabled,disabled]"))
        }
    }
}

fn parse_port_mapping(
    sent: ecs::PortMapping,
    network_mode: Option<NetworkMode>,
) -> Result<PortMapping, Unfit> {
    let container_port = sent.container_port.and_then(|it| u16::try_from(it).ok());
    let container_port =
        container_port.filter(|it| *it > 0).ok_or_else(|| Unfit::of("containerPort"))?;
    let chosen = match network_mode {
        Some(NetworkMode::Host) => container_port,
        Some(NetworkMode::Bridge | NetworkMode::None) | None => 0,
    };
    let host_port = match sent.host_port {
        None => chosen,
        Some(0) if network_mode == Some(NetworkMode::Host) => chosen,
        Some(port) => u16::try_from(port).map_err(|_| Unfit::of("hostPort"))?,
    };
    let protocol = sent.protocol.filter(|it| !it.is_empty());
    let protocol = Protocol::parse(protocol.as_deref().unwrap_or("tcp"));
    Ok(PortMapping {
        container_port,
        host_port,
        protocol: protocol.ok_or_else(|| Unfit::of("protocol"))?,
        name: parse_port_name(sent.name)?,
    })
}

/// A label: whoever reads the definition finds the port by it.
fn parse_port_name(text: Option<String>) -> Result<Option<String>, Unfit> {
    const MAX: usize = 64;
    let Some(name) = text.filter(|it| !it.is_empty()) else { return Ok(None) };
    let allowed =
        |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, '-' | '_');
    if name.len() > MAX || name.starts_with('-') || !name.chars().all(allowed) {
        return Err(Unfit::because(
            "portMappings.name",
            "It must be at most 64 lower-case letters, digits, underscores and hyphens, and not begin with a hyphen.",
        ));
    }
    Ok(Some(name))
}

fn mount_point(sent: ecs::MountPoint) -> MountPoint {
    MountPoint {
        source_volume: sent.source_volume,
        container_path: sent.container_path,
        read_only: sent.read_only,
    }
}

fn volume_from(sent: ecs::VolumeFrom) -> VolumeFrom {
    VolumeFrom { source_container: sent.source_container, read_only: sent.read_only }
}

fn host_entry(sent: ecs::HostEntry) -> Result<HostEntry, Unfit> {
    let complete =
        |it: Option<String>| it.filter(|it| !it.is_empty()).ok_or_else(|| Unfit::of("extraHosts"));
    Ok(HostEntry { hostname: complete(sent.hostname)?, ip_address: complete(sent.ip_address)? })
}

fn ulimit(sent: ecs::Ulimit) -> Result<Ulimit, Unfit> {
    let unfit = || Unfit::of("ulimits");
    let name = sent.name.filter(|it| ULIMITS.contains(&it.as_str())).ok_or_else(unfit)?;
    let soft_limit = sent.soft_limit.ok_or_else(unfit)?;
    Ok(Ulimit { name, soft_limit, hard_limit: sent.hard_limit.ok_or_else(unfit)? })
}

fn system_control(sent: ecs::SystemControl) -> Result<SystemControl, Unfit> {
    let unfit = |rule: &'static str| Unfit::because("systemControls", rule);
    let namespace = sent.namespace.filter(|it| !it.is_empty());
    let namespace = namespace.ok_or_else(|| unfit("The namespace must be there."))?;
    let value = sent.value.ok_or_else(|| unfit("The value must be there."))?;
    let control = SystemControl { namespace, value };
    if !control.is_of_network() && !control.is_of_ipc() {
        return Err(unfit(
            "The namespace must be one of net.*, fs.mqueue.*, kernel.msgmax, kernel.msgmnb, kernel.msgmni, kernel.sem, kernel.shm_rmid_forced, kernel.shmall, kernel.shmmax, kernel.shmmni.",
        ));
    }
    Ok(control)
}

fn log_configuration(
    sent: ecs::LogConfiguration,
    container: &ContainerName,
) -> Result<LogConfiguration, Exception> {
    let log_driver = sent.log_driver.unwrap_or_default();
    if !LOG_DRIVERS.contains(&log_driver.as_str()) {
        let known = LOG_DRIVERS.join(",");
        return Err(Exception::client(format!("Log driver should be one of [{known}]")));
    }
    if log_driver == "awslogs" {
        let given = |it: &&str| sent.options.as_ref().is_some_and(|all| all.contains_key(*it));
        let missing: Vec<&str> =
            ["awslogs-region", "awslogs-group"].into_iter().filter(|it| !given(it)).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(Exception::client(format!(
                "Log driver awslogs requires options: {missing}"
            )));
        }
    }
    let secret_options =
        all(sent.secret_options, |it| secrets::value(it, "logConfiguration.secretOptions"))
            .map_err(|it| it.in_container(container))?;
    Ok(LogConfiguration { log_driver, options: sent.options, secret_options })
}
