//! One file per action: parse, call, render. The listing is what is supported.

pub(super) mod create_cluster;
pub(super) mod delete_cluster;
pub(super) mod delete_task_definitions;
pub(super) mod deregister_task_definition;
pub(super) mod describe_clusters;
pub(super) mod describe_container_instances;
pub(super) mod describe_task_definition;
pub(super) mod describe_tasks;
pub(super) mod discover_poll_endpoint;
pub(super) mod list_clusters;
pub(super) mod list_container_instances;
pub(super) mod list_tags_for_resource;
pub(super) mod list_task_definition_families;
pub(super) mod list_task_definitions;
pub(super) mod list_tasks;
pub(super) mod register_container_instance;
pub(super) mod register_task_definition;
pub(super) mod run_task;
pub(super) mod start_task;
pub(super) mod stop_task;
pub(super) mod submit_container_state_change;
pub(super) mod submit_task_state_change;
pub(super) mod tag_resource;
pub(super) mod untag_resource;
