//! RegisterTaskDefinition: each member parsed by itself; how they fit together is `control`'s.

use longshore_control::placement::Constraint;
use longshore_control::task_definitions::Registration;
use longshore_model::container_definition::{
    ContainerDefinition, HostEntry, LogConfiguration, MountPoint, PortMapping, Protocol, Ulimit,
    VolumeFrom,
};
use longshore_model::names::NameError;
use longshore_model::task_definition::{NetworkMode, Volume};
use longshore_model::{ContainerName, Family};
use longshore_wire::ecs::{self, RegisterTaskDefinitionRequest, RegisterTaskDefinitionResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

/// The longest definition, in bytes of its JSON.
const MAX_BYTES: usize = 64 * 1024;

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

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<RegisterTaskDefinitionResponse, Exception> {
    if body.len() > MAX_BYTES {
        return Err(Exception::client("Task definition can have at most 65536 bytes."));
    }
    let registration = parse(input::read(body)?)?;
    let definition = call.control.register_task_definition(registration).await?;
    let shown = render::task_definition(&definition, call.owner());
    let tags = Some(render::tags(&definition.tags)).filter(|it| !it.is_empty());
    Ok(RegisterTaskDefinitionResponse { task_definition: Some(shown), tags })
}

fn parse(request: RegisterTaskDefinitionRequest) -> Result<Registration, Exception> {
    let family = parse_family(request.family)?;
    for compatibility in request.requires_compatibilities.iter().flatten() {
        input::check_launch_type(Some(compatibility))?;
    }
    let network_mode = request.network_mode.filter(|it| !it.is_empty());
    let network_mode = network_mode.map(|it| parse_network_mode(&it)).transpose()?;
    let containers = request.container_definitions.unwrap_or_default();
    let containers = containers.into_iter().map(|it| parse_container(it, network_mode));
    let role = request.task_role_arn.filter(|it| !it.is_empty());
    let constraints = input::constraints(request.placement_constraints);
    Ok(Registration {
        family,
        containers: containers.collect::<Result<_, _>>()?,
        volumes: parse_all(request.volumes, parse_volume)?.unwrap_or_default(),
        task_role_arn: role.map(input::parse_role).transpose()?,
        network_mode,
        tags: input::parse_tags(request.tags)?,
        member_of: constraints?
            .into_iter()
            .map(|it| match it {
                Constraint::MemberOf(query) => Ok(query),
                Constraint::DistinctInstance => {
                    Err(Exception::client("constraint.type 'distinctInstance' is not supported."))
                }
            })
            .collect::<Result<_, _>>()?,
    })
}

fn parse_family(text: Option<String>) -> Result<Family, Exception> {
    text.unwrap_or_default().parse().map_err(|error| match error {
        NameError::Empty => Exception::client("Family should not be null or empty."),
        NameError::Invalid => Exception::client("Family contains invalid characters."),
    })
}

fn parse_network_mode(text: &str) -> Result<NetworkMode, Exception> {
    NetworkMode::parse(text)
        .ok_or_else(|| Exception::client("Network mode should be one of [bridge,host,none]"))
}

fn parse_all<T, U>(
    all: Option<Vec<T>>,
    parse: impl FnMut(T) -> Result<U, Exception>,
) -> Result<Option<Vec<U>>, Exception> {
    all.map(|all| all.into_iter().map(parse).collect()).transpose()
}

fn parse_volume(sent: ecs::Volume) -> Result<Volume, Exception> {
    let name = sent.name.unwrap_or_default();
    if name.parse::<ContainerName>().is_err() {
        return Err(Exception::client("Volume.name contains invalid characters."));
    }
    let path = sent.host.and_then(|it| it.source_path).filter(|it| !it.is_empty());
    if path.as_ref().is_some_and(|it| !it.starts_with('/') || it.contains([':', '\0'])) {
        return Err(Exception::client(format!(
            "Invalid 'sourcePath' setting for volume '{name}'. It must be an absolute path without colons."
        )));
    }
    Ok(Volume { name, host_source_path: path })
}

fn parse_container(
    sent: ecs::ContainerDefinition,
    network_mode: Option<NetworkMode>,
) -> Result<ContainerDefinition, Exception> {
    let name: ContainerName =
        sent.name.unwrap_or_default().parse().map_err(|error| match error {
            NameError::Empty => Exception::client("Container.name should not be null or empty."),
            NameError::Invalid => Exception::client("Container.name contains invalid characters."),
        })?;
    let invalid = |member: &str| {
        Exception::client(format!("Invalid '{member}' setting for container '{name}'."))
    };
    let amount = |number: Option<i32>, member: &str| {
        number.map(|it| u32::try_from(it).map_err(|_| invalid(member))).transpose()
    };
    let port_mappings =
        parse_all(sent.port_mappings, |it| parse_port_mapping(it, network_mode).map_err(invalid))?;
    let environment =
        parse_all(sent.environment, |it| input::parse_variable(it).map_err(Exception::client))?;
    let incomplete = |it: &&str| invalid(it);
    Ok(ContainerDefinition {
        image: parse_image(sent.image)?,
        cpu_units: amount(sent.cpu, "cpu")?.unwrap_or(0),
        memory_mib: amount(sent.memory, "memory")?,
        memory_reservation_mib: amount(sent.memory_reservation, "memoryReservation")?,
        links: sent.links,
        port_mappings: port_mappings.unwrap_or_default(),
        essential: sent.essential.unwrap_or(true),
        entry_point: sent.entry_point,
        command: sent.command,
        environment: environment.unwrap_or_default(),
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
        extra_hosts: parse_all(sent.extra_hosts, |it| {
            host_entry(it).ok_or_else(|| incomplete(&"extraHosts"))
        })?,
        docker_security_options: sent.docker_security_options,
        docker_labels: sent.docker_labels,
        ulimits: parse_all(sent.ulimits, |it| ulimit(it).ok_or_else(|| incomplete(&"ulimits")))?,
        log_configuration: sent.log_configuration.map(log_configuration).transpose()?,
        name,
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

/// The error is the member that is not valid.
fn parse_port_mapping(
    sent: ecs::PortMapping,
    network_mode: Option<NetworkMode>,
) -> Result<PortMapping, &'static str> {
    let container_port = sent.container_port.and_then(|it| u16::try_from(it).ok());
    let container_port = container_port.filter(|it| *it > 0).ok_or("containerPort")?;
    let chosen = match network_mode {
        Some(NetworkMode::Host) => container_port,
        Some(NetworkMode::Bridge | NetworkMode::None) | None => 0,
    };
    let host_port = match sent.host_port {
        None => chosen,
        Some(0) if network_mode == Some(NetworkMode::Host) => chosen,
        Some(port) => u16::try_from(port).map_err(|_| "hostPort")?,
    };
    let protocol = sent.protocol.filter(|it| !it.is_empty());
    let protocol = Protocol::parse(protocol.as_deref().unwrap_or("tcp")).ok_or("protocol")?;
    Ok(PortMapping { container_port, host_port, protocol })
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

fn host_entry(sent: ecs::HostEntry) -> Option<HostEntry> {
    let hostname = sent.hostname.filter(|it| !it.is_empty())?;
    Some(HostEntry { hostname, ip_address: sent.ip_address.filter(|it| !it.is_empty())? })
}

fn ulimit(sent: ecs::Ulimit) -> Option<Ulimit> {
    let name = sent.name.filter(|it| ULIMITS.contains(&it.as_str()))?;
    Some(Ulimit { name, soft_limit: sent.soft_limit?, hard_limit: sent.hard_limit? })
}

fn log_configuration(sent: ecs::LogConfiguration) -> Result<LogConfiguration, Exception> {
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
    Ok(LogConfiguration { log_driver, options: sent.options })
}
