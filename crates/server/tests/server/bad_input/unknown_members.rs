//! Members of later years. What asks for something that this server does not do is refused by its
//! name; what asks for nothing passes, for today's clients send much of that.

use longshore_wire::Operation::{
    self, CreateCluster, DescribeTasks, RegisterTaskDefinition, RunTask, StartTask, StopTask,
};
use serde_json::{Value, json};

use super::{CLIENT, INVALID, check, check_accepted, with, world};

const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

/// A request that is good without the member.
fn good(operation: Operation) -> Value {
    match operation {
        RunTask => json!({"taskDefinition": "job"}),
        StartTask => json!({"taskDefinition": "job", "containerInstances": [NOBODY]}),
        RegisterTaskDefinition => json!({"family": "f", "containerDefinitions": [container()]}),
        CreateCluster => json!({}),
        _ => json!({"tasks": [NOBODY]}),
    }
}

fn container() -> Value {
    json!({"name": "main", "image": "busybox", "memory": 64})
}

fn message(path: &str) -> String {
    format!("Longshore cannot honour the member '{path}'. Leave it out.")
}

/// Each member by itself makes a good request a refused one.
async fn check_members(operation: Operation, exception: &str, members: &[(&str, Value)]) {
    let world = world().await;
    for (name, value) in members {
        let body = with(good(operation), json!({*name: value}));
        check(&world, operation, &[(body, exception, &message(name))]).await;
    }
}

#[tokio::test]
async fn run_task_refuses_what_it_cannot_honour() {
    check_members(
        RunTask,
        INVALID,
        &[
            ("networkConfiguration", json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})),
            ("enableExecuteCommand", json!(true)),
            ("referenceId", json!("r-1")),
            ("volumeConfigurations", json!([{"name": "v"}])),
            ("neverHeardOf", json!(1)),
        ],
    )
    .await;
}

#[tokio::test]
async fn start_task_has_no_count_and_no_placement() {
    check_members(
        StartTask,
        INVALID,
        &[
            ("count", json!(2)),
            ("placementStrategy", json!([{"type": "random"}])),
            ("placementConstraints", json!([{"type": "distinctInstance"}])),
            ("networkConfiguration", json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})),
            ("enableExecuteCommand", json!(true)),
        ],
    )
    .await;
}

