//! A task from PENDING to forgotten: statuses, versions, stamps and reasons.

use longshore_wire::Operation::{
    DescribeTasks, RunTask, StopTask, SubmitContainerStateChange, SubmitTaskStateChange,
};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine};

/// An instance and a task of two containers, `main` and the inessential `side`.
async fn begin() -> (Fleet, String) {
    let fleet = Fleet::of(&[Machine::default()]).await;
    let container = |name: &str, essential: bool| json!({"name": name, "image": "busybox", "memory": 64, "essential": essential});
    let containers = json!([container("main", true), container("side", false)]);
    let body = json!({"family": "pair", "containerDefinitions": containers});
    fleet.world.ask(longshore_wire::Operation::RegisterTaskDefinition, body).await;
    let task = fleet.start("pair", "a").await.remove(0);
    (fleet, task)
}

/// The members of a task that tell its life, in one line.
async fn shown(fleet: &Fleet, task: &str) -> String {
    let task = fleet.world.task(task).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let containers = task["containers"].as_array().unwrap().iter();
    let containers: Vec<String> = containers.map(|it| text(&it["lastStatus"])).collect();
    format!(
        "{} {} ({}) v{} {}",
        text(&task["lastStatus"]),
        text(&task["desiredStatus"]),
        containers.join(" "),
        task["version"],
        text(&task["stoppedReason"]),
    )
}

async fn report(fleet: &Fleet, task: &str, status: &str, containers: Value) {
    let body =
        json!({"cluster": "default", "task": task, "status": status, "containers": containers});
    fleet.world.ask(SubmitTaskStateChange, body).await;
}

fn both(status: &str) -> Value {
    json!([{"containerName": "main", "status": status}, {"containerName": "side", "status": status}])
}

#[tokio::test]
async fn every_change_raises_the_version_and_repeats_do_not() {
    let (fleet, task) = begin().await;
    assert_eq!(shown(&fleet, &task).await, "PENDING RUNNING (PENDING PENDING) v1 -");
    let container = |name: &str, status: &str| json!({"cluster": "default", "task": task, "containerName": name, "status": status});
    for _ in 0..2 {
        fleet.world.ask(SubmitContainerStateChange, container("main", "RUNNING")).await;
        assert_eq!(shown(&fleet, &task).await, "PENDING RUNNING (RUNNING PENDING) v2 -");
    }
    fleet.world.ask(SubmitContainerStateChange, container("side", "RUNNING")).await;
    for _ in 0..2 {
        report(&fleet, &task, "RUNNING", json!([])).await;
        assert_eq!(shown(&fleet, &task).await, "RUNNING RUNNING (RUNNING RUNNING) v4 -");
    }
    fleet.world.ask(SubmitContainerStateChange, container("side", "STOPPED")).await;
    assert_eq!(shown(&fleet, &task).await, "RUNNING RUNNING (RUNNING STOPPED) v5 -");
    fleet.world.ask(StopTask, json!({"task": task, "reason": "why not"})).await;
    assert_eq!(shown(&fleet, &task).await, "RUNNING STOPPED (RUNNING STOPPED) v6 why not");
    for _ in 0..2 {
        report(&fleet, &task, "STOPPED", both("STOPPED")).await;
        assert_eq!(shown(&fleet, &task).await, "STOPPED STOPPED (STOPPED STOPPED) v7 why not");
    }
}

#[tokio::test]
async fn what_comes_late_moves_nothing_back() {
    let (fleet, task) = begin().await;
    report(&fleet, &task, "RUNNING", both("RUNNING")).await;
    report(&fleet, &task, "PENDING", both("PENDING")).await;
    assert_eq!(shown(&fleet, &task).await, "RUNNING RUNNING (RUNNING RUNNING) v2 -");
    report(&fleet, &task, "STOPPED", json!([])).await;
    let end = "STOPPED STOPPED (STOPPED STOPPED) v3 Essential container in task exited";
    assert_eq!(shown(&fleet, &task).await, end);
    report(&fleet, &task, "RUNNING", both("RUNNING")).await;
    let exit =
        json!([{"containerName": "main", "status": "STOPPED", "exitCode": 3, "reason": "late"}]);
    report(&fleet, &task, "STOPPED", exit).await;
    fleet.world.ask(StopTask, json!({"task": task, "reason": "too late"})).await;
    assert_eq!(shown(&fleet, &task).await, end);
}

