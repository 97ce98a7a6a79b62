//! RunTask, StartTask, StopTask, DescribeTasks and ListTasks.

use super::{
    CapacityProviderStrategyItem, Failure, PlacementConstraint, PlacementStrategy, Tag, Task,
    TaskOverride,
};
use crate::shape::shape;

shape! {
    pub struct RunTaskRequest {
        cluster: Option<String> = "cluster",
        task_definition: Option<String> = "taskDefinition",
        overrides: Option<TaskOverride> = "overrides",
        count: Option<i32> = "count",
        started_by: Option<String> = "startedBy",
        group: Option<String> = "group",
        placement_constraints: Option<Vec<PlacementConstraint>> = "placementConstraints",
        placement_strategy: Option<Vec<PlacementStrategy>> = "placementStrategy",
        launch_type: Option<String> = "launchType",
        capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>> =
            "capacityProviderStrategy",
        platform_version: Option<String> = "platformVersion",
        tags: Option<Vec<Tag>> = "tags",
        /// Whose tags the tasks take over: `TASK_DEFINITION` or `NONE`.
        propagate_tags: Option<String> = "propagateTags",
        enable_ecs_managed_tags: Option<bool> = "enableECSManagedTags",
        /// Today's SDKs fill it in by themselves; a call repeated with the same token is the same
        /// call.
        client_token: Option<String> = "clientToken",
    }

    pub struct RunTaskResponse {
        tasks: Option<Vec<Task>> = "tasks",
        failures: Option<Vec<Failure>> = "failures",
    }

    pub struct StartTaskRequest {
        cluster: Option<String> = "cluster",
        task_definition: Option<String> = "taskDefinition",
        overrides: Option<TaskOverride> = "overrides",
        container_instances: Option<Vec<String>> = "containerInstances",
        started_by: Option<String> = "startedBy",
        group: Option<String> = "group",
        tags: Option<Vec<Tag>> = "tags",
        /// Whose tags the tasks take over: `TASK_DEFINITION` or `NONE`.
        propagate_tags: Option<String> = "propagateTags",
        enable_ecs_managed_tags: Option<bool> = "enableECSManagedTags",
    }

    pub struct StartTaskResponse {
        tasks: Option<Vec<Task>> = "tasks",
        failures: Option<Vec<Failure>> = "failures",
    }

    pub struct StopTaskRequest {
        cluster: Option<String> = "cluster",
        task: Option<String> = "task",
        reason: Option<String> = "reason",
    }

    pub struct StopTaskResponse {
        task: Option<Task> = "task",
    }

    pub struct DescribeTasksRequest {
        cluster: Option<String> = "cluster",
        tasks: Option<Vec<String>> = "tasks",
        /// What to show besides: `TAGS`.
        include: Option<Vec<String>> = "include",
    }

    pub struct DescribeTasksResponse {
        tasks: Option<Vec<Task>> = "tasks",
        failures: Option<Vec<Failure>> = "failures",
    }

    pub struct ListTasksRequest {
        cluster: Option<String> = "cluster",
        container_instance: Option<String> = "containerInstance",
        family: Option<String> = "family",
        started_by: Option<String> = "startedBy",
        service_name: Option<String> = "serviceName",
        desired_status: Option<String> = "desiredStatus",
        launch_type: Option<String> = "launchType",
        next_token: Option<String> = "nextToken",
        max_results: Option<i32> = "maxResults",
    }

    pub struct ListTasksResponse {
        task_arns: Option<Vec<String>> = "taskArns",
        next_token: Option<String> = "nextToken",
    }
}
