use super::*;
use crate::register::tests::{config, facts};

fn attributes_of(config: &AgentConfig, facts: &Facts) -> Vec<ecs::Attribute> {
    of(&Abilities { config, facts, limits_tasks: false }, true)
}

fn names(attributes: &[ecs::Attribute]) -> Vec<&str> {
    attributes.iter().map(|it| it.name.as_deref().unwrap()).collect()
}

fn value<'a>(attributes: &'a [ecs::Attribute], name: &str) -> Option<&'a str> {
    let mut named = attributes.iter().filter(|it| it.name.as_deref() == Some(name));
    let first = named.next()?;
    assert!(named.next().is_none(), "{name} is there twice");
    first.value.as_deref()
}

#[test]
fn capabilities_are_those_of_the_engine_and_the_configuration() {
    let expect = [
        "stack",
        "ecs.os-type",
        "ecs.os-family",
        "ecs.cpu-architecture",
        "ecs.instance-type",
        "io.longshore.cpu-count",
        "io.longshore.host-name",
        "com.amazonaws.ecs.capability.privileged-container",
        "com.amazonaws.ecs.capability.docker-remote-api.1.17",
        "com.amazonaws.ecs.capability.docker-remote-api.1.18",
        "com.amazonaws.ecs.capability.docker-remote-api.1.19",
        "com.amazonaws.ecs.capability.logging-driver.json-file",
        "com.amazonaws.ecs.capability.logging-driver.syslog",
        "com.amazonaws.ecs.capability.logging-driver.none",
        "com.amazonaws.ecs.capability.apparmor",
        "com.amazonaws.ecs.capability.ecr-auth",
        "ecs.capability.full-sync",
        "ecs.capability.container-ordering",
        "ecs.capability.container-restart-policy",
        "io.longshore.capability.registry-auth",
        "io.longshore.capability.task-resend",
        "ecs.capability.docker-plugin.local",
    ];
    assert_eq!(names(&attributes_of(&config(), &facts())), expect);
}

#[test]
fn what_is_seen_of_the_machine_has_values() {
    let facts = Facts { cpus: 8, memory_mib: 32_005, ..facts() };
    let attributes = attributes_of(&config(), &facts);
    let seen = |name| value(&attributes, name).unwrap();
    assert_eq!(seen("ecs.os-type"), "linux");
    assert_eq!(seen("ecs.cpu-architecture"), "x86_64");
    assert_eq!(seen("ecs.instance-type"), "8cpu.31gib");
    assert_eq!(seen("io.longshore.cpu-count"), "8");
    assert_eq!(seen("io.longshore.host-name"), "shed-1");
}

#[test]
fn what_the_owner_says_goes_before_what_is_seen() {
    let said = vec![("ecs.instance-type".to_owned(), "pizza-box".to_owned())];
    let attributes = attributes_of(&AgentConfig { attributes: said, ..config() }, &facts());
    assert_eq!(value(&attributes, "ecs.instance-type"), Some("pizza-box"));
}

#[test]
fn a_name_that_cannot_be_an_attribute_is_left_out() {
    let facts = Facts { host_name: "shed (old)".into(), ..facts() };
    assert!(!names(&attributes_of(&config(), &facts)).contains(&"io.longshore.host-name"));
}

#[test]
fn registering_again_leaves_custom_attributes_to_the_control_plane_and_keeps_the_machines() {
    let custom = ("stack".to_owned(), "dev".to_owned());
    let zone = ("ecs.availability-zone".to_owned(), "one".to_owned());
    let config = AgentConfig { attributes: vec![custom, zone], ..config() };
    let again = of(&Abilities { config: &config, facts: &facts(), limits_tasks: false }, false);
    assert!(!names(&again).contains(&"stack"));
    assert_eq!(value(&again, "ecs.availability-zone"), Some("one"));
    assert_eq!(value(&again, "io.longshore.cpu-count"), Some("2"));
}

#[test]
fn chosen_log_drivers_are_those_that_the_engine_has() {
    let chosen = ["awslogs", "journald", "none"].map(str::to_owned).to_vec();
    let config = AgentConfig { available_logging_drivers: Some(chosen), ..config() };
    let attributes = attributes_of(&config, &facts());
    let drivers = names(&attributes);
    let drivers: Vec<_> = drivers.into_iter().filter(|it| it.contains("logging-driver")).collect();
    assert_eq!(
        drivers,
        [
            "com.amazonaws.ecs.capability.logging-driver.awslogs",
            "com.amazonaws.ecs.capability.logging-driver.none",
        ]
    );
    assert_eq!(missing_log_drivers(&config, &facts()), ["journald"]);
}

#[test]
fn privileged_containers_can_be_disabled() {
    let config = AgentConfig { privileged_disabled: true, ..config() };
    let attributes = attributes_of(&config, &facts());
    assert!(!names(&attributes).iter().any(|it| it.contains("privileged")));
}

#[test]
fn what_only_some_hosts_can_is_said_of_those_only() {
    let has = |limits_tasks: bool, minor: u32, name: &str| {
        let (config, facts) = (config(), Facts { api_version: (1, minor), ..facts() });
        let abilities = Abilities { config: &config, facts: &facts, limits_tasks };
        names(&of(&abilities, true)).contains(&name)
    };
    assert!(has(true, 24, "ecs.capability.task-cpu-mem-limit"));
    assert!(!has(false, 24, "ecs.capability.task-cpu-mem-limit"));
    assert!(has(true, 24, "ecs.capability.container-health-check"));
    assert!(!has(true, 23, "ecs.capability.container-health-check"));
}

#[test]
fn the_architecture_is_called_as_ecs_calls_it() {
    assert_eq!(architecture("aarch64"), "arm64");
    assert_eq!(architecture("x86_64"), "x86_64");
}
