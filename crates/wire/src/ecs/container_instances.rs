//! The operations on container instances, and DiscoverPollEndpoint.

use super::{Attachment, Attribute, Failure, Tag};
use crate::Timestamp;
use crate::shape::shape;

shape! {
    pub struct RegisterContainerInstanceRequest {
        cluster: Option<String> = "cluster",
        /// Present when an instance that is known already registers again.
        container_instance_arn: Option<String> = "containerInstanceArn",
        instance_identity_document: Option<String> = "instanceIdentityDocument",
        instance_identity_document_signature: Option<String> = "instanceIdentityDocumentSignature",
        total_resources: Option<Vec<Resource>> = "totalResources",
        version_info: Option<VersionInfo> = "versionInfo",
        attributes: Option<Vec<Attribute>> = "attributes",
        tags: Option<Vec<Tag>> = "tags",
        /// Not in the public model, but newer agents send it.
        client_token: Option<String> = "clientToken",
    }

    pub struct RegisterContainerInstanceResponse {
        container_instance: Option<ContainerInstance> = "containerInstance",
    }

    pub struct DescribeContainerInstancesRequest {
        cluster: Option<String> = "cluster",
        container_instances: Option<Vec<String>> = "containerInstances",
        /// What to show besides: `TAGS`, `CONTAINER_INSTANCE_HEALTH`.
        include: Option<Vec<String>> = "include",
    }

    pub struct DescribeContainerInstancesResponse {
        container_instances: Option<Vec<ContainerInstance>> = "containerInstances",
        failures: Option<Vec<Failure>> = "failures",
    }

    pub struct ListContainerInstancesRequest {
        cluster: Option<String> = "cluster",
        /// Cluster query language.
        filter: Option<String> = "filter",
        /// `ACTIVE` or `DRAINING`.
        status: Option<String> = "status",
        next_token: Option<String> = "nextToken",
        max_results: Option<i32> = "maxResults",
    }

    pub struct ListContainerInstancesResponse {
        container_instance_arns: Option<Vec<String>> = "containerInstanceArns",
        next_token: Option<String> = "nextToken",
    }

    pub struct DeregisterContainerInstanceRequest {
        cluster: Option<String> = "cluster",
        container_instance: Option<String> = "containerInstance",
        /// Also where it has tasks.
        force: Option<bool> = "force",
    }

    pub struct DeregisterContainerInstanceResponse {
        container_instance: Option<ContainerInstance> = "containerInstance",
    }

    pub struct UpdateContainerInstancesStateRequest {
        cluster: Option<String> = "cluster",
        container_instances: Option<Vec<String>> = "containerInstances",
        /// `ACTIVE` or `DRAINING`.
        status: Option<String> = "status",
    }

    pub struct UpdateContainerInstancesStateResponse {
        container_instances: Option<Vec<ContainerInstance>> = "containerInstances",
        failures: Option<Vec<Failure>> = "failures",
    }

    pub struct UpdateContainerAgentRequest {
        cluster: Option<String> = "cluster",
        container_instance: Option<String> = "containerInstance",
    }

    pub struct UpdateContainerAgentResponse {
        container_instance: Option<ContainerInstance> = "containerInstance",
    }

    pub struct DiscoverPollEndpointRequest {
        container_instance: Option<String> = "containerInstance",
        cluster: Option<String> = "cluster",
        /// Not in the public model, but newer agents send it.
        zone_id: Option<String> = "zoneId",
    }

    /// URLs to which the agent appends `ws` and a query.
    pub struct DiscoverPollEndpointResponse {
        endpoint: Option<String> = "endpoint",
        telemetry_endpoint: Option<String> = "telemetryEndpoint",
        service_connect_endpoint: Option<String> = "serviceConnectEndpoint",
    }

    /// A container instance. What follows `registered_at` joined after June 2017.
    pub struct ContainerInstance {
        container_instance_arn: Option<String> = "containerInstanceArn",
        ec2_instance_id: Option<String> = "ec2InstanceId",
        version: Option<i64> = "version",
        version_info: Option<VersionInfo> = "versionInfo",
        /// CPU and memory that are left, but ports that are taken.
        remaining_resources: Option<Vec<Resource>> = "remainingResources",
        registered_resources: Option<Vec<Resource>> = "registeredResources",
        status: Option<String> = "status",
        agent_connected: Option<bool> = "agentConnected",
        running_tasks_count: Option<i32> = "runningTasksCount",
        pending_tasks_count: Option<i32> = "pendingTasksCount",
        agent_update_status: Option<String> = "agentUpdateStatus",
        attributes: Option<Vec<Attribute>> = "attributes",
        registered_at: Option<Timestamp> = "registeredAt",

        capacity_provider_name: Option<String> = "capacityProviderName",
        status_reason: Option<String> = "statusReason",
        attachments: Option<Vec<Attachment>> = "attachments",
        tags: Option<Vec<Tag>> = "tags",
        health_status: Option<ContainerInstanceHealthStatus> = "healthStatus",
    }

    /// What an instance's own checks say.
    pub struct ContainerInstanceHealthStatus {
        /// `OK`, `IMPAIRED`, `INSUFFICIENT_DATA` or `INITIALIZING`.
        overall_status: Option<String> = "overallStatus",
        details: Option<Vec<InstanceHealthCheckResult>> = "details",
    }

    /// What one check says.
    pub struct InstanceHealthCheckResult {
        /// `CONTAINER_RUNTIME`, `ACCELERATED_COMPUTE` or `DAEMON`.
        kind: Option<String> = "type",
        status: Option<String> = "status",
        last_updated: Option<Timestamp> = "lastUpdated",
        last_status_change: Option<Timestamp> = "lastStatusChange",
    }

    /// An amount of one kind of resource. Requests carry the one member that means something,
    /// responses all the numbers.
    pub struct Resource {
        /// `CPU`, `MEMORY`, `PORTS` or `PORTS_UDP`.
        name: Option<String> = "name",
        /// `INTEGER` or `STRINGSET`; also `LONG` and `DOUBLE`.
        kind: Option<String> = "type",
        double_value: Option<f64> = "doubleValue",
        long_value: Option<i64> = "longValue",
        integer_value: Option<i32> = "integerValue",
        string_set_value: Option<Vec<String>> = "stringSetValue",
    }

    pub struct VersionInfo {
        agent_version: Option<String> = "agentVersion",
        agent_hash: Option<String> = "agentHash",
        docker_version: Option<String> = "dockerVersion",
    }
}
