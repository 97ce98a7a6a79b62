//! The capabilities that a definition asks of an instance, as RegisterTaskDefinition shows them.

use longshore_wire::Operation::RegisterTaskDefinition;
use serde_json::{Value, json};

use crate::harness::World;

const PREFIX: &str = "com.amazonaws.ecs.capability.";

/// What is required of a definition with these members, whose container has those; without the
/// prefix that all share.
async fn check(definition: Value, container: Value, expected: &[&str]) {
    let world = World::start().await;
    let mut main = json!({"name": "main", "image": "busybox", "memory": 64});
    main.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let mut body = json!({"family": "f", "containerDefinitions": [main]});
    body.as_object_mut().unwrap().extend(definition.as_object().unwrap().clone());
    let shown = world.ask(RegisterTaskDefinition, body).await;
    let required = shown["taskDefinition"]["requiresAttributes"].as_array().cloned();
    let names: Vec<String> = required
        .unwrap_or_default()
        .iter()
        .map(|it| it["name"].as_str().unwrap().strip_prefix(PREFIX).unwrap().to_owned())
        .collect();
    assert_eq!(names, expected, "{container}");
}

#[tokio::test]
async fn a_container_s_members_each_ask_for_what_they_need() {
    for (container, expected) in [
        (json!({}), &[][..]),
        (json!({"readonlyRootFilesystem": true, "command": ["x"]}), &[]),
        (json!({"privileged": true}), &["privileged-container"]),
        (json!({"privileged": false}), &[]),
        (json!({"dockerLabels": {"a": "b"}}), &["docker-remote-api.1.18"]),
        (
            json!({"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 1}]}),
            &["docker-remote-api.1.18"],
        ),
        (
            json!({"logConfiguration": {"logDriver": "syslog"}}),
            &["docker-remote-api.1.18", "logging-driver.syslog"],
        ),
        (
            json!({"logConfiguration": {"logDriver": "json-file", "options": {"max-size": "1m"}}}),
            &["docker-remote-api.1.18", "docker-remote-api.1.19", "logging-driver.json-file"],
        ),
        (json!({"memoryReservation": 32}), &["docker-remote-api.1.21"]),
        (
            json!({"image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:1"}),
            &["docker-remote-api.1.19", "ecr-auth"],
        ),
        (json!({"image": "example.com/111122223333.dkr.ecr.eu-west-1.amazonaws.com"}), &[]),
        (json!({"dockerSecurityOptions": ["label:disable"]}), &["selinux"]),
        (json!({"dockerSecurityOptions": ["apparmor:profile"]}), &["apparmor"]),
    ] {
        check(json!({}), container, expected).await;
    }
}

#[tokio::test]
async fn a_role_asks_for_an_instance_that_gives_roles_in_its_network() {
    let role = |mode: &str| json!({"taskRoleArn": "worker", "networkMode": mode});
    check(role("bridge"), json!({}), &["task-iam-role"]).await;
    check(role("none"), json!({}), &["task-iam-role"]).await;
    check(role("host"), json!({}), &["task-iam-role-network-host"]).await;
    check(json!({"taskRoleArn": ""}), json!({}), &[]).await;
}