#[tokio::test]
async fn register_task_definition_refuses_what_it_cannot_honour() {
    check_members(
        RegisterTaskDefinition,
        CLIENT,
        &[
            ("proxyConfiguration", json!({"containerName": "envoy"})),
            ("inferenceAccelerators", json!([{"deviceName": "d"}])),
            ("ephemeralStorage", json!({"sizeInGiB": 21})),
            ("trustedExecutionConfiguration", json!({"mode": "on"})),
            ("enableFaultInjection", json!(true)),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_container_s_later_members_are_refused_with_their_place() {
    let world = world().await;
    for (name, value) in [
        ("environmentFiles", json!([{"value": "arn:aws:s3:::b/f.env", "type": "s3"}])),
        ("resourceRequirements", json!([{"type": "GPU", "value": "1"}])),
        ("firelensConfiguration", json!({"type": "fluentbit"})),
        ("credentialSpecs", json!(["credentialspec:x"])),
        ("neverHeardOf", json!(1)),
    ] {
        let containers = json!([
            container(),
            with(with(container(), json!({"name": "side"})), json!({name: value}))
        ]);
        let body = with(good(RegisterTaskDefinition), json!({"containerDefinitions": containers}));
        let path = format!("containerDefinitions[1].{name}");
        check(&world, RegisterTaskDefinition, &[(body, CLIENT, &message(&path))]).await;
    }
}

#[tokio::test]
async fn deeper_members_are_refused_with_their_place() {
    let world = world().await;
    let volume = |volume: Value| with(good(RegisterTaskDefinition), json!({"volumes": [volume]}));
    let fsx =
        json!({"name": "v", "fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1"}});
    let s3 = json!({"name": "v", "s3filesVolumeConfiguration": {"fileSystemArn": "arn"}});
    let at_launch = json!({"name": "v", "configuredAtLaunch": true});
    let efs = json!({"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}});
    let port = |member: &str, value: &str| {
        let mapping = json!([{"containerPort": 80, member: value}]);
        let main = with(container(), json!({"portMappings": mapping}));
        with(good(RegisterTaskDefinition), json!({"containerDefinitions": [main]}))
    };
    check(
        &world,
        RegisterTaskDefinition,
        &[
            (volume(fsx), CLIENT, &message("volumes[0].fsxWindowsFileServerVolumeConfiguration")),
            (volume(s3), CLIENT, &message("volumes[0].s3filesVolumeConfiguration")),
            (volume(at_launch), CLIENT, &message("volumes[0].configuredAtLaunch")),
            (volume(efs), CLIENT, &message("volumes[0].efsVolumeConfiguration")),
            (
                port("appProtocol", "http"),
                CLIENT,
                &message("containerDefinitions[0].portMappings[0].appProtocol"),
            ),
            (
                port("containerPortRange", "80-90"),
                CLIENT,
                &message("containerDefinitions[0].portMappings[0].containerPortRange"),
            ),
        ],
    )
    .await;
    let overrides = |overrides: Value| with(good(RunTask), json!({"overrides": overrides}));
    let files = json!([{"value": "arn:aws:s3:::b/f.env", "type": "s3"}]);
    check(&world, RunTask, &[
        (
            overrides(json!({"inferenceAcceleratorOverrides": [{"deviceName": "d"}]})),
            INVALID,
            &message("overrides.inferenceAcceleratorOverrides"),
        ),
        (
            overrides(json!({"ephemeralStorage": {"sizeInGiB": 21}})),
            INVALID,
            &message("overrides.ephemeralStorage"),
        ),
        (overrides(json!({"executionRoleArn": "r"})), INVALID, &message("overrides.executionRoleArn")),
        (
            overrides(json!({"containerOverrides": [{"name": "main", "environmentFiles": files}]})),
            INVALID,
            &message("overrides.containerOverrides[0].environmentFiles"),
        ),
        (
            overrides(json!({"containerOverrides": [{"name": "main", "resourceRequirements": [{"type": "GPU", "value": "1"}]}]})),
            INVALID,
            &message("overrides.containerOverrides[0].resourceRequirements"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn other_operations_refuse_too() {
    check_members(
        CreateCluster,
        INVALID,
        &[
            ("capacityProviders", json!(["FARGATE"])),
            ("configuration", json!({"executeCommandConfiguration": {"logging": "NONE"}})),
            ("serviceConnectDefaults", json!({"namespace": "n"})),
        ],
    )
    .await;
    check_members(DescribeTasks, INVALID, &[("neverHeardOf", json!("x"))]).await;
    let stop = json!({"task": NOBODY, "force": true});
    check(&world().await, StopTask, &[(stop, INVALID, &message("force"))]).await;
}

#[tokio::test]
async fn what_asks_for_nothing_passes() {
    let world = world().await;
    for value in [json!(null), json!(false), json!(""), json!("NONE"), json!([]), json!({})] {
        for operation in [RunTask, StartTask, RegisterTaskDefinition, CreateCluster, DescribeTasks]
        {
            let names = ["networkConfiguration", "volumeConfigurations", "neverHeardOf"];
            let bodies = names.map(|name| with(good(operation), json!({name: value.clone()})));
            check_accepted(&world, operation, &bodies).await;
        }
        let main = with(container(), json!({"environmentFiles": value, "neverHeardOf": value}));
        let body = with(good(RegisterTaskDefinition), json!({"containerDefinitions": [main]}));
        check_accepted(&world, RegisterTaskDefinition, &[body]).await;
    }
    check_accepted(&world, RunTask, &[with(good(RunTask), json!({"clientToken": "x"}))]).await;
}