#[tokio::test]
async fn stop_task_keeps_the_first_reason() {
    let (fleet, task) = begin().await;
    fleet.world.ask(StopTask, json!({"task": task})).await;
    let stopping = "PENDING STOPPED (PENDING PENDING) v2 Task stopped by user";
    assert_eq!(shown(&fleet, &task).await, stopping);
    let before = fleet.world.state().revision();
    fleet.world.ask(StopTask, json!({"task": task, "reason": "another"})).await;
    assert_eq!(fleet.world.state().revision(), before);
    assert_eq!(shown(&fleet, &task).await, stopping);
    let words =
        json!({"cluster": "default", "task": task, "status": "STOPPED", "reason": "agent's words"});
    fleet.world.ask(SubmitTaskStateChange, words).await;
    let task = fleet.world.task(&task).await;
    assert_eq!(task["stoppedReason"], "Task stopped by user");
    assert_eq!(task["stopCode"], "UserInitiated");
    assert!(task["startedAt"].is_null(), "it never ran");
}

#[tokio::test]
async fn each_step_has_its_stamp() {
    let (fleet, task) = begin().await;
    let clock = &fleet.world.clock;
    clock.move_by_secs(1);
    report(&fleet, &task, "RUNNING", both("RUNNING")).await;
    clock.move_by_secs(1);
    report(&fleet, &task, "RUNNING", json!([{"containerName": "side", "status": "STOPPED"}])).await;
    fleet.world.ask(StopTask, json!({"task": task})).await;
    clock.move_by_secs(1);
    report(&fleet, &task, "STOPPED", json!([])).await;
    clock.move_by_secs(1);
    report(&fleet, &task, "STOPPED", json!([])).await;
    let task = fleet.world.task(&task).await;
    let stamps = ["createdAt", "startedAt", "stoppingAt", "stoppedAt"].map(|it| task[it].clone());
    assert_eq!(
        json!(stamps),
        json!([1497513600.123, 1497513601.123, 1497513602.123, 1497513603.123])
    );
}

#[tokio::test]
async fn a_stopped_task_is_described_for_an_hour() {
    let (fleet, task) = begin().await;
    report(&fleet, &task, "STOPPED", json!([])).await;
    fleet.world.clock.move_by_secs(3600);
    assert_eq!(fleet.world.control.reap().await.unwrap().len(), 0);
    assert_eq!(fleet.world.task(&task).await["lastStatus"], "STOPPED");
    fleet.world.clock.move_by_secs(1);
    assert_eq!(fleet.world.control.reap().await.unwrap().tasks.len(), 1);
    let gone = fleet.world.ask(DescribeTasks, json!({"tasks": [task]})).await;
    assert_eq!(gone["failures"], json!([{"arn": task, "reason": "MISSING"}]));
    let refusal = fleet.world.call(StopTask, json!({"task": task})).await.refusal();
    assert_eq!(refusal.2, "The referenced task was not found.");
    report(&fleet, &task, "STOPPED", json!([])).await; // still acknowledged
}

#[tokio::test]
async fn a_task_can_be_described_as_soon_as_it_is_run() {
    let (fleet, _) = begin().await;
    let ran = fleet.world.ask(RunTask, json!({"taskDefinition": "pair", "count": 10})).await;
    let arns: Vec<&Value> =
        ran["tasks"].as_array().unwrap().iter().map(|it| &it["taskArn"]).collect();
    let described = fleet.world.ask(DescribeTasks, json!({"tasks": arns})).await;
    assert_eq!(described["tasks"], ran["tasks"]);
}
