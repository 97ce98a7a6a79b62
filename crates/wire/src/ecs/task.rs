//! A task as responses show it.

use super::{Attribute, KeyValuePair, Tag, TaskOverride};
use crate::Timestamp;
use crate::shape::shape;

shape! {
    /// A task. What follows `group` joined after June 2017.
    pub struct Task {
        task_arn: Option<String> = "taskArn",
        cluster_arn: Option<String> = "clusterArn",
        task_definition_arn: Option<String> = "taskDefinitionArn",
        container_instance_arn: Option<String> = "containerInstanceArn",
        overrides: Option<TaskOverride> = "overrides",
        last_status: Option<String> = "lastStatus",
        desired_status: Option<String> = "desiredStatus",
        containers: Option<Vec<Container>> = "containers",
        started_by: Option<String> = "startedBy",
        version: Option<i64> = "version",
        stopped_reason: Option<String> = "stoppedReason",
        created_at: Option<Timestamp> = "createdAt",
        started_at: Option<Timestamp> = "startedAt",
        stopped_at: Option<Timestamp> = "stoppedAt",
        group: Option<String> = "group",

        launch_type: Option<String> = "launchType",
        /// Why it stopped, as one of a few words: `EssentialContainerExited`, `UserInitiated`, ...
        stop_code: Option<String> = "stopCode",
        /// When stopping began.
        stopping_at: Option<Timestamp> = "stoppingAt",
        /// When the essential container ended.
        execution_stopped_at: Option<Timestamp> = "executionStoppedAt",
        pull_started_at: Option<Timestamp> = "pullStartedAt",
        pull_stopped_at: Option<Timestamp> = "pullStoppedAt",
        /// `CONNECTED` or `DISCONNECTED`.
        connectivity: Option<String> = "connectivity",
        connectivity_at: Option<Timestamp> = "connectivityAt",
        /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
        health_status: Option<String> = "healthStatus",
        /// Units of 1/1024 CPU, as text.
        cpu: Option<String> = "cpu",
        /// MiB, as text.
        memory: Option<String> = "memory",
        attachments: Option<Vec<Attachment>> = "attachments",
        attributes: Option<Vec<Attribute>> = "attributes",
        tags: Option<Vec<Tag>> = "tags",
        enable_execute_command: Option<bool> = "enableExecuteCommand",
        availability_zone: Option<String> = "availabilityZone",
        capacity_provider_name: Option<String> = "capacityProviderName",
        platform_version: Option<String> = "platformVersion",
        platform_family: Option<String> = "platformFamily",
    }

    /// A container of a task. What follows `network_bindings` joined after June 2017.
    pub struct Container {
        container_arn: Option<String> = "containerArn",
        task_arn: Option<String> = "taskArn",
        name: Option<String> = "name",
        last_status: Option<String> = "lastStatus",
        /// Absent for a container that never ran.
        exit_code: Option<i32> = "exitCode",
        reason: Option<String> = "reason",
        network_bindings: Option<Vec<NetworkBinding>> = "networkBindings",

        image: Option<String> = "image",
        image_digest: Option<String> = "imageDigest",
        /// Docker's id.
        runtime_id: Option<String> = "runtimeId",
        network_interfaces: Option<Vec<NetworkInterface>> = "networkInterfaces",
        health_status: Option<String> = "healthStatus",
        managed_agents: Option<Vec<ManagedAgent>> = "managedAgents",
        /// Units of 1/1024 CPU in effect, as text.
        cpu: Option<String> = "cpu",
        /// Hard limit in MiB in effect, as text.
        memory: Option<String> = "memory",
        /// Soft limit in MiB in effect, as text.
        memory_reservation: Option<String> = "memoryReservation",
    }

    /// A port of a container as it is reachable on the host.
    pub struct NetworkBinding {
        bind_ip: Option<String> = "bindIP",
        container_port: Option<i32> = "containerPort",
        /// The real one, also where Docker chose it.
        host_port: Option<i32> = "hostPort",
        protocol: Option<String> = "protocol",
    }

    pub struct NetworkInterface {
        attachment_id: Option<String> = "attachmentId",
        private_ipv4_address: Option<String> = "privateIpv4Address",
        ipv6_address: Option<String> = "ipv6Address",
    }

    pub struct ManagedAgent {
        last_started_at: Option<Timestamp> = "lastStartedAt",
        name: Option<String> = "name",
        reason: Option<String> = "reason",
        last_status: Option<String> = "lastStatus",
    }

    /// Something bound to a task or an instance, such as a network interface.
    pub struct Attachment {
        id: Option<String> = "id",
        kind: Option<String> = "type",
        status: Option<String> = "status",
        details: Option<Vec<KeyValuePair>> = "details",
    }
}
