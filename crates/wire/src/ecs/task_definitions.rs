//! The operations on task definitions.

use std::collections::BTreeMap;

use super::{Attribute, ContainerDefinition, Failure, PlacementConstraint, Tag};
use crate::Timestamp;
use crate::shape::shape;

shape! {
    pub struct RegisterTaskDefinitionRequest {
        family: Option<String> = "family",
        task_role_arn: Option<String> = "taskRoleArn",
        /// `bridge`, `host` or `none`.
        network_mode: Option<String> = "networkMode",
        container_definitions: Option<Vec<ContainerDefinition>> = "containerDefinitions",
        volumes: Option<Vec<Volume>> = "volumes",
        placement_constraints: Option<Vec<PlacementConstraint>> = "placementConstraints",
        /// Launch types to check the definition against.
        requires_compatibilities: Option<Vec<String>> = "requiresCompatibilities",
        tags: Option<Vec<Tag>> = "tags",
        execution_role_arn: Option<String> = "executionRoleArn",
        /// Units, or vCPU as in `0.5 vCPU`.
        cpu: Option<String> = "cpu",
        /// MiB, or GB as in `0.5 GB`.
        memory: Option<String> = "memory",
        /// `host` or `task`.
        pid_mode: Option<String> = "pidMode",
        /// `host`, `task` or `none`.
        ipc_mode: Option<String> = "ipcMode",
        runtime_platform: Option<RuntimePlatform> = "runtimePlatform",
    }

    pub struct RegisterTaskDefinitionResponse {
        task_definition: Option<TaskDefinition> = "taskDefinition",
        tags: Option<Vec<Tag>> = "tags",
    }

    pub struct DescribeTaskDefinitionRequest {
        task_definition: Option<String> = "taskDefinition",
        /// What to show besides: `TAGS`.
        include: Option<Vec<String>> = "include",
    }

    pub struct DescribeTaskDefinitionResponse {
        task_definition: Option<TaskDefinition> = "taskDefinition",
        tags: Option<Vec<Tag>> = "tags",
    }

    pub struct DeregisterTaskDefinitionRequest {
        /// With a revision.
        task_definition: Option<String> = "taskDefinition",
    }

    pub struct DeregisterTaskDefinitionResponse {
        task_definition: Option<TaskDefinition> = "taskDefinition",
    }

    pub struct DeleteTaskDefinitionsRequest {
        task_definitions: Option<Vec<String>> = "taskDefinitions",
    }

    pub struct DeleteTaskDefinitionsResponse {
        task_definitions: Option<Vec<TaskDefinition>> = "taskDefinitions",
        failures: Option<Vec<Failure>> = "failures",
    }

    pub struct ListTaskDefinitionsRequest {
        /// A whole family, despite its name.
        family_prefix: Option<String> = "familyPrefix",
        /// `ACTIVE`, `INACTIVE` or `DELETE_IN_PROGRESS`.
        status: Option<String> = "status",
        /// `ASC` or `DESC`.
        sort: Option<String> = "sort",
        next_token: Option<String> = "nextToken",
        max_results: Option<i32> = "maxResults",
    }

    pub struct ListTaskDefinitionsResponse {
        task_definition_arns: Option<Vec<String>> = "taskDefinitionArns",
        next_token: Option<String> = "nextToken",
    }

    pub struct ListTaskDefinitionFamiliesRequest {
        family_prefix: Option<String> = "familyPrefix",
        /// `ACTIVE`, `INACTIVE` or `ALL`.
        status: Option<String> = "status",
        next_token: Option<String> = "nextToken",
        max_results: Option<i32> = "maxResults",
    }

    pub struct ListTaskDefinitionFamiliesResponse {
        families: Option<Vec<String>> = "families",
        next_token: Option<String> = "nextToken",
    }

    /// A task definition. What follows `placement_constraints` joined after June 2017.
    pub struct TaskDefinition {
        task_definition_arn: Option<String> = "taskDefinitionArn",
        container_definitions: Option<Vec<ContainerDefinition>> = "containerDefinitions",
        family: Option<String> = "family",
        task_role_arn: Option<String> = "taskRoleArn",
        network_mode: Option<String> = "networkMode",
        revision: Option<i32> = "revision",
        volumes: Option<Vec<Volume>> = "volumes",
        status: Option<String> = "status",
        requires_attributes: Option<Vec<Attribute>> = "requiresAttributes",
        placement_constraints: Option<Vec<PlacementConstraint>> = "placementConstraints",

        compatibilities: Option<Vec<String>> = "compatibilities",
        requires_compatibilities: Option<Vec<String>> = "requiresCompatibilities",
        registered_at: Option<Timestamp> = "registeredAt",
        deregistered_at: Option<Timestamp> = "deregisteredAt",
        registered_by: Option<String> = "registeredBy",
        execution_role_arn: Option<String> = "executionRoleArn",
        cpu: Option<String> = "cpu",
        memory: Option<String> = "memory",
        pid_mode: Option<String> = "pidMode",
        ipc_mode: Option<String> = "ipcMode",
        runtime_platform: Option<RuntimePlatform> = "runtimePlatform",
    }

    /// A volume that the task's containers share.
    pub struct Volume {
        name: Option<String> = "name",
        host: Option<HostVolumeProperties> = "host",
        docker_volume_configuration: Option<DockerVolumeConfiguration> =
            "dockerVolumeConfiguration",
    }

    /// A volume that Docker keeps.
    pub struct DockerVolumeConfiguration {
        /// `task` or `shared`.
        scope: Option<String> = "scope",
        autoprovision: Option<bool> = "autoprovision",
        driver: Option<String> = "driver",
        driver_opts: Option<BTreeMap<String, String>> = "driverOpts",
        labels: Option<BTreeMap<String, String>> = "labels",
    }

    /// Without a path the volume is empty, and gone with the task.
    pub struct HostVolumeProperties {
        source_path: Option<String> = "sourcePath",
    }

    pub struct RuntimePlatform {
        cpu_architecture: Option<String> = "cpuArchitecture",
        operating_system_family: Option<String> = "operatingSystemFamily",
    }
}
