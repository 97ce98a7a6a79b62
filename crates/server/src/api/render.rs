//! Records as responses show them.

mod task_definition;

use longshore_control::telemetry::{Check, CheckStatus};
use longshore_model::account_settings::SettingName;
use longshore_model::overrides::effective;
use longshore_model::{
    ArnForm, Attribute, Cluster, Container, ContainerDefinition, ContainerInstance, Demand,
    LaunchType, NetworkBinding, Occupancy, Overrides, Owner, Resources, Tag, Tags, Task,
    TaskDefinition, Timestamp,
};
use longshore_store::{ClusterCounts, State};
use longshore_wire as wire;
use longshore_wire::ecs;

pub(super) use task_definition::task_definition;

pub(crate) fn timestamp(at: Timestamp) -> wire::Timestamp {
    wire::Timestamp::from_millis(at.millis())
}

fn count(number: u32) -> Option<i32> {
    Some(i32::try_from(number).unwrap_or(i32::MAX))
}

pub(super) fn cluster(cluster: &Cluster, state: &State, owner: &Owner) -> ecs::Cluster {
    let counts = state.counts(&cluster.name);
    ecs::Cluster {
        cluster_arn: Some(owner.cluster_arn(&cluster.name)),
        cluster_name: Some(cluster.name.to_string()),
        status: Some(cluster.status.as_str().into()),
        registered_container_instances_count: count(counts.registered_instances),
        running_tasks_count: count(counts.running_tasks),
        pending_tasks_count: count(counts.pending_tasks),
        active_services_count: Some(0),
        capacity_providers: Some(Vec::new()),
        default_capacity_provider_strategy: Some(Vec::new()),
        ..ecs::Cluster::default()
    }
}

/// Of the settings that clusters have, the one that there is stands at what is so.
pub(super) fn cluster_settings() -> Vec<ecs::ClusterSetting> {
    let (name, value) = (Some("containerInsights".into()), Some("disabled".into()));
    vec![ecs::ClusterSetting { name, value }]
}

/// Counts by launch type, named and ordered as ECS does.
pub(super) fn cluster_statistics(counts: &ClusterCounts) -> Vec<ecs::KeyValuePair> {
    let statistic = |(name, count): (&str, u32)| ecs::KeyValuePair {
        name: Some(name.into()),
        value: Some(count.to_string()),
    };
    let (running, pending) = (counts.running_elsewhere, counts.pending_elsewhere);
    let statistics = [
        ("runningEC2TasksCount", counts.running_tasks - running.external - running.fargate),
        ("runningFargateTasksCount", running.fargate),
        ("pendingEC2TasksCount", counts.pending_tasks - pending.external - pending.fargate),
        ("pendingFargateTasksCount", pending.fargate),
        ("runningExternalTasksCount", running.external),
        ("pendingExternalTasksCount", pending.external),
        ("activeEC2ServiceCount", 0),
        ("activeFargateServiceCount", 0),
        ("drainingEC2ServiceCount", 0),
        ("drainingFargateServiceCount", 0),
        ("activeExternalServiceCount", 0),
        ("drainingExternalServiceCount", 0),
    ];
    statistics.into_iter().map(statistic).collect()
}

pub(super) fn account_setting(name: SettingName, value: &str, owner: &Owner) -> ecs::Setting {
    let kind = if name.is_aws_managed() { "aws_managed" } else { "user" };
    ecs::Setting {
        name: Some(name.to_string()),
        value: Some(value.into()),
        principal_arn: Some(owner.root_arn()),
        kind: Some(kind.into()),
    }
}

pub(super) fn tags(tags: &Tags) -> Vec<ecs::Tag> {
    let tag = |it: &Tag| ecs::Tag { key: Some(it.key().into()), value: Some(it.value().into()) };
    tags.iter().map(tag).collect()
}

pub(super) fn failure(arn: String, reason: &str) -> ecs::Failure {
    ecs::Failure { arn: Some(arn), reason: Some(reason.into()), detail: None }
}

