//! RegisterTaskDefinition: the definition as a whole.

use longshore_wire::Operation::RegisterTaskDefinition;
use serde_json::{Value, json};

use super::{CLIENT, check, check_accepted, with, world};

/// A definition with these members besides a family and one small container.
fn definition(members: Value) -> Value {
    let container = json!({"name": "main", "image": "busybox", "memory": 64});
    with(json!({"family": "f", "containerDefinitions": [container]}), members)
}

fn named(name: &str) -> Value {
    json!({"name": name, "image": "busybox", "memory": 64})
}

#[tokio::test]
async fn a_family_is_a_name() {
    let family = |family: Value| definition(json!({"family": family}));
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (family(json!(null)), CLIENT, "Family should not be null or empty."),
            (family(json!("")), CLIENT, "Family should not be null or empty."),
            (family(json!("no blanks")), CLIENT, "Family contains invalid characters."),
            (family(json!("x:1")), CLIENT, "Family contains invalid characters."),
            (family(json!("x".repeat(256))), CLIENT, "Family contains invalid characters."),
        ],
    )
    .await;
    check_accepted(&world, RegisterTaskDefinition, &[family(json!("x".repeat(255)))]).await;
}

#[tokio::test]
async fn there_are_one_to_ten_containers_of_different_names_and_one_is_essential() {
    let containers = |list: Value| definition(json!({"containerDefinitions": list}));
    let some = |count: usize| -> Value { (0..count).map(|it| named(&format!("c{it}"))).collect() };
    let optional = with(named("main"), json!({"essential": false}));
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (containers(json!(null)), CLIENT, "Container list cannot be empty."),
            (containers(json!([])), CLIENT, "Container list cannot be empty."),
            (containers(some(11)), CLIENT, "Too many containers."),
            (
                containers(json!([named("a"), named("a")])),
                CLIENT,
                "Container names must be unique within a task definition.",
            ),
            (
                containers(json!([optional])),
                CLIENT,
                "Task definition doesn't have any essential container",
            ),
        ],
    )
    .await;
    check_accepted(&world, RegisterTaskDefinition, &[containers(some(10))]).await;
}

#[tokio::test]
async fn a_network_mode_is_one_that_instances_have() {
    const MODES: &str = "Network mode should be one of [bridge,host,none]";
    let mode = |mode: &str| definition(json!({"networkMode": mode}));
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[(mode("awsvpc"), CLIENT, MODES), (mode("BRIDGE"), CLIENT, MODES)],
    )
    .await;
    check_accepted(&world, RegisterTaskDefinition, &["bridge", "host", "none", ""].map(mode)).await;
}

#[tokio::test]
async fn ports_and_links_fit_the_network_mode() {
    let one = |mode: &str, members: Value| {
        let container = with(named("main"), members);
        definition(json!({
            "networkMode": mode,
            "containerDefinitions": [container, named("other")]
        }))
    };
    let ports = |mode: &str, list: Value| one(mode, json!({"portMappings": list}));
    let world = world().await;
    check(&world, RegisterTaskDefinition, &[
        (
            ports("host", json!([{"containerPort": 80, "hostPort": 81}])),
            CLIENT,
            "When networkMode=host, the host ports and container ports in port mappings must match.",
        ),
        (
            ports("none", json!([{"containerPort": 80}])),
            CLIENT,
            "Port mappings are not supported when networkMode=none.",
        ),
        (
            one("host", json!({"links": ["other"]})),
            CLIENT,
            "Links are not supported when networkMode=host.",
        ),
        (
            one("none", json!({"links": ["other"]})),
            CLIENT,
            "Links are not supported when networkMode=none.",
        ),
        (
            ports("bridge", json!([{"containerPort": 1, "hostPort": 80}, {"containerPort": 2, "hostPort": 80}])),
            CLIENT,
            "Host port 80 is mapped more than once.",
        ),
    ])
    .await;
    check_accepted(&world, RegisterTaskDefinition, &[
        ports("bridge", json!([{"containerPort": 53, "hostPort": 53}, {"containerPort": 53, "hostPort": 53, "protocol": "udp"}])),
        ports("bridge", json!([{"containerPort": 1}, {"containerPort": 2}])),
        ports("host", json!([{"containerPort": 80, "hostPort": 0}, {"containerPort": 81}])),
        one("host", json!({"links": []})),
    ])
    .await;
}

