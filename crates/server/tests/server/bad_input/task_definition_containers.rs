//! RegisterTaskDefinition: each container by itself.

use longshore_wire::Operation::RegisterTaskDefinition;
use serde_json::{Value, json};

use super::{CLIENT, SERIALIZATION, check, check_accepted, with, world};

/// A definition of one container with these members besides a name, an image and its memory.
fn container(members: Value) -> Value {
    let main = with(json!({"name": "main", "image": "busybox", "memory": 64}), members);
    json!({"family": "f", "containerDefinitions": [main]})
}

#[tokio::test]
async fn a_container_has_a_name_and_an_image() {
    const NAME: &str = "Container.name contains invalid characters.";
    const NO_NAME: &str = "Container.name should not be null or empty.";
    const NO_IMAGE: &str = "Container.image should not be null or empty.";
    const IMAGE: &str = "Container.image contains invalid characters.";
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (container(json!({"name": null})), CLIENT, NO_NAME),
            (container(json!({"name": ""})), CLIENT, NO_NAME),
            (container(json!({"name": "a.b"})), CLIENT, NAME),
            (container(json!({"name": "x".repeat(256)})), CLIENT, NAME),
            (container(json!({"image": null})), CLIENT, NO_IMAGE),
            (container(json!({"image": ""})), CLIENT, NO_IMAGE),
            (container(json!({"image": "no blanks"})), CLIENT, IMAGE),
            (container(json!({"image": "x".repeat(256)})), CLIENT, IMAGE),
        ],
    )
    .await;
    let image = "registry.example.com:5000/team/app_1:v1.0-rc@sha256:0123";
    check_accepted(&world, RegisterTaskDefinition, &[container(json!({"image": image}))]).await;
}

#[tokio::test]
async fn memory_is_set_and_the_hard_limit_is_not_below_the_soft_one() {
    let memory = |memory: Value, reservation: Value| {
        container(json!({"memory": memory, "memoryReservation": reservation}))
    };
    const MISSING: &str = "Invalid setting for container 'main'. At least one of 'memory' or 'memoryReservation' must be specified.";
    let world = world().await;
    check(&world, RegisterTaskDefinition, &[
        (memory(json!(null), json!(null)), CLIENT, MISSING),
        (memory(json!(0), json!(0)), CLIENT, MISSING),
        (
            memory(json!(127), json!(128)),
            CLIENT,
            "Invalid setting for container 'main'. 'memory' must be greater than or equal to 'memoryReservation'.",
        ),
        (
            memory(json!(3), json!(null)),
            CLIENT,
            "Invalid 'memory' setting for container 'main'. It must be at least 4 MiB.",
        ),
        (
            memory(json!(-1), json!(null)),
            CLIENT,
            "Invalid 'memory' setting for container 'main'.",
        ),
        (
            memory(json!(64), json!(-1)),
            CLIENT,
            "Invalid 'memoryReservation' setting for container 'main'.",
        ),
        (container(json!({"cpu": -1})), CLIENT, "Invalid 'cpu' setting for container 'main'."),
        (
            container(json!({"cpu": "256"})),
            SERIALIZATION,
            "STRING_VALUE cannot be converted to Integer (at containerDefinitions[0].cpu)",
        ),
    ])
    .await;
    check_accepted(
        &world,
        RegisterTaskDefinition,
        &[
            memory(json!(128), json!(128)),
            memory(json!(null), json!(4)),
            memory(json!(4), json!(null)),
        ],
    )
    .await;
}

#[tokio::test]
async fn ports_are_ports() {
    let port = |mapping: Value| container(json!({"portMappings": [mapping]}));
    const CONTAINER: &str = "Invalid 'containerPort' setting for container 'main'.";
    const HOST: &str = "Invalid 'hostPort' setting for container 'main'.";
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (port(json!({})), CLIENT, CONTAINER),
            (port(json!({"containerPort": 0})), CLIENT, CONTAINER),
            (port(json!({"containerPort": -1})), CLIENT, CONTAINER),
            (port(json!({"containerPort": 65536})), CLIENT, CONTAINER),
            (port(json!({"containerPort": 80, "hostPort": 65536})), CLIENT, HOST),
            (port(json!({"containerPort": 80, "hostPort": -1})), CLIENT, HOST),
            (
                port(json!({"containerPort": 80, "protocol": "sctp"})),
                CLIENT,
                "Invalid 'protocol' setting for container 'main'.",
            ),
        ],
    )
    .await;
    check_accepted(
        &world,
        RegisterTaskDefinition,
        &[
            port(json!({"containerPort": 65535, "hostPort": 65535, "protocol": "udp"})),
            port(json!({"containerPort": 1, "hostPort": 0, "protocol": ""})),
        ],
    )
    .await;
}

#[tokio::test]
async fn nested_members_are_complete() {
    const HOSTS: &str = "Invalid 'extraHosts' setting for container 'main'.";
    const ULIMITS: &str = "Invalid 'ulimits' setting for container 'main'.";
    let hosts = |entry: Value| container(json!({"extraHosts": [entry]}));
    let ulimit = |entry: Value| container(json!({"ulimits": [entry]}));
    let variable = |entry: Value| container(json!({"environment": [entry]}));
    check(
        &world().await,
        RegisterTaskDefinition,
        &[
            (hosts(json!({"hostname": "a"})), CLIENT, HOSTS),
            (hosts(json!({"ipAddress": "10.0.0.1"})), CLIENT, HOSTS),
            (ulimit(json!({"name": "nofile", "softLimit": 1})), CLIENT, ULIMITS),
            (ulimit(json!({"name": "nofile", "hardLimit": 1})), CLIENT, ULIMITS),
            (ulimit(json!({"name": "other", "softLimit": 1, "hardLimit": 1})), CLIENT, ULIMITS),
            (
                variable(json!({"value": "x"})),
                CLIENT,
                "Environment variable name can not be blank.",
            ),
            (
                variable(json!({"name": "A=B"})),
                CLIENT,
                "Environment variable 'A=B' contains characters that no process can be given.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_log_driver_is_known_and_has_what_it_needs() {
    let log = |log: Value| container(json!({"logConfiguration": log}));
    const DRIVERS: &str =
        "Log driver should be one of [json-file,syslog,journald,gelf,fluentd,awslogs,splunk]";
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (log(json!({})), CLIENT, DRIVERS),
            (log(json!({"logDriver": "other"})), CLIENT, DRIVERS),
            (
                log(json!({"logDriver": "awslogs"})),
                CLIENT,
                "Log driver awslogs requires options: awslogs-region, awslogs-group",
            ),
            (
                log(json!({"logDriver": "awslogs", "options": {"awslogs-region": "us-east-1"}})),
                CLIENT,
                "Log driver awslogs requires options: awslogs-group",
            ),
        ],
    )
    .await;
    let options = json!({"awslogs-region": "us-east-1", "awslogs-group": "g"});
    let complete = log(json!({"logDriver": "awslogs", "options": options}));
    check_accepted(&world, RegisterTaskDefinition, &[complete]).await;
}
