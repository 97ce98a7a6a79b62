//! Longshore's own API: who may call, what there is, and that `explain` tells the truth.

use longshore_wire::Operation::{CreateCluster, RunTask, UpdateContainerInstancesState};
use serde_json::{Value, json};

use crate::harness::{Call, Fleet, Machine, World};

const UNKNOWN: &str = "UnknownOperationException";

#[tokio::test]
async fn an_operation_is_at_its_path_and_nowhere_else() {
    let world = World::start().await;
    for (method, path) in [
        ("GET", "/longshore/v1/explain"),
        ("POST", "/longshore/v1/explain/"),
        ("POST", "/longshore/v1/Explain"),
        ("POST", "/longshore/v2/explain"),
        ("POST", "/longshore/v1"),
        ("POST", "/longshore/"),
        ("POST", "/longshore/explain"),
    ] {
        let call =
            Call { method, path: path.into(), ..Call::own("", "{}", world.clock.now_secs()) };
        let (status, name, message) = world.send(call.signed()).await.refusal();
        assert_eq!((status, name.as_str()), (404, UNKNOWN), "{method} {path}");
        assert!(
            message.starts_with(&format!("There is no {method} {path}. There are: ")),
            "{message}"
        );
        assert!(message.contains("POST /longshore/v1/explain"), "{message}");
    }
    let long = Call::own(&"x".repeat(5_000), "{}", world.clock.now_secs());
    assert!(world.send(long.signed()).await.text.len() < 600);
    let call = Call { path: "/longshore".into(), ..Call::own("", "{}", world.clock.now_secs()) };
    assert_eq!(world.send(call.signed()).await.refusal().2, "The ECS API is at POST /.");
}

#[tokio::test]
async fn a_call_is_signed_as_ecs_calls_are() {
    let world = World::start().await;
    let call = || Call::own("explain", "{}", world.clock.now_secs());
    let mut unsigned = call().signed();
    unsigned.headers_mut().remove("authorization");
    assert_eq!(world.send(unsigned).await.refusal().1, "MissingAuthenticationTokenException");
    let unknown = Call { key: ("AKIAOTHER".into(), "x".repeat(40)), ..call() };
    assert_eq!(world.send(unknown.signed()).await.refusal().1, "UnrecognizedClientException");
    let mut moved = call().signed();
    *moved.uri_mut() = "/longshore/v1/other".parse().unwrap();
    assert_eq!(world.send(moved).await.refusal().1, "InvalidSignatureException");
}

fn small() -> Machine {
    Machine { cpu: 1024, memory: 1000, ..Machine::default() }
}

/// Explains, which changes nothing.
async fn explain(world: &World, body: Value) -> Value {
    let before = world.state().revision();
    let answer = world.call_own("explain", body).await.success();
    assert_eq!(world.state().revision(), before);
    answer
}

fn arns(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|it| it["containerInstanceArn"].as_str().unwrap()).collect()
}

/// `job` with a strategy under which no two instances are equally good.
fn job(members: Value) -> Value {
    let mut body = json!({"taskDefinition": "job", "placementStrategy": [
        {"type": "spread", "field": "attribute:zone"}, {"type": "binpack", "field": "memory"}
    ]});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn run_task_does_what_was_explained() {
    let machine = |memory, attributes| Machine { memory, attributes, ..small() };
    let fleet = Fleet::of(&[
        machine(1000, &["zone=x"]),
        machine(900, &["zone=x"]),
        machine(800, &["zone=y"]),
        machine(100, &[]),
    ])
    .await;
    fleet.world.define("job", json!({"memory": 250, "cpu": 10})).await;
    let explained = explain(&fleet.world, job(json!({"count": 10}))).await;
    let planned = arns(&explained["placements"]);
    let done = fleet.world.ask(RunTask, job(json!({"count": 10}))).await;
    assert_eq!(arns(&done["tasks"]), planned);
    assert_eq!((planned.len(), &explained["unplaced"]), (10, &json!(0)));

    let explained = explain(&fleet.world, job(json!({"count": 10}))).await;
    assert_eq!((&explained["placements"], &explained["unplaced"]), (&json!([]), &json!(10)));
    let done = fleet.world.ask(RunTask, job(json!({"count": 10}))).await;
    let failures = done["failures"].as_array().unwrap().iter();
    let failures: Vec<_> = failures
        .map(|it| (it["arn"].clone(), it["reason"].clone(), it["detail"].clone()))
        .collect();
    let excluded = explained["excluded"].as_array().unwrap().iter();
    let excluded: Vec<_> = excluded
        .map(|it| {
            let (first, arn) = (&it["causes"][0], it["containerInstanceArn"].clone());
            (arn, first["reason"].clone(), first["detail"].clone())
        })
        .collect();
    assert_eq!(excluded, failures);
}

#[tokio::test]
async fn what_run_task_passes_over_in_silence_is_explained() {
    let fleet = Fleet::of(&[small(), small(), small()]).await;
    fleet.world.define("job", json!({"memory": 250})).await;
    let all = json!([fleet.arn('a'), fleet.arn('b')]);
    let drain = json!({"containerInstances": all, "status": "DRAINING"});
    fleet.world.ask(UpdateContainerInstancesState, drain).await;
    fleet.world.deregister(fleet.arn('c')).await;
    let refusal = fleet.world.call(RunTask, job(json!({}))).await.refusal();
    assert_eq!(refusal.2, "No Container Instances were found in your cluster.");
    let explained = explain(&fleet.world, job(json!({}))).await;
    assert_eq!(explained["registered"], json!(2));
    let draining =
        json!({"reason": "DRAINING", "count": 2, "alone": 2, "text": "2 of 2 are DRAINING"});
    assert_eq!(explained["reasons"], json!([draining]));
    assert_eq!(arns(&explained["nearest"]), [fleet.arn('a'), fleet.arn('b')]);
    assert_eq!(explained["nearest"][0]["changes"], json!(["set it ACTIVE"]));
    fleet.world.set_state(fleet.arn('a'), "ACTIVE").await;
    fleet.check(RunTask, job(json!({})), "a").await;

    fleet.world.ask(CreateCluster, json!({"clusterName": "empty"})).await;
    let explained = explain(&fleet.world, job(json!({"cluster": "empty"}))).await;
    let seen = (&explained["registered"], &explained["unplaced"], &explained["reasons"]);
    assert_eq!(seen, (&json!(0), &json!(1), &json!([])));
}