#[tokio::test]
async fn containers_refer_to_each_other_without_a_cycle() {
    let three = |a: Value, b: Value, c: Value| {
        let list = [("a", a), ("b", b), ("c", c)].map(|(name, members)| with(named(name), members));
        definition(json!({"containerDefinitions": list}))
    };
    let link = |to: &str| json!({"links": [to]});
    let volumes = |from: &str| json!({"volumesFrom": [{"sourceContainer": from}]});
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (
                three(link("d"), json!({}), json!({})),
                CLIENT,
                "Invalid 'links' setting. Unknown container: 'd'",
            ),
            (
                three(volumes("d"), json!({}), json!({})),
                CLIENT,
                "Invalid 'volumesFrom' setting. Unknown container: 'd'",
            ),
            (
                three(json!({"volumesFrom": [{}]}), json!({}), json!({})),
                CLIENT,
                "Invalid 'volumesFrom' setting. Unknown container: ''",
            ),
            (
                three(link("b"), link("c:alias"), link("a")),
                CLIENT,
                "Container links should not have a cycle",
            ),
            (
                three(link("a"), json!({}), json!({})),
                CLIENT,
                "Container links should not have a cycle",
            ),
            (
                three(volumes("b"), link("a"), json!({})),
                CLIENT,
                "Container links and volumesFrom should not have a cycle",
            ),
        ],
    )
    .await;
    check_accepted(&world, RegisterTaskDefinition, &[three(link("b:x"), volumes("c"), json!({}))])
        .await;
}

#[tokio::test]
async fn volumes_are_declared_once_and_mounted_by_name() {
    let volumes = |list: Value| definition(json!({"volumes": list}));
    let mounting = |mount: Value| {
        let container = with(named("main"), json!({"mountPoints": [mount]}));
        definition(json!({"volumes": [{"name": "v"}], "containerDefinitions": [container]}))
    };
    const NAME: &str = "Volume.name contains invalid characters.";
    const PATH: &str =
        "Invalid 'sourcePath' setting for volume 'v'. It must be an absolute path without colons.";
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (volumes(json!([{}])), CLIENT, NAME),
            (volumes(json!([{"name": "a b"}])), CLIENT, NAME),
            (
                volumes(json!([{"name": "v"}, {"name": "v"}])),
                CLIENT,
                "Volume names must be unique within a task definition.",
            ),
            (volumes(json!([{"name": "v", "host": {"sourcePath": "var"}}])), CLIENT, PATH),
            (volumes(json!([{"name": "v", "host": {"sourcePath": "/a:/b"}}])), CLIENT, PATH),
            (
                mounting(json!({"sourceVolume": "w", "containerPath": "/w"})),
                CLIENT,
                "Unknown volume 'w'.",
            ),
            (
                mounting(json!({"sourceVolume": "v"})),
                CLIENT,
                "Invalid 'containerPath' setting for container 'main'.",
            ),
        ],
    )
    .await;
    check_accepted(
        &world,
        RegisterTaskDefinition,
        &[
            mounting(json!({"sourceVolume": "v", "containerPath": "/v"})),
            volumes(json!([{"name": "v", "host": {"sourcePath": ""}}])),
        ],
    )
    .await;
}

#[tokio::test]
async fn constraints_are_expressions_only() {
    let constraints = |list: Value| definition(json!({"placementConstraints": list}));
    let one = json!({"type": "memberOf", "expression": "attribute:a exists"});
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (
                constraints(json!([{"type": "distinctInstance"}])),
                CLIENT,
                "constraint.type 'distinctInstance' is not supported.",
            ),
            (
                constraints(json!([{"type": "memberOf"}])),
                CLIENT,
                "memberOf expression should be specified.",
            ),
            (
                constraints(json!([{"type": "other"}])),
                CLIENT,
                "constraint type should be one of [distinctInstance,memberOf]",
            ),
            (constraints(json!(vec![one; 11])), CLIENT, "Maximum number of constraints is 10"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_role_a_launch_type_and_a_size_are_checked() {
    let role = |role: &str| definition(json!({"taskRoleArn": role}));
    let label = "x".repeat(64 * 1024);
    let huge = with(named("main"), json!({"dockerLabels": {"label": label}}));
    let world = world().await;
    check(&world, RegisterTaskDefinition, &[
        (role("no blanks"), CLIENT, "Role is not valid"),
        (role(&"x".repeat(2049)), CLIENT, "Role is not valid"),
        (
            definition(json!({"requiresCompatibilities": ["EC2", "FARGATE"]})),
            CLIENT,
            "launchType FARGATE is not available here: Longshore runs tasks on container instances. Use EC2 or EXTERNAL, leave it out, or start the server with --fargate-on-instances.",
        ),
        (
            definition(json!({"requiresCompatibilities": ["other"]})),
            CLIENT,
            "launch type should be one of [EC2,FARGATE,EXTERNAL]",
        ),
        (
            definition(json!({"containerDefinitions": [huge]})),
            CLIENT,
            "Task definition can have at most 65536 bytes.",
        ),
    ])
    .await;
    let roles = ["", "worker", "/team/worker", "arn:aws:iam::111122223333:role/team/worker"];
    check_accepted(&world, RegisterTaskDefinition, &roles.map(role)).await;
}
