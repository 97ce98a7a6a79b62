//! The attributes of a container instance: what its owner says of it, what can be seen of the machine,
//! and the capabilities that task definitions may require.
//! Source: Amazon ECS Developer Guide, container agent capabilities; the names of official agents.

use longshore_model::Attribute;
use longshore_wire::ecs;

use super::Abilities;
use crate::config::AgentConfig;
use crate::runtime::Facts;

/// Of the first agents' time.
const PREFIX: &str = "com.amazonaws.ecs.capability.";

/// The first Docker API version that ECS speaks of.
const FIRST_API_MINOR: u32 = 17;

/// The first Docker API version that tells of health.
const API_OF_HEALTH_CHECKS: (u32, u32) = (1, 24);

/// The first Docker API version of agents that pulled from ECR. Ours takes an image that is there, or
/// the login of its own file.
const API_OF_ECR: (u32, u32) = (1, 19);

/// What this agent can do with any Docker Engine.
const ALWAYS: [&str; 5] = [
    "ecs.capability.full-sync",
    "ecs.capability.container-ordering",
    "ecs.capability.container-restart-policy",
    // Our own: a registry's password may come with the task.
    "io.longshore.capability.registry-auth",
    // Our own: of a manifest's tasks it asks for those that it lacks.
    "io.longshore.capability.task-resend",
];

/// No plugin of the Engine, which always has it.
const NO_LOGS: &str = "none";

/// Log drivers that write to a cloud as the host: only where they are asked for by name.
const LOG_DRIVERS_OF_CLOUDS: [&str; 2] = ["awslogs", "gcplogs"];

/// Mebibytes in a gibibyte.
const MIB_OF_GIB: u32 = 1024;

/// All attributes to register with; custom ones only with the first registration.
pub(super) fn of(abilities: &Abilities<'_>, is_first: bool) -> Vec<ecs::Attribute> {
    // Those that mean something to ECS are the machine's, and said at each registration.
    let configured = abilities.config.attributes.iter();
    let configured = configured.filter(|(name, _)| is_first || Attribute::is_reserved_name(name));
    let mut attributes: Vec<_> =
        configured.map(|(name, value)| attribute(name, Some(value))).collect();
    for ours in machine(abilities.facts).into_iter().chain(capabilities(abilities)) {
        if attributes.iter().all(|it| it.name != ours.name) {
            attributes.push(ours);
        }
    }
    attributes
}

/// What can be seen of the machine.
fn machine(facts: &Facts) -> Vec<ecs::Attribute> {
    let architecture = architecture(&facts.architecture);
    let seen = [
        ("ecs.os-type", "linux".to_owned()),
        ("ecs.os-family", "LINUX".to_owned()),
        ("ecs.cpu-architecture", architecture.to_owned()),
        ("ecs.instance-type", instance_type(facts)),
        ("io.longshore.cpu-count", facts.cpus.to_string()),
        ("io.longshore.host-name", facts.host_name.clone()),
    ];
    // What cannot be an attribute would end the registration.
    let seen = seen.into_iter().filter(|(name, value)| Attribute::parse(name, Some(value)).is_ok());
    seen.map(|(name, value)| attribute(name, Some(&value))).collect()
}

/// A name for the sort of machine, by its size: `2cpu.24gib`.
fn instance_type(facts: &Facts) -> String {
    let gib = facts.memory_mib.saturating_add(MIB_OF_GIB / 2) / MIB_OF_GIB;
    format!("{}cpu.{}gib", facts.cpus, gib.max(1))
}

/// As ECS names it, which Docker does otherwise.
fn architecture(of_docker: &str) -> &str {
    match of_docker {
        "aarch64" => "arm64",
        other => other,
    }
}

/// What task definitions may require of this instance.
fn capabilities(abilities: &Abilities<'_>) -> Vec<ecs::Attribute> {
    let Abilities { config, facts, limits_tasks } = abilities;
    let capability = |name: &str| attribute(&format!("{PREFIX}{name}"), None);
    let mut attributes = Vec::new();
    if !config.privileged_disabled {
        attributes.push(capability("privileged-container"));
    }
    let newest_minor = match facts.api_version {
        (0, _) => 0,
        (1, minor) => minor,
        (_, _) => u32::from(u8::MAX),
    };
    for minor in FIRST_API_MINOR..=newest_minor {
        attributes.push(capability(&format!("docker-remote-api.1.{minor}")));
    }
    for driver in log_drivers(config, facts) {
        attributes.push(capability(&format!("logging-driver.{driver}")));
    }
    for module in ["selinux", "apparmor"] {
        if facts.security_modules.iter().any(|it| it == module) {
            attributes.push(capability(module));
        }
    }
    if facts.api_version >= API_OF_ECR {
        attributes.push(capability("ecr-auth"));
    }
    for name in ALWAYS {
        attributes.push(attribute(name, None));
    }
    if *limits_tasks {
        attributes.push(attribute("ecs.capability.task-cpu-mem-limit", None));
    }
    if facts.api_version >= API_OF_HEALTH_CHECKS {
        attributes.push(attribute("ecs.capability.container-health-check", None));
    }
    for driver in &facts.volume_drivers {
        attributes.push(attribute(&format!("ecs.capability.docker-plugin.{driver}"), None));
    }
    attributes
}

/// Log drivers that tasks may use: of those that were chosen, or of all but the clouds', what the
/// Engine has.
fn log_drivers<'a>(config: &'a AgentConfig, facts: &'a Facts) -> Vec<&'a str> {
    match &config.available_logging_drivers {
        Some(chosen) => {
            let chosen = chosen.iter().map(String::as_str);
            chosen.filter(|it| has_log_driver(facts, it)).collect()
        }
        None => {
            let offered = facts.log_drivers.iter().map(String::as_str);
            let offered = offered.filter(|it| !LOG_DRIVERS_OF_CLOUDS.contains(it));
            offered.chain([NO_LOGS]).collect()
        }
    }
}

fn has_log_driver(facts: &Facts, driver: &str) -> bool {
    driver == NO_LOGS || facts.log_drivers.iter().any(|it| it == driver)
}

/// Log drivers that were chosen and that the Engine does not have.
pub(crate) fn missing_log_drivers<'a>(config: &'a AgentConfig, facts: &Facts) -> Vec<&'a str> {
    let chosen = config.available_logging_drivers.iter().flatten().map(String::as_str);
    chosen.filter(|it| !has_log_driver(facts, it)).collect()
}

fn attribute(name: &str, value: Option<&str>) -> ecs::Attribute {
    let value = value.map(str::to_owned);
    ecs::Attribute { name: Some(name.to_owned()), value, ..Default::default() }
}

#[cfg(test)]
mod tests;
