//! A task in the terms of its agent: every override merged, and whatever has no member of its own
//! in Docker's JSON.

use longshore_model::overrides::effective;
use longshore_model::task_definition::Volume;
use longshore_model::{ContainerDefinition, Task, TaskDefinition};
use longshore_wire::acs;
use serde_json::{Map, Value, json};

const MIB: u64 = 1024 * 1024;

/// The task as an agent is to run it, or to stop it.
pub(super) fn task(task: &Task, definition: &TaskDefinition, arn: String) -> acs::Task {
    acs::Task {
        arn,
        family: definition.key.family.to_string(),
        version: definition.key.revision.to_string(),
        desired_status: task.desired_status.as_str().into(),
        containers: definition
            .containers
            .iter()
            .map(|it| container(it, task, definition))
            .collect(),
        volumes: definition.volumes.iter().map(volume).collect(),
        overrides: Some(acs::Overrides::default()),
        ..acs::Task::default()
    }
}

fn volume(volume: &Volume) -> acs::Volume {
    acs::Volume {
        name: volume.name.clone(),
        host: Some(acs::HostVolume { source_path: volume.host_source_path.clone() }),
        ..acs::Volume::default()
    }
}

fn container(
    container: &ContainerDefinition,
    task: &Task,
    definition: &TaskDefinition,
) -> acs::Container {
    let settings = effective(container, task.overrides.as_deref());
    let environment = settings.environment.iter();
    acs::Container {
        name: container.name.to_string(),
        image: container.image.clone(),
        command: settings.command.map(<[String]>::to_vec).unwrap_or_default(),
        entry_point: container.entry_point.clone().unwrap_or_default(),
        cpu: settings.cpu_units.into(),
        memory: settings.memory_mib.unwrap_or(0).into(),
        essential: container.essential,
        environment: environment.map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        links: container.links.clone().unwrap_or_default(),
        port_mappings: container.port_mappings.iter().map(port_mapping).collect(),
        mount_points: container.mount_points.iter().map(mount_point).collect(),
        volumes_from: container.volumes_from.iter().map(volume_from).collect(),
        overrides: Some(acs::Overrides::default()),
        docker_config: Some(acs::DockerConfig {
            config: Some(config(container).to_string()),
            host_config: Some(
                host_config(container, definition, settings.memory_reservation_mib).to_string(),
            ),
            version: Some(api_version(container, settings.memory_reservation_mib).into()),
        }),
        ..acs::Container::default()
    }
}

fn port_mapping(it: &longshore_model::container_definition::PortMapping) -> acs::PortMapping {
    acs::PortMapping {
        container_port: it.container_port.into(),
        host_port: it.host_port.into(),
        protocol: Some(it.protocol.as_str().into()),
    }
}

fn mount_point(it: &longshore_model::container_definition::MountPoint) -> acs::MountPoint {
    acs::MountPoint {
        source_volume: it.source_volume.clone().unwrap_or_default(),
        container_path: it.container_path.clone().unwrap_or_default(),
        read_only: it.read_only.unwrap_or(false),
    }
}

fn volume_from(it: &longshore_model::container_definition::VolumeFrom) -> acs::VolumeFrom {
    acs::VolumeFrom {
        source_container: it.source_container.clone().unwrap_or_default(),
        read_only: it.read_only.unwrap_or(false),
    }
}

/// The smallest version of the Docker API that has what the container uses.
fn api_version(
    container: &ContainerDefinition,
    memory_reservation_mib: Option<u32>,
) -> &'static str {
    let log = container.log_configuration.as_ref();
    if memory_reservation_mib.is_some_and(|it| it > 0) {
        "1.21"
    } else if log.is_some_and(|it| it.options.is_some()) {
        "1.19"
    } else if log.is_some() || container.docker_labels.is_some() || container.ulimits.is_some() {
        "1.18"
    } else {
        "1.17"
    }
}

/// An object of the members that are there.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

fn config(container: &ContainerDefinition) -> Value {
    object([
        ("Hostname", container.hostname.as_ref().map(|it| json!(it))),
        ("User", container.user.as_ref().map(|it| json!(it))),
        ("WorkingDir", container.working_directory.as_ref().map(|it| json!(it))),
        ("NetworkDisabled", container.disable_networking.map(|it| json!(it))),
        ("Labels", container.docker_labels.as_ref().map(|it| json!(it))),
    ])
}

fn host_config(
    container: &ContainerDefinition,
    definition: &TaskDefinition,
    memory_reservation_mib: Option<u32>,
) -> Value {
    let reservation = memory_reservation_mib.filter(|it| *it > 0);
    let extra_hosts = container.extra_hosts.as_ref().map(|all| {
        all.iter().map(|it| json!(format!("{}:{}", it.hostname, it.ip_address))).collect()
    });
    let ulimits = container.ulimits.as_ref().map(|all| {
        let ulimit = |it: &longshore_model::container_definition::Ulimit| json!({"Name": it.name, "Soft": it.soft_limit, "Hard": it.hard_limit});
        all.iter().map(ulimit).collect()
    });
    let log = container
        .log_configuration
        .as_ref()
        .map(|it| json!({"Type": it.log_driver, "Config": it.options.clone().unwrap_or_default()}));
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
    ])
}
