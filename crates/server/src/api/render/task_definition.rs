//! A task definition as responses show it: as it was sent, with what ECS fills in.

use longshore_model::container_definition as definition;
use longshore_model::task_definition::{DockerVolume, RuntimePlatform, Volume};
use longshore_model::{ContainerDefinition, DefinitionKey, LaunchKind, Owner, TaskDefinition};
use longshore_wire::ecs;

use super::{attribute, count, pairs, timestamp};

pub(in crate::api) fn task_definition(
    found: &TaskDefinition,
    owner: &Owner,
) -> ecs::TaskDefinition {
    let DefinitionKey { family, revision } = &found.key;
    let constraint = |expression: &String| ecs::PlacementConstraint {
        kind: Some("memberOf".into()),
        expression: Some(expression.clone()),
    };
    let required: Vec<_> = found.requires_attributes.iter().map(attribute).collect();
    ecs::TaskDefinition {
        task_definition_arn: Some(owner.task_definition_arn(&found.key)),
        container_definitions: Some(found.containers.iter().map(container).collect()),
        family: Some(family.to_string()),
        task_role_arn: found.task_role_arn.clone(),
        network_mode: found.network_mode.map(|it| it.as_str().into()),
        revision: count(*revision),
        volumes: Some(found.volumes.iter().map(volume).collect()),
        status: Some(found.status.as_str().into()),
        requires_attributes: Some(required).filter(|it| !it.is_empty()),
        placement_constraints: Some(found.member_of.iter().map(constraint).collect()),
        compatibilities: Some(compatibilities(found)),
        requires_compatibilities: found
            .requires_compatibilities
            .as_ref()
            .map(|all| all.iter().map(|it| it.as_str().to_owned()).collect()),
        registered_at: Some(timestamp(found.registered_at)),
        deregistered_at: found.deregistered_at.map(timestamp),
        registered_by: found.registered_by.clone(),
        execution_role_arn: found.execution_role_arn.clone(),
        cpu: found.size.cpu_units.map(|it| it.to_string()),
        memory: found.size.memory_mib.map(|it| it.to_string()),
        pid_mode: found.pid_mode.map(|it| it.as_str().into()),
        ipc_mode: found.ipc_mode.map(|it| it.as_str().into()),
        runtime_platform: found.runtime_platform.as_ref().map(runtime_platform),
    }
}

fn runtime_platform(it: &RuntimePlatform) -> ecs::RuntimePlatform {
    ecs::RuntimePlatform {
        cpu_architecture: it.cpu_architecture.map(|it| it.as_str().into()),
        operating_system_family: it.is_linux.then(|| "LINUX".into()),
    }
}

fn volume(it: &Volume) -> ecs::Volume {
    let host = || ecs::HostVolumeProperties { source_path: it.host_source_path.clone() };
    ecs::Volume {
        name: Some(it.name.clone()),
        host: it.docker.is_none().then(host),
        docker_volume_configuration: it.docker.as_ref().map(docker_volume),
    }
}

fn docker_volume(it: &DockerVolume) -> ecs::DockerVolumeConfiguration {
    ecs::DockerVolumeConfiguration {
        scope: it.scope.map(|it| it.as_str().into()),
        autoprovision: it.autoprovision,
        driver: it.driver.clone(),
        driver_opts: it.driver_opts.clone(),
        labels: it.labels.clone(),
    }
}

/// Each element of a list that may be absent, as it is shown.
fn all<T, U>(list: Option<&Vec<T>>, show: impl FnMut(&T) -> U) -> Option<Vec<U>> {
    list.map(|it| it.iter().map(show).collect())
}

fn container(it: &ContainerDefinition) -> ecs::ContainerDefinition {
    ecs::ContainerDefinition {
        name: Some(it.name.to_string()),
        image: Some(it.image.clone()),
        cpu: count(it.cpu_units),
        memory: it.memory_mib.and_then(count),
        memory_reservation: it.memory_reservation_mib.and_then(count),
        links: it.links.clone(),
        port_mappings: Some(it.port_mappings.iter().map(port_mapping).collect()),
        essential: Some(it.essential),
        entry_point: it.entry_point.clone(),
        command: it.command.clone(),
        environment: Some(pairs(&it.environment)),
        mount_points: Some(it.mount_points.iter().map(mount_point).collect()),
        volumes_from: Some(it.volumes_from.iter().map(volume_from).collect()),
        hostname: it.hostname.clone(),
        user: it.user.clone(),
        working_directory: it.working_directory.clone(),
        disable_networking: it.disable_networking,
        privileged: it.privileged,
        readonly_root_filesystem: it.readonly_root_filesystem,
        dns_servers: it.dns_servers.clone(),
        dns_search_domains: it.dns_search_domains.clone(),
        extra_hosts: all(it.extra_hosts.as_ref(), host_entry),
        docker_security_options: it.docker_security_options.clone(),
        docker_labels: it.docker_labels.clone(),
        ulimits: all(it.ulimits.as_ref(), ulimit),
        log_configuration: it.log_configuration.as_ref().map(log_configuration),
        health_check: it.health_check.as_ref().map(health_check),
        linux_parameters: it.linux_parameters.as_ref().map(linux_parameters),
        system_controls: all(it.system_controls.as_ref(), system_control),
        pseudo_terminal: it.pseudo_terminal,
        interactive: it.interactive,
        depends_on: all(it.depends_on.as_ref(), dependency),
        start_timeout: it.start_timeout_secs.and_then(count),
        stop_timeout: it.stop_timeout_secs.and_then(count),
        restart_policy: it.restart_policy.as_ref().map(restart_policy),
        secrets: all(it.secrets.as_ref(), secret),
        repository_credentials: it.repository_credentials.as_ref().map(|it| {
            ecs::RepositoryCredentials { credentials_parameter: Some(it.as_str().into()) }
        }),
        version_consistency: it.version_consistency_disabled.then(|| "disabled".into()),
    }
}

