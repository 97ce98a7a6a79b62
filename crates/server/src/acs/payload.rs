//! A task in the terms of its agent: every override merged, and whatever has no member of its own
//! in Docker's JSON.

mod docker;

use longshore_model::container_definition as definition;
use longshore_model::overrides::{effective, effective_size};
use longshore_model::task_definition::{DockerVolume, IpcMode, PidMode, Volume, VolumeScope};
use longshore_model::{ContainerDefinition, LaunchKind, LaunchType, Owner, Task, TaskDefinition};
use longshore_wire::acs;

use crate::secrets::TaskSecrets;

/// The task as an agent is to run it, with its secrets and the credentials of its role, or to stop
/// it, without.
pub(super) fn task(
    task: &Task,
    definition: &TaskDefinition,
    owner: &Owner,
    secrets: &TaskSecrets,
    role_credentials: Option<acs::RoleCredentials>,
) -> acs::Task {
    let size = effective_size(definition, task.overrides.as_deref());
    acs::Task {
        arn: task.arn(owner),
        family: definition.key.family.to_string(),
        version: definition.key.revision.to_string(),
        desired_status: task.desired_status.as_str().into(),
        containers: definition
            .containers
            .iter()
            .zip(&task.containers)
            .map(|(it, known)| acs::Container {
                container_arn: Some(task.container_arn(known.id, owner)),
                ..container(it, task, definition, secrets)
            })
            .collect(),
        volumes: definition.volumes.iter().map(volume).collect(),
        overrides: Some(acs::Overrides::default()),
        role_credentials,
        cpu: size.cpu_units.map(|it| f64::from(it) / 1024.0),
        memory: size.memory_mib.map(i64::from),
        // What is shared with the host, or with nobody, is Docker's to arrange.
        pid_mode: definition
            .pid_mode
            .filter(|it| *it == PidMode::Task)
            .map(|it| it.as_str().into()),
        ipc_mode: definition
            .ipc_mode
            .filter(|it| *it == IpcMode::Task)
            .map(|it| it.as_str().into()),
        launch_type: launch_type(task.launch_type),
        ..acs::Task::default()
    }
}

/// FARGATE is not said to machines that are not: nobody knows what their agents would make of it.
fn launch_type(it: LaunchType) -> Option<String> {
    match it.kind() {
        kind @ (LaunchKind::Ec2 | LaunchKind::External) => Some(kind.as_str().into()),
        LaunchKind::Fargate => None,
    }
}

fn volume(volume: &Volume) -> acs::Volume {
    let name = volume.name.clone();
    match &volume.docker {
        None => acs::Volume {
            name,
            host: Some(acs::HostVolume { source_path: volume.host_source_path.clone() }),
            ..acs::Volume::default()
        },
        Some(docker) => acs::Volume {
            name,
            kind: Some("docker".into()),
            docker_volume_configuration: Some(docker_volume(docker)),
            ..acs::Volume::default()
        },
    }
}

fn docker_volume(it: &DockerVolume) -> acs::DockerVolumeConfiguration {
    acs::DockerVolumeConfiguration {
        scope: Some(it.scope.unwrap_or(VolumeScope::Task).as_str().into()),
        autoprovision: it.autoprovision.unwrap_or(false),
        driver: Some(it.driver().into()),
        driver_opts: it.driver_opts.clone(),
        labels: it.labels.clone(),
    }
}

fn container(
    container: &ContainerDefinition,
    task: &Task,
    definition: &TaskDefinition,
    secrets: &TaskSecrets,
) -> acs::Container {
    let settings = effective(container, task.overrides.as_deref());
    let environment = settings.environment.iter().map(|(name, value)| (*name, *value));
    let secret_variables = container.secrets.iter().flatten();
    let secret_variables =
        secret_variables.filter_map(|it| Some((it.name.as_str(), secrets.value(&it.value_from)?)));
    let environment = environment.chain(secret_variables);
    let log = container.log_configuration.as_ref();
    let secret_options = |it: &definition::LogConfiguration| {
        it.secret_options.iter().flatten().map(|it| it.name.clone()).collect()
    };
    let login = container.repository_credentials.as_ref().and_then(|it| secrets.login(it));
    acs::Container {
        name: container.name.to_string(),
        image: container.image.clone(),
        command: settings.command.map(<[String]>::to_vec).unwrap_or_default(),
        entry_point: container.entry_point.clone().unwrap_or_default(),
        cpu: settings.cpu_units.into(),
        memory: settings.memory_mib.unwrap_or(0).into(),
        essential: container.essential,
        environment: environment.map(|(name, value)| (name.into(), value.into())).collect(),
        links: container.links.clone().unwrap_or_default(),
        port_mappings: container.port_mappings.iter().map(port_mapping).collect(),
        mount_points: container.mount_points.iter().map(mount_point).collect(),
        volumes_from: container.volumes_from.iter().map(volume_from).collect(),
        overrides: Some(acs::Overrides::default()),
        docker_config: Some(docker::config(container, &settings, definition, secrets)),
        health_check_type: container.health_check.as_ref().map(|_| "docker".into()),
        depends_on: container.depends_on.as_ref().map(|all| all.iter().map(dependency).collect()),
        start_timeout: container.start_timeout_secs.map(i64::from),
        stop_timeout: container.stop_timeout_secs.map(i64::from),
        restart_policy: container.restart_policy.as_ref().map(restart_policy),
        registry_authentication: login.map(|it| acs::RegistryAuthentication {
            kind: Some("basic".into()),
            basic_auth_data: Some(it.clone()),
            ..acs::RegistryAuthentication::default()
        }),
        secret_log_options: log.map(secret_options),
        ..acs::Container::default()
    }
}

fn dependency(it: &definition::Dependency) -> acs::ContainerDependency {
    acs::ContainerDependency {
        container_name: it.container.to_string(),
        condition: it.condition.as_str().into(),
    }
}

fn restart_policy(it: &definition::RestartPolicy) -> acs::RestartPolicy {
    acs::RestartPolicy {
        enabled: it.enabled,
        ignored_exit_codes: it.ignored_exit_codes.clone(),
        restart_attempt_period: Some(it.restart_attempt_period_secs().into()),
    }
}

fn port_mapping(it: &definition::PortMapping) -> acs::PortMapping {
    acs::PortMapping {
        container_port: it.container_port.into(),
        host_port: it.host_port.into(),
        protocol: Some(it.protocol.as_str().into()),
    }
}

fn mount_point(it: &definition::MountPoint) -> acs::MountPoint {
    acs::MountPoint {
        source_volume: it.source_volume.clone().unwrap_or_default(),
        container_path: it.container_path.clone().unwrap_or_default(),
        read_only: it.read_only.unwrap_or(false),
    }
}

fn volume_from(it: &definition::VolumeFrom) -> acs::VolumeFrom {
    acs::VolumeFrom {
        source_container: it.source_container.clone().unwrap_or_default(),
        read_only: it.read_only.unwrap_or(false),
    }
}
