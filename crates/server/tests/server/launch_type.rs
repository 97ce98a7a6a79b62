//! Launch types: which instances serve one, and what stands for FARGATE.

use longshore_wire::Operation::{
    DescribeClusters, ListTasks, RegisterTaskDefinition, RunTask, StartTask,
};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine, World};

const OUTSIDE: Machine = Machine {
    cluster: "default",
    cpu: 2048,
    memory: 4096,
    attributes: &["ecs.capability.external"],
    capabilities: &["docker-remote-api.1.17"],
};

async fn define(world: &World) {
    world.define("job", json!({"memory": 4})).await;
    let main = json!({"name": "main", "image": "busybox"});
    let body = json!({
        "family": "sized", "containerDefinitions": [main], "cpu": "256", "memory": "512"
    });
    world.ask(RegisterTaskDefinition, body).await;
}

fn run(members: Value) -> Value {
    let mut body = json!({"taskDefinition": "job"});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_machine_that_says_it_is_outside_takes_no_task_that_is_to_be_ec2() {
    let fleet = Fleet::of(&[OUTSIDE, Machine::default()]).await;
    define(&fleet.world).await;
    let everywhere = json!({"count": 2, "placementConstraints": [{"type": "distinctInstance"}]});
    let on = |kind: &str| {
        let mut body = run(everywhere.clone());
        body["launchType"] = json!(kind);
        body["group"] = json!(kind);
        body
    };
    let ec2 = fleet
        .check(RunTask, on("EC2"), "b | b:DistinctInstance placement constraint unsatisfied.")
        .await;
    assert_eq!(ec2["tasks"][0]["launchType"], "EC2");
    let external = fleet.world.ask(RunTask, on("EXTERNAL")).await;
    assert_eq!(external["failures"], json!([]));
    let kinds: Vec<&Value> =
        external["tasks"].as_array().unwrap().iter().map(|it| &it["launchType"]).collect();
    assert_eq!(kinds, ["EXTERNAL", "EXTERNAL"]);
    let start = run(json!({"containerInstances": [fleet.arn('a'), fleet.arn('b')]}));
    let start = fleet.check(StartTask, start, "a b").await;
    assert_eq!(start["tasks"][0]["launchType"], "EXTERNAL", "that of its instance");
    assert_eq!(start["tasks"][1]["launchType"], "EC2");
    for (kind, count) in [("EC2", 2), ("EXTERNAL", 3), ("FARGATE", 0)] {
        let listed = fleet.world.ask(ListTasks, json!({"launchType": kind})).await;
        assert_eq!(listed["taskArns"].as_array().unwrap().len(), count, "{kind}");
    }
    let body = json!({"include": ["STATISTICS"]});
    let described = fleet.world.ask(DescribeClusters, body).await;
    let statistics = described["clusters"][0]["statistics"].as_array().unwrap();
    let statistic =
        |name: &str| statistics.iter().find(|it| it["name"] == name).unwrap()["value"].clone();
    assert_eq!(statistic("pendingEC2TasksCount"), "2");
    assert_eq!(statistic("pendingExternalTasksCount"), "3");
    assert_eq!(described["clusters"][0]["pendingTasksCount"], 5);
}

#[tokio::test]
async fn without_a_launch_type_any_machine_takes_a_task_and_says_what_it_is() {
    let fleet = Fleet::of(&[OUTSIDE, Machine::default()]).await;
    define(&fleet.world).await;
    for (family, kinds) in [
        ("inside", json!(["EC2"])),
        ("outside", json!(["EXTERNAL"])),
        ("either", json!(["EXTERNAL", "EC2"])),
    ] {
        let main = json!({"name": "main", "image": "busybox", "memory": 4});
        let body = json!({
            "family": family, "containerDefinitions": [main], "requiresCompatibilities": kinds
        });
        let answer = fleet.world.ask(RegisterTaskDefinition, body).await;
        assert_eq!(answer["taskDefinition"]["requiresCompatibilities"], kinds);
    }
    // Which instances take it, and as what it is launched on each.
    for (definition, on_a, on_b) in [
        ("job", Some("EXTERNAL"), Some("EC2")),
        ("either", Some("EXTERNAL"), Some("EC2")),
        ("inside", None, Some("EC2")),
        ("outside", Some("EXTERNAL"), Some("EXTERNAL")),
    ] {
        let body = json!({
            "taskDefinition": definition, "count": 2,
            "placementConstraints": [{"type": "distinctInstance"}]
        });
        let ran = fleet.world.ask(RunTask, body).await;
        for (name, kind) in [('a', on_a), ('b', on_b)] {
            let is_there = |it: &&Value| it["containerInstanceArn"] == fleet.arn(name);
            let task = ran["tasks"].as_array().unwrap().iter().find(is_there);
            assert_eq!(task.map(|it| it["launchType"].as_str().unwrap()), kind, "{definition}");
        }
    }
    // Where the caller names the machine, what the definition is for turns nothing away.
    let instances = json!([fleet.arn('a'), fleet.arn('b')]);
    for (definition, kinds) in
        [("inside", ["EXTERNAL", "EC2"]), ("outside", ["EXTERNAL", "EXTERNAL"])]
    {
        let body = json!({"taskDefinition": definition, "containerInstances": instances});
        let started = fleet.check(StartTask, body, "a b").await;
        let tasks = started["tasks"].as_array().unwrap();
        assert_eq!(tasks.iter().map(|it| &it["launchType"]).collect::<Vec<_>>(), kinds);
    }
}

#[tokio::test]
async fn a_machine_that_ec2_vouches_for_takes_no_external_tasks() {
    let world = World::start().await;
    define(&world).await;
    let mut machine = Machine::default().registration();
    machine["instanceIdentityDocument"] = json!(r#"{"instanceId":"i-0123456789abcdef0"}"#);
    world.ask(longshore_wire::Operation::RegisterContainerInstance, machine).await;
    let refusal = world.call(RunTask, run(json!({"launchType": "EXTERNAL"}))).await.refusal();
    assert_eq!(refusal.2, "No Container Instances were found in your cluster.");
}

async fn with_fargate() -> Fleet {
    let attributes = &["ecs.capability.task-cpu-mem-limit"];
    let machine = Machine { attributes, ..Machine::default() };
    let fleet = Fleet::in_world(World::with_fargate().await, &[machine]).await;
    define(&fleet.world).await;
    fleet
}

#[tokio::test]
async fn fargate_stands_for_the_instances_where_the_server_is_told_so() {
    let fleet = with_fargate().await;
    let body = json!({"taskDefinition": "sized", "launchType": "FARGATE"});
    let task = fleet.check(RunTask, body.clone(), "a").await["tasks"][0].clone();
    assert_eq!(
        (&task["launchType"], &task["platformVersion"]),
        (&json!("FARGATE"), &json!("LATEST"))
    );
    assert_eq!((&task["cpu"], &task["memory"]), (&json!("256"), &json!("512")));
    assert!(task["capacityProviderName"].is_null());
    let versioned =
        json!({"taskDefinition": "sized", "launchType": "FARGATE", "platformVersion": "1.4.0"});
    let task = fleet.check(RunTask, versioned, "a").await["tasks"][0].clone();
    assert_eq!(task["platformVersion"], "1.4.0");
    assert_eq!(fleet.world.task(task["taskArn"].as_str().unwrap()).await["launchType"], "FARGATE");
    let strategy = json!([
        {"capacityProvider": "FARGATE", "base": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 1},
    ]);
    let body = json!({"taskDefinition": "sized", "count": 3, "capacityProviderStrategy": strategy});
    let ran = fleet.check(RunTask, body, "a a a").await;
    let mut names: Vec<&str> = ran["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["capacityProviderName"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["FARGATE", "FARGATE_SPOT", "FARGATE_SPOT"]);
    let main = json!({"name": "main", "image": "busybox"});
    let body = json!({
        "family": "f", "containerDefinitions": [main], "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE"]
    });
    let answer = fleet.world.ask(RegisterTaskDefinition, body).await;
    let compatibilities = &answer["taskDefinition"]["compatibilities"];
    assert_eq!(*compatibilities, json!(["EXTERNAL", "EC2", "FARGATE"]));
}

/// Refused whether or not FARGATE is mapped; a difference is told.
#[tokio::test]
async fn what_cannot_be_launched_is_refused_and_changes_nothing() {
    const NO_PROVIDER: &str = "The capacity provider FARGATE is not available here: Longshore runs tasks on container instances. Leave capacityProviderStrategy out, or start the server with --fargate-on-instances.";
    let mapped = with_fargate().await;
    let plain = World::start().await;
    define(&plain).await;
    let provider = |name: &str| json!({"capacityProviderStrategy": [{"capacityProvider": name}]});
    let two = |one: Value, other: Value| json!({"capacityProviderStrategy": [one, other]});
    let fargate = json!({"capacityProvider": "FARGATE"});
    let spot = |members: Value| {
        let mut item = json!({"capacityProvider": "FARGATE_SPOT"});
        item.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        item
    };
    for (members, message) in [
        (
            json!({"launchType": "MANAGED_INSTANCES"}),
            "launch type should be one of [EC2,FARGATE,EXTERNAL]",
        ),
        (
            json!({"launchType": "EC2", "capacityProviderStrategy": [fargate]}),
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ),
        (
            provider("mine"),
            "The specified capacity provider 'mine' was not found. Specify a valid name or ARN and try again.",
        ),
        (provider(""), "capacityProvider can not be blank."),
        (
            json!({"launchType": "EC2", "platformVersion": "LATEST"}),
            "The platform version must be null when specifying an EC2 launch type.",
        ),
        (json!({"platformVersion": "2.0"}), "The specified platform does not exist."),
        (
            json!({"enableExecuteCommand": true}),
            "Longshore cannot honour the member 'enableExecuteCommand'. Leave it out.",
        ),
    ] {
        for world in [&plain, &mapped.world] {
            let before = world.state().revision();
            let (status, _, found) = world.call(RunTask, run(members.clone())).await.refusal();
            assert_eq!((status, found.as_str()), (400, message), "{members}");
            assert_eq!(world.state().revision(), before);
        }
    }
    for (members, message) in [
        (json!({"launchType": "FARGATE"}), "Task definition does not support launch_type FARGATE."),
        (provider("FARGATE"), "Task definition does not support launch_type FARGATE."),
        (
            two(fargate.clone(), fargate.clone()),
            "The capacity provider FARGATE is given more than once.",
        ),
        (
            two(fargate.clone(), spot(json!({}))),
            "At least one capacity provider must have a weight greater than 0.",
        ),
        (
            two(
                json!({"capacityProvider": "FARGATE", "base": 1}),
                spot(json!({"base": 1, "weight": 1})),
            ),
            "Only one capacity provider can have a base.",
        ),
        (two(fargate.clone(), spot(json!({"weight": 1001}))), "weight must be 0 to 1000"),
        (two(fargate.clone(), spot(json!({"base": -1}))), "base must be 0 to 100000"),
        (
            json!({"capacityProviderStrategy": vec![fargate.clone(); 21]}),
            "capacityProviderStrategy can have at most 20 items.",
        ),
    ] {
        let before = mapped.world.state().revision();
        let refusal = mapped.world.call(RunTask, run(members.clone())).await.refusal();
        assert_eq!(refusal, (400, "InvalidParameterException".into(), message.into()), "{members}");
        assert_eq!(mapped.world.state().revision(), before);
    }
    let refusal = plain.call(RunTask, run(provider("FARGATE"))).await.refusal();
    assert_eq!(refusal.2, NO_PROVIDER);
    let unknown =
        mapped.world.call(RunTask, run(json!({"platformVersion": "2.0"}))).await.refusal();
    assert_eq!(unknown.1, "PlatformUnknownException");
    let main = json!({"name": "main", "image": "busybox", "memory": 4});
    let body = json!({
        "family": "f", "containerDefinitions": [main], "requiresCompatibilities": ["FARGATE"]
    });
    let refusal = mapped.world.call(RegisterTaskDefinition, body).await.refusal();
    let message = "Fargate requires that 'cpu' be defined at the task level.";
    assert_eq!(refusal, (400, "ClientException".into(), message.into()));
}