fn port_mapping(it: &definition::PortMapping) -> ecs::PortMapping {
    ecs::PortMapping {
        container_port: Some(it.container_port.into()),
        host_port: Some(it.host_port.into()),
        protocol: Some(it.protocol.as_str().into()),
        name: it.name.clone(),
    }
}

fn mount_point(it: &definition::MountPoint) -> ecs::MountPoint {
    ecs::MountPoint {
        source_volume: it.source_volume.clone(),
        container_path: it.container_path.clone(),
        read_only: it.read_only,
    }
}

fn volume_from(it: &definition::VolumeFrom) -> ecs::VolumeFrom {
    ecs::VolumeFrom { source_container: it.source_container.clone(), read_only: it.read_only }
}

fn host_entry(it: &definition::HostEntry) -> ecs::HostEntry {
    ecs::HostEntry { hostname: Some(it.hostname.clone()), ip_address: Some(it.ip_address.clone()) }
}

fn ulimit(it: &definition::Ulimit) -> ecs::Ulimit {
    ecs::Ulimit {
        name: Some(it.name.clone()),
        soft_limit: Some(it.soft_limit),
        hard_limit: Some(it.hard_limit),
    }
}

fn log_configuration(it: &definition::LogConfiguration) -> ecs::LogConfiguration {
    ecs::LogConfiguration {
        log_driver: Some(it.log_driver.clone()),
        options: it.options.clone(),
        secret_options: all(it.secret_options.as_ref(), secret),
    }
}

/// Where it is; what it is nobody learns here.
fn secret(it: &definition::SecretValue) -> ecs::Secret {
    ecs::Secret { name: Some(it.name.clone()), value_from: Some(it.value_from.as_str().into()) }
}

fn health_check(it: &definition::HealthCheck) -> ecs::HealthCheck {
    ecs::HealthCheck {
        command: Some(it.command.clone()),
        interval: it.interval_secs.and_then(count),
        timeout: it.timeout_secs.and_then(count),
        retries: it.retries.and_then(count),
        start_period: it.start_period_secs.and_then(count),
    }
}

fn linux_parameters(it: &definition::LinuxParameters) -> ecs::LinuxParameters {
    let capabilities = |it: &definition::Capabilities| ecs::KernelCapabilities {
        add: it.add.clone(),
        drop: it.drop.clone(),
    };
    let tmpfs = |it: &definition::Tmpfs| ecs::Tmpfs {
        container_path: Some(it.container_path.clone()),
        size: count(it.size_mib),
        mount_options: it.mount_options.clone(),
    };
    ecs::LinuxParameters {
        capabilities: it.capabilities.as_ref().map(capabilities),
        devices: all(it.devices.as_ref(), device),
        init_process_enabled: it.init_process_enabled,
        shared_memory_size: it.shared_memory_size_mib.and_then(count),
        tmpfs: all(it.tmpfs.as_ref(), tmpfs),
        max_swap: it.max_swap_mib.and_then(count),
        swappiness: it.swappiness.and_then(count),
    }
}

fn device(it: &definition::Device) -> ecs::Device {
    ecs::Device {
        host_path: Some(it.host_path.clone()),
        container_path: it.container_path.clone(),
        permissions: all(it.permissions.as_ref(), |it| it.as_str().into()),
    }
}

fn system_control(it: &definition::SystemControl) -> ecs::SystemControl {
    ecs::SystemControl { namespace: Some(it.namespace.clone()), value: Some(it.value.clone()) }
}

fn dependency(it: &definition::Dependency) -> ecs::ContainerDependency {
    ecs::ContainerDependency {
        container_name: Some(it.container.to_string()),
        condition: Some(it.condition.as_str().into()),
    }
}

fn restart_policy(it: &definition::RestartPolicy) -> ecs::ContainerRestartPolicy {
    ecs::ContainerRestartPolicy {
        enabled: Some(it.enabled),
        ignored_exit_codes: it.ignored_exit_codes.clone(),
        restart_attempt_period: it.restart_attempt_period_secs.and_then(count),
    }
}

/// Container instances of every kind take any definition; FARGATE what was registered for it.
fn compatibilities(found: &TaskDefinition) -> Vec<String> {
    let fargate = LaunchKind::Fargate;
    let required = found.requires_compatibilities.iter().flatten().any(|it| *it == fargate);
    let kinds = [LaunchKind::External, LaunchKind::Ec2].into_iter();
    kinds.chain(required.then_some(fargate)).map(|it| it.as_str().to_owned()).collect()
}
