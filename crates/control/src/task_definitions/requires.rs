//! The capabilities that a container instance must have for a task.
//! Source: Amazon ECS Developer Guide, container agent capabilities.

use std::collections::BTreeSet;

use longshore_model::task_definition::NetworkMode;
use longshore_model::{Attribute, ContainerDefinition, Overrides, TaskDefinition};

const PREFIX: &str = "com.amazonaws.ecs.capability.";

/// What every task of a definition requires.
pub fn of_definition(definition: &TaskDefinition) -> Vec<Attribute> {
    of_task(definition, None)
}

/// What a task with these overrides requires.
pub fn of_task(definition: &TaskDefinition, overrides: Option<&Overrides>) -> Vec<Attribute> {
    let mut capabilities = BTreeSet::new();
    for container in &definition.containers {
        of_container(container, &mut capabilities);
    }
    let entries = overrides.map(|it| it.containers.as_slice()).unwrap_or_default();
    if entries.iter().any(|it| it.memory_reservation_mib.is_some_and(|mib| mib > 0)) {
        capabilities.insert("docker-remote-api.1.21".into());
    }
    let role =
        overrides.and_then(|it| it.task_role_arn.as_ref()).or(definition.task_role_arn.as_ref());
    if role.is_some() {
        capabilities.insert(match definition.network() {
            NetworkMode::Host => "task-iam-role-network-host".into(),
            NetworkMode::Bridge | NetworkMode::None => "task-iam-role".into(),
        });
    }
    capabilities.into_iter().map(|it: String| Attribute::named(format!("{PREFIX}{it}"))).collect()
}

fn of_container(container: &ContainerDefinition, capabilities: &mut BTreeSet<String>) {
    let mut require = |capability: &str| {
        capabilities.insert(capability.into());
    };
    if container.privileged == Some(true) {
        require("privileged-container");
    }
    if container.docker_labels.is_some() || container.ulimits.is_some() {
        require("docker-remote-api.1.18");
    }
    if let Some(log) = &container.log_configuration {
        require("docker-remote-api.1.18");
        require(&format!("logging-driver.{}", log.log_driver));
        if log.options.is_some() {
            require("docker-remote-api.1.19");
        }
    }
    if is_managed_registry(&container.image) {
        require("ecr-auth");
        require("docker-remote-api.1.19");
    }
    if container.memory_reservation_mib.is_some_and(|it| it > 0) {
        require("docker-remote-api.1.21");
    }
    for option in container.docker_security_options.iter().flatten() {
        if option.starts_with("label:") {
            require("selinux");
        }
        if option.starts_with("apparmor:") {
            require("apparmor");
        }
    }
}

/// Whether an image is in a registry that asks for ECR credentials.
fn is_managed_registry(image: &str) -> bool {
    let Some((host, _)) = image.split_once('/') else { return false };
    let Some((account, rest)) = host.split_once(".dkr.ecr.") else { return false };
    account.len() == 12
        && account.bytes().all(|it| it.is_ascii_digit())
        && rest.ends_with(".amazonaws.com")
}