pub(super) fn task(
    task: &Task,
    definition: &TaskDefinition,
    instance: Option<&ContainerInstance>,
    owner: &Owner,
) -> ecs::Task {
    let placed_on = |it: &ContainerInstance| it.arn(owner);
    let gone = || {
        let (cluster, id) = (&task.cluster, task.container_instance);
        owner.container_instance_arn(ArnForm::default(), cluster, id)
    };
    let (platform_version, capacity_provider) = match task.launch_type {
        LaunchType::Fargate { platform_version, capacity_provider } => {
            (Some(platform_version), capacity_provider)
        }
        LaunchType::Ec2 | LaunchType::External => (None, None),
    };
    let size = Demand::of(definition, task.overrides.as_deref()).resources;
    let task_arn = task.arn(owner);
    let containers = task
        .containers
        .iter()
        .map(|it| container(it, task, definition, &task_arn, owner))
        .collect();
    ecs::Task {
        cluster_arn: Some(owner.cluster_arn(&task.cluster)),
        task_definition_arn: Some(owner.task_definition_arn(&task.definition)),
        container_instance_arn: Some(instance.map_or_else(gone, placed_on)),
        overrides: Some(overrides(task.overrides.as_deref(), definition)),
        last_status: Some(task.last_status.as_str().into()),
        desired_status: Some(task.desired_status.as_str().into()),
        containers: Some(containers),
        started_by: task.started_by.as_deref().map(Into::into),
        version: i64::try_from(task.version).ok(),
        stopped_reason: task.stopped_reason.as_deref().map(Into::into),
        created_at: Some(timestamp(task.created_at)),
        started_at: task.started_at.map(timestamp),
        stopped_at: task.stopped_at.map(timestamp),
        group: Some(task.group.as_ref().into()),
        launch_type: Some(task.launch_type.kind().as_str().into()),
        platform_version: platform_version.map(|it| it.as_str().into()),
        capacity_provider_name: capacity_provider.map(|it| it.as_str().into()),
        stop_code: task.stop_code.map(|it| it.as_str().into()),
        stopping_at: task.stopping_at.map(timestamp),
        execution_stopped_at: task.execution_stopped_at.map(timestamp),
        pull_started_at: task.pull_started_at.map(timestamp),
        pull_stopped_at: task.pull_stopped_at.map(timestamp),
        health_status: Some(task.health(definition).as_str().into()),
        connectivity: Some(connectivity(instance).into()),
        connectivity_at: instance
            .and_then(|it| it.connected_at)
            .map(|at| timestamp(at.max(task.created_at))),
        availability_zone: instance
            .and_then(|it| it.attribute("ecs.availability-zone"))
            .map(Into::into),
        cpu: Some(size.cpu_units.to_string()),
        memory: Some(size.memory_mib.to_string()),
        attachments: Some(Vec::new()),
        attributes: Some(Vec::new()),
        enable_execute_command: Some(false),
        task_arn: Some(task_arn),
        ..ecs::Task::default()
    }
}

/// A task is reached where its agent is.
fn connectivity(instance: Option<&ContainerInstance>) -> &'static str {
    match instance.is_some_and(|it| it.agent_connected) {
        true => "CONNECTED",
        false => "DISCONNECTED",
    }
}

fn container(
    container: &Container,
    task: &Task,
    definition: &TaskDefinition,
    task_arn: &str,
    owner: &Owner,
) -> ecs::Container {
    let defined = definition.containers.iter().find(|it| it.name == container.name);
    let settings = defined.map(|it| effective(it, task.overrides.as_deref()));
    ecs::Container {
        container_arn: Some(task.container_arn(container.id, owner)),
        task_arn: Some(task_arn.into()),
        name: Some(container.name.to_string()),
        last_status: Some(container.last_status.as_str().into()),
        exit_code: container.exit_code,
        reason: container.reason.as_deref().map(Into::into),
        network_bindings: Some(container.network_bindings.iter().map(network_binding).collect()),
        image: defined.map(|it| it.image.clone()),
        runtime_id: container.runtime_id.as_deref().map(Into::into),
        image_digest: container.image_digest.as_deref().map(Into::into),
        health_status: Some(container.health.unwrap_or_default().as_str().into()),
        cpu: settings.as_ref().map(|it| it.cpu_units.to_string()),
        memory: settings.as_ref().and_then(|it| it.memory_mib).map(|it| it.to_string()),
        memory_reservation: settings
            .as_ref()
            .and_then(|it| it.memory_reservation_mib)
            .map(|it| it.to_string()),
        ..ecs::Container::default()
    }
}

fn network_binding(binding: &NetworkBinding) -> ecs::NetworkBinding {
    ecs::NetworkBinding {
        bind_ip: Some(binding.bind_ip.to_string()),
        container_port: Some(binding.container_port.into()),
        host_port: Some(binding.host_port.into()),
        protocol: Some(binding.protocol.as_str().into()),
    }
}

