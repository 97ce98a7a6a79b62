//! What a container instance must have for a task: capabilities of its agent and of its Docker
//! Engine, and the platform.
//! Source: Amazon ECS Developer Guide, container agent capabilities and task definition
//! parameters; the names that official agents announce.

use std::collections::BTreeSet;

use longshore_model::overrides::effective_size;
use longshore_model::task_definition::{IpcMode, NetworkMode, PidMode, RuntimePlatform};
use longshore_model::task_size::TaskSize;
use longshore_model::{Attribute, ContainerDefinition, Overrides, TaskDefinition};

/// Of the first agents' time.
const PREFIX: &str = "com.amazonaws.ecs.capability.";

/// Of those after June 2017.
const LATER_PREFIX: &str = "ecs.capability.";

/// Of Longshore's own agent, which takes a login to a registry from the control plane.
const REGISTRY_LOGIN: &str = "io.longshore.capability.registry-auth";

/// The first version of the Docker API that ECS speaks of, `1.17`; every instance has it.
const FIRST_API_MINOR: u32 = 17;

/// What every task of a definition requires.
pub fn of_definition(definition: &TaskDefinition) -> Vec<Attribute> {
    of_task(definition, None)
}

/// What a task with these overrides requires.
pub fn of_task(definition: &TaskDefinition, overrides: Option<&Overrides>) -> Vec<Attribute> {
    let mut required = Required::default();
    for container in &definition.containers {
        required.container(container, overrides);
    }
    required.task(definition, effective_size(definition, overrides));
    if definition.task_role(overrides).is_some() {
        required.first(match definition.network() {
            NetworkMode::Host => "task-iam-role-network-host",
            NetworkMode::Bridge | NetworkMode::None => "task-iam-role",
        });
    }
    let platform = definition.runtime_platform.as_ref().into_iter().flat_map(of_platform);
    required.names.into_iter().map(Attribute::named).chain(platform).collect()
}

fn of_platform(platform: &RuntimePlatform) -> impl Iterator<Item = Attribute> {
    let architecture = platform
        .cpu_architecture
        .map(|it| Attribute::with_value("ecs.cpu-architecture", it.as_str().to_ascii_lowercase()));
    let system = platform.is_linux.then(|| Attribute::with_value("ecs.os-type", "linux"));
    architecture.into_iter().chain(system)
}

/// The smallest version of the Docker API that has what a container uses, as its second number.
pub fn docker_api_minor(
    container: &ContainerDefinition,
    memory_reservation_mib: Option<u32>,
) -> u32 {
    let minors = docker_api_minors(container, memory_reservation_mib);
    minors.into_iter().max().unwrap_or(FIRST_API_MINOR)
}

/// For each of a container's members the version of the Docker API that has it, where that is not
/// the first.
fn docker_api_minors(
    container: &ContainerDefinition,
    memory_reservation_mib: Option<u32>,
) -> BTreeSet<u32> {
    let log = container.log_configuration.as_ref();
    let linux = container.linux_parameters.as_ref();
    let health_check = container.health_check.as_ref();
    let needed = [
        (18, container.docker_labels.is_some() || container.ulimits.is_some() || log.is_some()),
        (
            19,
            log.is_some_and(|it| it.options.is_some() || it.secret_options.is_some())
                || is_managed_registry(&container.image),
        ),
        (20, linux.is_some_and(|it| it.max_swap_mib.is_some())),
        (21, memory_reservation_mib.is_some_and(|it| it > 0)),
        (22, linux.is_some_and(|it| it.tmpfs.is_some() || it.shared_memory_size_mib.is_some())),
        (24, container.system_controls.is_some() || health_check.is_some()),
        (25, linux.is_some_and(|it| it.init_process_enabled == Some(true))),
        (29, health_check.is_some_and(|it| it.start_period_secs.is_some())),
    ];
    needed.into_iter().filter(|(_, is_needed)| *is_needed).map(|(minor, _)| minor).collect()
}

#[derive(Default)]
struct Required {
    names: BTreeSet<String>,
}

impl Required {
    fn first(&mut self, capability: &str) {
        self.names.insert(format!("{PREFIX}{capability}"));
    }

    fn later(&mut self, capability: &str) {
        self.names.insert(format!("{LATER_PREFIX}{capability}"));
    }

    fn container(&mut self, container: &ContainerDefinition, overrides: Option<&Overrides>) {
        let overridden = overrides.and_then(|it| it.container(&container.name));
        let overridden = overridden.and_then(|it| it.memory_reservation_mib);
        let defined = container.memory_reservation_mib;
        for reservation in [overridden, defined] {
            for minor in docker_api_minors(container, reservation) {
                self.first(&format!("docker-remote-api.1.{minor}"));
            }
        }
        if container.privileged == Some(true) {
            self.first("privileged-container");
        }
        if let Some(log) = &container.log_configuration {
            self.first(&format!("logging-driver.{}", log.log_driver));
        }
        if is_managed_registry(&container.image) {
            self.first("ecr-auth");
        }
        for option in container.docker_security_options.iter().flatten() {
            if option.starts_with("label:") {
                self.first("selinux");
            }
            if option.starts_with("apparmor:") {
                self.first("apparmor");
            }
        }
        let waits = container.depends_on.as_ref().is_some_and(|it| !it.is_empty());
        if waits || container.start_timeout_secs.or(container.stop_timeout_secs).is_some() {
            // The same agents learned both.
            self.later("container-ordering");
        }
        if container.health_check.is_some() {
            self.later("container-health-check");
        }
        if container.repository_credentials.is_some() {
            self.names.insert(REGISTRY_LOGIN.into());
        }
        if container.restart_policy.as_ref().is_some_and(|it| it.enabled) {
            self.later("container-restart-policy");
        }
    }

    fn task(&mut self, definition: &TaskDefinition, size: TaskSize) {
        if !size.is_open() {
            self.later("task-cpu-mem-limit");
        }
        let shares_with_itself = definition.pid_mode == Some(PidMode::Task)
            || definition.ipc_mode == Some(IpcMode::Task);
        if shares_with_itself {
            self.later("pid-ipc-namespace-sharing");
        }
        for volume in definition.volumes.iter().filter_map(|it| it.docker.as_ref()) {
            self.later(&format!("docker-plugin.{}", volume.driver()));
            self.first("docker-remote-api.1.25");
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
