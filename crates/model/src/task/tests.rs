//! The health of a task, worked out from that of its containers.

use super::*;
use crate::container_definition::HealthCheck;

/// Containers as `name[?]=HEALTH`: `?` is not essential, `-` has no check, `.` is not told of yet.
#[track_caller]
fn check(containers: &str, expect: HealthStatus) {
    let mut defined = Vec::new();
    let mut known = Vec::new();
    for text in containers.split_whitespace() {
        let (name, health) = text.split_once('=').unwrap();
        let (name, essential) = match name.strip_suffix('?') {
            Some(name) => (name, false),
            None => (name, true),
        };
        let name: ContainerName = name.parse().unwrap();
        let check = HealthCheck {
            command: vec!["CMD".into(), "true".into()],
            interval_secs: None,
            timeout_secs: None,
            retries: None,
            start_period_secs: None,
        };
        defined.push(ContainerDefinition {
            essential,
            health_check: (health != "-").then_some(check),
            ..ContainerDefinition::new(name.clone(), "image".into())
        });
        known.push(Container {
            id: ContainerId::from_bits(1),
            name,
            last_status: LastStatus::Running,
            exit_code: None,
            reason: None,
            network_bindings: Box::default(),
            runtime_id: None,
            image_digest: None,
            health: HealthStatus::parse(health),
            health_since: None,
        });
    }
    let key = DefinitionKey { family: "f".parse().unwrap(), revision: 1 };
    let definition = TaskDefinition::new(key, defined, Timestamp::from_millis(0));
    assert_eq!(health(&known, &definition), expect, "{containers}");
}

#[test]
fn all_essential_containers_that_are_checked_must_be_healthy() {
    check("a=HEALTHY b=HEALTHY c=-", HealthStatus::Healthy);
    check("a=HEALTHY b=UNHEALTHY c=-", HealthStatus::Unhealthy);
    check("a=HEALTHY b=UNKNOWN c=-", HealthStatus::Unknown);
    check("a=HEALTHY b=.", HealthStatus::Unknown);
}

#[test]
fn unhealthy_goes_before_unknown() {
    check("a=UNKNOWN b=UNHEALTHY", HealthStatus::Unhealthy);
}

#[test]
fn without_a_check_nothing_is_known() {
    check("a=- b?=-", HealthStatus::Unknown);
}

#[test]
fn others_count_only_where_no_essential_container_is_checked() {
    check("a=HEALTHY b?=UNHEALTHY", HealthStatus::Healthy);
    check("a=- b?=UNHEALTHY", HealthStatus::Unhealthy);
    check("a=- b?=HEALTHY", HealthStatus::Healthy);
}