/// What was sent, with an entry for every container of the definition.
fn overrides(sent: Option<&Overrides>, definition: &TaskDefinition) -> ecs::TaskOverride {
    let entry = |container: &ContainerDefinition| {
        let named = ecs::ContainerOverride {
            name: Some(container.name.to_string()),
            ..ecs::ContainerOverride::default()
        };
        let Some(sent) = sent.and_then(|it| it.container(&container.name)) else { return named };
        ecs::ContainerOverride {
            command: sent.command.clone(),
            environment: sent.environment.as_deref().map(pairs),
            cpu: sent.cpu_units.and_then(count),
            memory: sent.memory_mib.and_then(count),
            memory_reservation: sent.memory_reservation_mib.and_then(count),
            ..named
        }
    };
    ecs::TaskOverride {
        container_overrides: Some(definition.containers.iter().map(entry).collect()),
        task_role_arn: sent.and_then(|it| it.task_role_arn.clone()),
        cpu: sent.and_then(|it| it.size.cpu_units).map(|it| it.to_string()),
        memory: sent.and_then(|it| it.size.memory_mib).map(|it| it.to_string()),
    }
}

fn pairs(environment: &[(String, String)]) -> Vec<ecs::KeyValuePair> {
    let pair = |(name, value): &(String, String)| ecs::KeyValuePair {
        name: Some(name.clone()),
        value: Some(value.clone()),
    };
    environment.iter().map(pair).collect()
}

pub(super) fn container_instance(
    instance: &ContainerInstance,
    occupancy: &Occupancy,
    owner: &Owner,
) -> ecs::ContainerInstance {
    let versions = &instance.version_info;
    let registered = resources(
        instance.registered,
        instance.reserved_ports_tcp.iter().copied().collect(),
        instance.reserved_ports_udp.iter().copied().collect(),
    );
    let remaining = resources(
        instance.registered.minus(occupancy.taken),
        instance.reserved_ports_tcp.iter().chain(&occupancy.ports_tcp).copied().collect(),
        instance.reserved_ports_udp.iter().chain(&occupancy.ports_udp).copied().collect(),
    );
    ecs::ContainerInstance {
        container_instance_arn: Some(instance.arn(owner)),
        ec2_instance_id: instance.ec2_instance_id.clone(),
        version: i64::try_from(instance.version).ok(),
        version_info: Some(ecs::VersionInfo {
            agent_version: versions.agent_version.clone(),
            agent_hash: versions.agent_hash.clone(),
            docker_version: versions.docker_version.clone(),
        }),
        remaining_resources: Some(remaining),
        registered_resources: Some(registered),
        status: Some(instance.status.as_str().into()),
        agent_connected: Some(instance.agent_connected),
        running_tasks_count: count(occupancy.running),
        pending_tasks_count: count(occupancy.pending),
        attributes: Some(instance.attributes.iter().map(attribute).collect()),
        registered_at: Some(timestamp(instance.registered_at)),
        ..ecs::ContainerInstance::default()
    }
}

/// Where no check is known, ECS knows too little to say.
pub(super) fn instance_health(checks: &[Check]) -> ecs::ContainerInstanceHealthStatus {
    let result = |it: &Check| ecs::InstanceHealthCheckResult {
        kind: Some(it.kind.as_str().into()),
        status: Some(it.status.as_str().into()),
        last_updated: it.updated_at.map(timestamp),
        last_status_change: it.changed_at.map(timestamp),
    };
    ecs::ContainerInstanceHealthStatus {
        overall_status: Some(CheckStatus::overall(checks).as_str().into()),
        details: Some(checks.iter().map(result).collect()),
    }
}

/// The four resources in ECS's order. Ports are those in use, in numeric order.
fn resources(amount: Resources, mut tcp: Vec<u16>, mut udp: Vec<u16>) -> Vec<ecs::Resource> {
    let base = |name: &str, kind: &str| ecs::Resource {
        name: Some(name.into()),
        kind: Some(kind.into()),
        double_value: Some(0.0),
        long_value: Some(0),
        integer_value: Some(0),
        string_set_value: None,
    };
    let integer = |name: &str, value: u32| ecs::Resource {
        integer_value: count(value),
        ..base(name, "INTEGER")
    };
    let ports = |name: &str, ports: &[u16]| ecs::Resource {
        string_set_value: Some(ports.iter().map(ToString::to_string).collect()),
        ..base(name, "STRINGSET")
    };
    tcp.sort_unstable();
    udp.sort_unstable();
    vec![
        integer("CPU", amount.cpu_units),
        integer("MEMORY", amount.memory_mib),
        ports("PORTS", &tcp),
        ports("PORTS_UDP", &udp),
    ]
}

fn attribute(attribute: &Attribute) -> ecs::Attribute {
    ecs::Attribute {
        name: Some(attribute.name.as_ref().into()),
        value: attribute.value.as_deref().map(Into::into),
        ..ecs::Attribute::default()
    }
}

/// An attribute with whose it is.
pub(super) fn target_attribute(found: &Attribute, target: String) -> ecs::Attribute {
    ecs::Attribute { target_id: Some(target), ..attribute(found) }
}
