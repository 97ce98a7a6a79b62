//! What a definition asks of an instance, as RegisterTaskDefinition shows it.

use longshore_wire::Operation::RegisterTaskDefinition;
use serde_json::{Value, json};

use crate::harness::World;

const PREFIX: &str = "com.amazonaws.ecs.capability.";

/// What is required of a definition with these members, whose container has those; without the
/// prefix of the first agents' time, and with `=` before a value.
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
        .map(|it| {
            let name = it["name"].as_str().unwrap();
            let value = it["value"].as_str().map(|it| format!("={it}")).unwrap_or_default();
            format!("{}{value}", name.strip_prefix(PREFIX).unwrap_or(name))
        })
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

#[tokio::test]
async fn members_of_today_ask_for_an_agent_and_an_engine_that_know_them() {
    const ORDER: &str = "ecs.capability.container-ordering";
    let linux = |parameters: Value| json!({"linuxParameters": parameters});
    let tmpfs = json!([{"containerPath": "/t", "size": 1}]);
    let health = json!({"command": ["CMD", "true"]});
    let health_later = json!({"command": ["CMD", "true"], "startPeriod": 1});
    let controls = json!([{"namespace": "net.core.somaxconn", "value": "1"}]);
    for (container, expected) in [
        (linux(json!({"capabilities": {"add": ["ALL"]}, "initProcessEnabled": false})), &[][..]),
        (json!({"pseudoTerminal": true, "interactive": true}), &[]),
        (linux(json!({"initProcessEnabled": true})), &["docker-remote-api.1.25"]),
        (linux(json!({"sharedMemorySize": 1})), &["docker-remote-api.1.22"]),
        (linux(json!({"tmpfs": tmpfs})), &["docker-remote-api.1.22"]),
        (linux(json!({"maxSwap": 1})), &["docker-remote-api.1.20"]),
        (json!({"systemControls": controls}), &["docker-remote-api.1.24"]),
        (
            json!({"healthCheck": health}),
            &["docker-remote-api.1.24", "ecs.capability.container-health-check"],
        ),
        (
            json!({"healthCheck": health_later}),
            &[
                "docker-remote-api.1.24",
                "docker-remote-api.1.29",
                "ecs.capability.container-health-check",
            ],
        ),
        (json!({"startTimeout": 1}), &[ORDER]),
        (json!({"stopTimeout": 1}), &[ORDER]),
        (json!({"dependsOn": []}), &[]),
        (json!({"restartPolicy": {"enabled": false}}), &[]),
        (json!({"restartPolicy": {"enabled": true}}), &["ecs.capability.container-restart-policy"]),
    ] {
        check(json!({}), container, expected).await;
    }
}

#[tokio::test]
async fn a_task_as_a_whole_asks_too() {
    const SIZE: &[&str] = &["ecs.capability.task-cpu-mem-limit"];
    const SHARE: &[&str] = &["ecs.capability.pid-ipc-namespace-sharing"];
    let volume =
        |docker: Value| json!({"volumes": [{"name": "v", "dockerVolumeConfiguration": docker}]});
    for (definition, expected) in [
        (json!({"cpu": "256"}), SIZE),
        (json!({"memory": "512"}), SIZE),
        (json!({"pidMode": "host", "ipcMode": "none"}), &[]),
        (json!({"pidMode": "task"}), SHARE),
        (json!({"ipcMode": "task"}), SHARE),
        (volume(json!({})), &["docker-remote-api.1.25", "ecs.capability.docker-plugin.local"]),
        (
            volume(json!({"driver": "rexray/ebs"})),
            &["docker-remote-api.1.25", "ecs.capability.docker-plugin.rexray/ebs"],
        ),
        (json!({"executionRoleArn": "role"}), &[]),
        (
            json!({"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}),
            &["ecs.cpu-architecture=arm64", "ecs.os-type=linux"],
        ),
        (
            json!({"runtimePlatform": {"cpuArchitecture": "X86_64"}}),
            &["ecs.cpu-architecture=x86_64"],
        ),
    ] {
        check(definition, json!({}), expected).await;
    }
}
