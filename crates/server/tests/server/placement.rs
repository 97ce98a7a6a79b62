//! Where RunTask and StartTask place tasks, and what they say of instances that take none.

use longshore_wire::Operation::{RegisterTaskDefinition, RunTask, StartTask};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine, World};

fn small() -> Machine {
    Machine { cpu: 1024, memory: 1000, ..Machine::default() }
}

const NO_REASON: &str = "MemberOf placement constraint unsatisfied.";

/// Runs this many of `job` with these members besides.
fn run(count: usize, members: Value) -> Value {
    let mut body = json!({"taskDefinition": "job", "count": count});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn as_many_are_placed_as_fit_and_each_instance_says_once_why_no_more() {
    for count in 1..=10 {
        let fleet = Fleet::of(&[small(), Machine { cpu: 100, ..small() }]).await;
        fleet.world.define("job", json!({"memory": 300, "cpu": 200})).await;
        let placed = ["a"; 3][..count.min(3)].join(" ");
        let failed = if count > 3 { " | a:RESOURCE:MEMORY b:RESOURCE:CPU" } else { "" };
        fleet.check(RunTask, run(count, json!({})), &format!("{placed}{failed}")).await;
    }
}

/// The call is sound, so it is not bad input: it leaves a record, and no other trace.
#[tokio::test]
async fn a_cluster_without_instances_takes_no_task() {
    let world = World::start().await;
    world.define("job", json!({"memory": 64})).await;
    let refusal = world.call(RunTask, run(1, json!({}))).await.refusal();
    let message = "No Container Instances were found in your cluster.";
    assert_eq!(refusal, (400, "InvalidParameterException".into(), message.into()));
    let state = world.state();
    assert_eq!(state.all_tasks().count(), 0);
    let failures: Vec<_> = state.all_placement_failures().collect();
    assert_eq!(failures.len(), 1);
    assert_eq!((failures[0].calls, failures[0].last.reasons.len()), (1, 0));
}

#[tokio::test]
async fn an_instance_whose_agent_is_away_takes_nothing() {
    let mut fleet = Fleet::of(&[small(), small()]).await;
    fleet.world.define("job", json!({"memory": 300})).await;
    fleet.leave('a').await;
    fleet.check(RunTask, run(1, json!({})), "b").await;
    fleet.leave('b').await;
    fleet.check(RunTask, run(10, json!({})), "| a:AGENT b:AGENT").await;
    let both = json!([fleet.arn('a'), fleet.arn('b')]);
    let body = json!({"taskDefinition": "job", "containerInstances": both});
    fleet.check(StartTask, body, "| a:AGENT b:AGENT").await;
}

#[tokio::test]
async fn an_instance_that_drains_takes_nothing() {
    let fleet = Fleet::of(&[small(), small()]).await;
    fleet.world.define("job", json!({"memory": 300})).await;
    fleet.world.set_state(fleet.arn('a'), "DRAINING").await;
    fleet.check(RunTask, run(4, json!({})), "b b b | b:RESOURCE:MEMORY").await;
    let body = json!({"taskDefinition": "job", "containerInstances": [fleet.arn('a')]});
    fleet.check(StartTask, body, "| a:INACTIVE").await;
    fleet.world.set_state(fleet.arn('b'), "DRAINING").await;
    let refusal = fleet.world.call(RunTask, run(1, json!({}))).await.refusal();
    assert_eq!(refusal.2, "No Container Instances were found in your cluster.");
}

#[tokio::test]
async fn a_task_role_needs_an_instance_that_gives_roles() {
    let gives_roles = Machine { capabilities: &["task-iam-role"], ..small() };
    let fleet = Fleet::of(&[small(), gives_roles]).await;
    fleet.world.define("job", json!({"memory": 100})).await;
    let container = json!({"name": "main", "image": "busybox", "memory": 100});
    let body =
        json!({"family": "roled", "taskRoleArn": "worker", "containerDefinitions": [container]});
    fleet.world.ask(RegisterTaskDefinition, body).await;

    let each = json!([fleet.arn('a'), fleet.arn('b')]);
    let start = |definition: &str, overrides: Value| {
        let instances = each.clone();
        json!({"taskDefinition": definition, "containerInstances": instances, "overrides": overrides})
    };
    let role = json!({"taskRoleArn": "worker"});
    fleet.check(StartTask, start("job", json!({})), "a b").await;
    fleet.check(StartTask, start("roled", json!({})), "b | a:ATTRIBUTE").await;
    fleet.check(StartTask, start("job", role.clone()), "b | a:ATTRIBUTE").await;
    fleet.check(RunTask, run(2, json!({"overrides": role})), "b b").await;
}

#[tokio::test]
async fn what_a_definition_or_an_override_uses_the_engine_must_have() {
    let old = Machine { capabilities: &["docker-remote-api.1.17"], ..small() };
    let fleet = Fleet::of(&[small(), old]).await;
    fleet.world.define("job", json!({"memory": 100})).await;
    fleet.world.define("labelled", json!({"memory": 100, "dockerLabels": {"a": "b"}})).await;
    fleet.world.define("privileged", json!({"memory": 100, "privileged": true})).await;
    let each = json!([fleet.arn('a'), fleet.arn('b')]);
    for (definition, overrides, expected) in [
        ("job", json!([]), "a b"),
        ("labelled", json!([]), "a | b:ATTRIBUTE"),
        ("privileged", json!([]), "a | b:ATTRIBUTE"),
        ("job", json!([{"name": "main", "memoryReservation": 50}]), "a | b:ATTRIBUTE"),
        ("job", json!([{"name": "main", "memory": 50, "cpu": 1}]), "a b"),
    ] {
        let overrides = json!({"containerOverrides": overrides});
        let body = json!({
            "taskDefinition": definition, "containerInstances": each, "overrides": overrides
        });
        fleet.check(StartTask, body, expected).await;
    }
}

#[tokio::test]
async fn start_task_takes_each_named_instance_by_itself() {
    let mut fleet =
        Fleet::of(&[small(), small(), small(), Machine { memory: 100, ..small() }]).await;
    fleet.world.define("job", json!({"memory": 400})).await;
    fleet.world.deregister(fleet.arn('b')).await;
    fleet.leave('c').await;
    let named: Vec<&str> = "abacad".chars().map(|it| fleet.arn(it)).collect();
    let nobody = "0b69d5c0-d655-4695-98cd-5d2d526d9d5a";
    let named = json!([&named[..], &[nobody]].concat());
    let body = json!({"taskDefinition": "job", "containerInstances": named});
    let expected = "a a | b:INACTIVE c:AGENT a:RESOURCE:MEMORY d:RESOURCE:MEMORY ?:MISSING";
    fleet.check(StartTask, body, expected).await;
}

#[tokio::test]
async fn constraints_bind_run_task_and_not_start_task() {
    let prod = Machine { attributes: &["stack=prod"], ..small() };
    let fleet = Fleet::of(&[small(), prod]).await;
    let container = json!({"name": "main", "image": "busybox", "memory": 100});
    let constraint = json!([{"type": "memberOf", "expression": "attribute:stack == prod"}]);
    let body = json!({
        "family": "job", "containerDefinitions": [container], "placementConstraints": constraint
    });
    fleet.world.ask(RegisterTaskDefinition, body).await;
    fleet.check(RunTask, run(2, json!({})), "b b").await;
    let only_a = json!({"type": "memberOf", "expression": "attribute:stack not_exists"});
    let impossible = format!("| a:{NO_REASON} b:{NO_REASON}");
    fleet.check(RunTask, run(2, json!({"placementConstraints": [only_a]})), &impossible).await;
    let body = json!({"taskDefinition": "job", "containerInstances": [fleet.arn('a')]});
    fleet.check(StartTask, body, "a").await;
}

#[tokio::test]
async fn distinct_instances_see_the_group_s_earlier_tasks() {
    let fleet = Fleet::of(&[small(), small(), small()]).await;
    fleet.world.define("job", json!({"memory": 100})).await;
    const TAKEN: &str = "DistinctInstance placement constraint unsatisfied.";
    let strategy = json!([{"type": "binpack", "field": "cpu"}]);
    let distinct = json!([{"type": "distinctInstance"}]);
    let members = json!({"placementConstraints": distinct, "placementStrategy": strategy});
    let first = fleet.start("job", "a").await.remove(0);
    let rest = fleet.world.ask(RunTask, run(3, members.clone())).await;
    assert_eq!(rest["tasks"].as_array().unwrap().len(), 2);
    let none = format!("| a:{TAKEN} b:{TAKEN} c:{TAKEN}");
    fleet.check(RunTask, run(1, members.clone()), &none).await;
    fleet.world.report(&first, "STOPPED").await;
    fleet.check(RunTask, run(1, members), "a").await;
}

#[tokio::test]
async fn strategies_choose_among_those_that_fit() {
    let zone = |attributes| Machine { attributes, ..small() };
    let fleet = Fleet::of(&[zone(&["zone=x"]), zone(&["zone=x"]), zone(&["zone=y"])]).await;
    fleet.world.define("job", json!({"memory": 250, "cpu": 10})).await;
    let strategies = |list: Value| json!({"placementStrategy": list});
    fleet.start("job", "bb").await;
    let pack = strategies(json!([{"type": "binpack", "field": "memory"}]));
    fleet.check(RunTask, run(2, pack), "b b").await;
    let zones = json!([{"type": "spread", "field": "attribute:zone"}, {"type": "spread", "field": "instanceId"}]);
    fleet.check(RunTask, run(4, strategies(zones)), "c c c c").await;
    let spread = strategies(json!([{"type": "spread", "field": "host"}]));
    fleet.check(RunTask, run(1, spread), "a").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_at_the_same_time_never_take_the_same_memory() {
    let fleet = Fleet::of(&[small(), small()]).await;
    fleet.world.define("job", json!({"memory": 90})).await; // 11 fit on each instance
    let callers = (0..20).map(|_| fleet.world.ask(RunTask, run(2, json!({}))));
    let answers = futures_util::future::join_all(callers).await;
    let placed = |it: &Value| it["tasks"].as_array().unwrap().len();
    assert_eq!(answers.iter().map(placed).sum::<usize>(), 22);
    assert_eq!((fleet.remaining('a').await.1, fleet.remaining('b').await.1), (10, 10));
    fleet.world.state().check_derived().unwrap();
}
