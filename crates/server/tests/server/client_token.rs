//! A RunTask that is made again with the same token is the same call: today's SDKs mark every call
//! and repeat it by themselves when an answer is lost.

use futures_util::future::join_all;
use longshore_store::{MemoryJournal, Store};
use longshore_wire::Operation::{CreateCluster, DeregisterTaskDefinition, DescribeTasks, RunTask};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine, World};

async fn fleet() -> Fleet {
    let fleet = Fleet::of(&[Machine { memory: 1000, ..Machine::default() }]).await;
    fleet.world.define("job", json!({"memory": 300})).await;
    fleet
}

fn marked(token: &str, members: Value) -> Value {
    let mut body = json!({"taskDefinition": "job", "clientToken": token});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn the_same_call_gives_the_same_tasks_and_changes_nothing() {
    let fleet = fleet().await;
    let call = marked("t1", json!({"count": 2, "startedBy": "nightly"}));
    let first = fleet.check(RunTask, call.clone(), "a a").await;
    let revision = fleet.world.state().revision();
    assert_eq!(fleet.world.ask(RunTask, call.clone()).await, first);
    assert_eq!(fleet.world.state().revision(), revision);
    let task = first["tasks"][0]["taskArn"].as_str().unwrap();
    fleet.world.report(task, "RUNNING").await;
    let again = fleet.world.ask(RunTask, call).await;
    assert_eq!(again["tasks"][0], fleet.world.task(task).await, "as they are by now");
}

#[tokio::test]
async fn a_call_is_the_same_also_when_its_definition_was_deregistered() {
    let fleet = fleet().await;
    let first = fleet.check(RunTask, marked("t1", json!({})), "a").await;
    fleet.world.ask(DeregisterTaskDefinition, json!({"taskDefinition": "job:1"})).await;
    assert_eq!(fleet.world.ask(RunTask, marked("t1", json!({}))).await, first);
    let refusal = fleet.world.call(RunTask, marked("t2", json!({}))).await.refusal();
    assert_eq!(refusal.2, "TaskDefinition not found.");
}

#[tokio::test]
async fn another_token_or_none_is_another_call() {
    let fleet = fleet().await;
    fleet.check(RunTask, marked("t1", json!({})), "a").await;
    fleet.check(RunTask, marked("t2", json!({})), "a").await;
    fleet.check(RunTask, marked("", json!({})), "a").await;
    fleet.check(RunTask, json!({"taskDefinition": "job"}), "| a:RESOURCE:MEMORY").await;
}

#[tokio::test]
async fn a_token_marks_one_call_in_its_cluster() {
    let fleet = fleet().await;
    fleet.check(RunTask, marked("t1", json!({})), "a").await;
    for members in
        [json!({"count": 2}), json!({"group": "g"}), json!({"overrides": {"taskRoleArn": "r"}})]
    {
        let refusal = fleet.world.call(RunTask, marked("t1", members)).await.refusal();
        let message = "The clientToken was used by a call with other parameters.";
        assert_eq!(refusal, (400, "ConflictException".into(), message.into()));
    }
    fleet.world.ask(CreateCluster, json!({"clusterName": "batch"})).await;
    let elsewhere = marked("t1", json!({"cluster": "batch"}));
    let refusal = fleet.world.call(RunTask, elsewhere).await.refusal();
    assert_eq!(refusal.2, "No Container Instances were found in your cluster.");
}

#[tokio::test]
async fn a_call_that_placed_nothing_may_be_made_again() {
    let mut fleet = fleet().await;
    let call = marked("t1", json!({}));
    fleet.leave('a').await;
    fleet.check(RunTask, call.clone(), "| a:AGENT").await;
    let agent = fleet.world.connect(fleet.arn('a')).await;
    fleet.check(RunTask, call, "a").await;
    drop(agent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_call_made_many_times_at_once_is_one() {
    let fleet = fleet().await;
    let call = marked("t1", json!({"count": 3}));
    let answers = join_all((0..20).map(|_| fleet.world.ask(RunTask, call.clone()))).await;
    assert!(answers.iter().all(|it| *it == answers[0]));
    let arns: Vec<&Value> =
        answers[0]["tasks"].as_array().unwrap().iter().map(|it| &it["taskArn"]).collect();
    assert_eq!(arns.len(), 3);
    let described = fleet.world.ask(DescribeTasks, json!({"tasks": arns})).await;
    assert_eq!(described["tasks"], answers[0]["tasks"]);
    assert_eq!(fleet.world.state().all_tasks().count(), 3);
}

#[tokio::test]
async fn a_token_is_1_to_64_printable_characters() {
    let fleet = fleet().await;
    for token in ["two words", "é", "a\nb", &"x".repeat(65)] {
        let refusal = fleet.world.call(RunTask, marked(token, json!({}))).await.refusal();
        let message = "clientToken must be 1 to 64 printable ASCII characters.";
        assert_eq!(refusal, (400, "InvalidParameterException".into(), message.into()));
    }
    fleet.check(RunTask, marked(&"x".repeat(64), json!({})), "a").await;
}

#[tokio::test]
async fn a_call_that_placed_some_says_again_what_it_could_not_do() {
    let journal = MemoryJournal::default();
    let world = World::over(Store::open(journal.clone()).unwrap()).await;
    let agent = world.join(&Machine { memory: 1000, ..Machine::default() }).await;
    world.define("job", json!({"memory": 300})).await;
    let call = marked("t1", json!({"count": 5}));
    let first = world.ask(RunTask, call.clone()).await;
    assert_eq!(first["tasks"].as_array().unwrap().len(), 3);
    let detail = "asked for 300 MiB of memory, but 100 of 1,000 remain";
    let reason = json!([{"arn": agent.instance, "reason": "RESOURCE:MEMORY", "detail": detail}]);
    assert_eq!(first["failures"], reason);
    assert_eq!(world.ask(RunTask, call.clone()).await, first);
    world.ask(DeregisterTaskDefinition, json!({"taskDefinition": "job:1"})).await;
    assert_eq!(world.ask(RunTask, call.clone()).await, first, "the definition is not needed again");
    world.request_shutdown();
    world.end().await.unwrap();
    let world = World::over(Store::open(journal).unwrap()).await;
    let again = world.ask(RunTask, call).await;
    assert_eq!(again["failures"], reason);
    assert_eq!(again["tasks"][2]["taskArn"], first["tasks"][2]["taskArn"]);
}

#[tokio::test]
async fn a_conflict_names_the_tasks_that_the_token_made() {
    let fleet = fleet().await;
    let made = fleet.check(RunTask, marked("t1", json!({"count": 2})), "a a").await;
    let refused = fleet.world.call(RunTask, marked("t1", json!({}))).await;
    let arns = [0, 1].map(|at| made["tasks"][at]["taskArn"].clone());
    assert_eq!(refused.json()["resourceIds"], json!(arns));
}

#[tokio::test]
async fn a_token_is_good_for_a_day() {
    let fleet = fleet().await;
    let call = marked("t1", json!({}));
    let first = fleet.check(RunTask, call.clone(), "a").await;
    fleet.world.clock.move_by_secs(24 * 3600 - 1);
    let same = fleet.check(RunTask, call.clone(), "a").await;
    assert_eq!(same["tasks"][0]["taskArn"], first["tasks"][0]["taskArn"]);
    fleet.world.clock.move_by_secs(1);
    let other = fleet.check(RunTask, call.clone(), "a").await;
    assert_ne!(other["tasks"][0]["taskArn"], first["tasks"][0]["taskArn"]);
    let again = fleet.check(RunTask, call, "a").await;
    assert_eq!(again["tasks"][0]["taskArn"], other["tasks"][0]["taskArn"]);
}

#[tokio::test]
async fn failures_may_be_many_and_are_kept_once() {
    const SMALL: usize = 300;
    let world = World::start().await;
    for _ in 0..SMALL {
        world.register(&Machine { memory: 100, ..Machine::default() }).await;
    }
    let _agent = world.join(&Machine { memory: 2800, ..Machine::default() }).await;
    world.define("job", json!({"memory": 300})).await;
    let call = marked("t1", json!({"count": 10}));
    let first = world.ask(RunTask, call.clone()).await;
    let reasons = |answer: &Value| -> Vec<Value> {
        let failures = answer["failures"].as_array().unwrap().iter();
        failures.map(|it| json!([it["arn"], it["reason"]])).collect()
    };
    assert_eq!(first["tasks"].as_array().unwrap().len(), 9);
    assert_eq!(reasons(&first).len(), SMALL + 1);
    assert!(first["failures"].as_array().unwrap().iter().all(|it| it["detail"].is_string()));

    let again = world.ask(RunTask, call).await;
    assert_eq!(again["tasks"], first["tasks"]);
    assert_eq!(reasons(&again), reasons(&first));
    let state = world.state();
    let marks = state.all_tasks().filter_map(|it| it.client_token.as_ref());
    assert_eq!(marks.map(|it| it.failures.len()).sum::<usize>(), SMALL + 1);
}
