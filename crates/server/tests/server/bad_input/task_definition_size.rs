//! RegisterTaskDefinition: the task as a whole: its size, its platform, its volumes of Docker's.

use longshore_wire::Operation::{RegisterTaskDefinition, RunTask};
use serde_json::{Value, json};

use super::{CLIENT, INVALID, check, check_accepted, with, world};

/// A definition with these members, of two containers with these.
fn definition(members: Value, container: Value) -> Value {
    let of = |name: &str| with(json!({"name": name, "image": "busybox"}), container.clone());
    with(json!({"family": "sized", "containerDefinitions": [of("a"), of("b")]}), members)
}

#[tokio::test]
async fn task_sizes_are_amounts() {
    const CPU: &str = "Invalid 'cpu' setting for task. It must be 128 to 196608 CPU units, such as '256', or as many vCPU, such as '0.25 vCPU'.";
    const MEMORY: &str = "Invalid 'memory' setting for task. It must be at least 4 MiB, such as '512', or in GB, such as '0.5 GB'.";
    let size = |members: Value| definition(members, json!({"memory": 64}));
    let world = world().await;
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (size(json!({"cpu": "x"})), CLIENT, CPU),
            (size(json!({"cpu": "127"})), CLIENT, CPU),
            (size(json!({"cpu": "0.1 vCPU"})), CLIENT, CPU),
            (size(json!({"cpu": "193 vCPU"})), CLIENT, CPU),
            (size(json!({"memory": "3"})), CLIENT, MEMORY),
            (size(json!({"memory": "-512"})), CLIENT, MEMORY),
            (size(json!({"memory": "1 MB"})), CLIENT, MEMORY),
        ],
    )
    .await;
    let sizes = [("256", "512"), ("1 vCPU", "1GB"), (".5 vcpu", "0.5 GB"), ("", "")];
    let bodies = sizes.map(|(cpu, memory)| size(json!({"cpu": cpu, "memory": memory})));
    check_accepted(&world, RegisterTaskDefinition, &bodies).await;
}

#[tokio::test]
async fn containers_fit_into_their_task() {
    let size = json!({"cpu": "256", "memory": "512"});
    let of = |container: Value| definition(size.clone(), container);
    let world = world().await;
    check(&world, RegisterTaskDefinition, &[
        (
            of(json!({"memory": 513})),
            CLIENT,
            "The 'memory' setting for container 'a' is greater than for the task.",
        ),
        (
            of(json!({"memoryReservation": 513})),
            CLIENT,
            "The 'memoryReservation' setting for container 'a' is greater than for the task.",
        ),
        (
            of(json!({"memoryReservation": 257})),
            CLIENT,
            "The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'.",
        ),
        (
            of(json!({"cpu": 129})),
            CLIENT,
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        ),
        (
            definition(json!({"cpu": "256"}), json!({})),
            CLIENT,
            "Invalid setting for container 'a'. At least one of 'memory' or 'memoryReservation' must be specified.",
        ),
    ])
    .await;
    let fitting = of(json!({"cpu": 128, "memory": 512, "memoryReservation": 256}));
    check_accepted(&world, RegisterTaskDefinition, &[of(json!({})), fitting]).await;
    let overridden = |entry: Value| {
        let entry = with(json!({"name": "b"}), entry);
        json!({"taskDefinition": "sized", "overrides": {"containerOverrides": [entry]}})
    };
    check(&world, RunTask, &[
        (
            overridden(json!({"memory": 1024})),
            INVALID,
            "The 'memory' setting for container 'b' is greater than for the task.",
        ),
        (
            overridden(json!({"cpu": 256})),
            INVALID,
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_platform_is_one_that_there_is() {
    let platform =
        |members: Value| definition(json!({"runtimePlatform": members}), json!({"memory": 64}));
    let world = world().await;
    check(&world, RegisterTaskDefinition, &[
        (
            platform(json!({"cpuArchitecture": "RISCV"})),
            CLIENT,
            "CPU architecture should be one of [X86_64,ARM64]",
        ),
        (
            platform(json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"})),
            CLIENT,
            "operatingSystemFamily WINDOWS_SERVER_2022_CORE is not available here: Longshore runs Linux containers. Use LINUX, or leave it out.",
        ),
    ])
    .await;
    let linux = json!({"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"});
    let bodies = [platform(linux), platform(json!({}))];
    check_accepted(&world, RegisterTaskDefinition, &bodies).await;
}

#[tokio::test]
async fn a_volume_of_docker_s_has_a_scope() {
    let volume = |members: Value| {
        let volume = with(json!({"name": "v"}), members);
        definition(json!({"volumes": [volume]}), json!({"memory": 64}))
    };
    let docker = |members: Value| volume(json!({"dockerVolumeConfiguration": members}));
    const AUTOPROVISION: &str = "Invalid 'autoprovision' setting for volume 'v'. It is for volumes of scope shared; those of scope task are always made.";
    let world = world().await;
    check(&world, RegisterTaskDefinition, &[
        (
            docker(json!({"scope": "host"})),
            CLIENT,
            "Docker volume scope should be one of [task,shared]",
        ),
        (docker(json!({"autoprovision": true})), CLIENT, AUTOPROVISION),
        (docker(json!({"scope": "task", "autoprovision": true})), CLIENT, AUTOPROVISION),
        (
            docker(json!({"driver": "no blanks"})),
            CLIENT,
            "Invalid 'driver' setting for volume 'v'.",
        ),
        (
            volume(json!({"host": {"sourcePath": "/v"}, "dockerVolumeConfiguration": {"scope": "task"}})),
            CLIENT,
            "Only one of 'host' and 'dockerVolumeConfiguration' can be specified for volume 'v'.",
        ),
    ])
    .await;
    check_accepted(
        &world,
        RegisterTaskDefinition,
        &[
            docker(json!({})),
            docker(json!({"scope": "shared", "autoprovision": true, "driver": "local"})),
            docker(json!({"scope": "task", "autoprovision": false})),
        ],
    )
    .await;
}

#[tokio::test]
async fn names_of_ports_are_unique_and_versions_are_not_pinned() {
    const NAME: &str = "Invalid 'portMappings.name' setting for container 'a'. It must be at most 64 lower-case letters, digits, underscores and hyphens, and not begin with a hyphen.";
    let named = |name: &str| {
        let ports = json!([{"containerPort": 80, "name": name}]);
        definition(json!({}), json!({"memory": 64, "portMappings": ports}))
    };
    let one = |container: Value| {
        let mut body = definition(json!({}), with(json!({"memory": 64}), container));
        body["containerDefinitions"].as_array_mut().unwrap().truncate(1);
        body
    };
    let versions = |text: &str| one(json!({"versionConsistency": text}));
    let world = world().await;
    check(&world, RegisterTaskDefinition, &[
        (named("Web"), CLIENT, NAME),
        (named("-web"), CLIENT, NAME),
        (named(&"x".repeat(65)), CLIENT, NAME),
        (
            named("web"),
            CLIENT,
            "Port mapping names must be unique within a task definition: 'web'.",
        ),
        (
            versions("enabled"),
            CLIENT,
            "versionConsistency enabled is not available here: Longshore passes image tags on as they are. Use disabled, or leave it out.",
        ),
        (
            versions("other"),
            CLIENT,
            "Version consistency should be one of [enabled,disabled]",
        ),
    ])
    .await;
    let web = one(json!({"portMappings": [{"containerPort": 80, "name": "web-80_tcp"}]}));
    check_accepted(&world, RegisterTaskDefinition, &[web, versions("disabled")]).await;
}
