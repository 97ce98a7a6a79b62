//! When an agent is told of a task: once for each wish on a connection, and again on the next one.

use longshore_wire::Operation::StopTask;
use serde_json::json;

use crate::harness::{Agent, Fleet, Machine};

async fn fleet() -> Fleet {
    let fleet = Fleet::of(&[Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    fleet
}

/// The next tasks that an agent is told of, each with what is wished for it.
async fn told(agent: &mut Agent, count: usize) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for _ in 0..count {
        let task = agent.task().await;
        told.push((task.arn, task.desired_status));
    }
    told
}

fn wish(task: &str, desired: &str) -> (String, String) {
    (task.into(), desired.into())
}

#[tokio::test]
async fn a_task_is_told_once_and_its_stop_once() {
    let mut fleet = fleet().await;
    let tasks = fleet.start("job", "aa").await;
    let running = tasks.iter().map(|it| wish(it, "RUNNING"));
    assert_eq!(told(fleet.agent('a'), 2).await, running.collect::<Vec<_>>());
    for task in &tasks {
        fleet.world.report(task, "RUNNING").await;
        fleet.world.report(task, "RUNNING").await;
    }
    for _ in 0..2 {
        fleet.world.ask(StopTask, json!({"task": tasks[0]})).await;
    }
    let next = fleet.start("job", "a").await.remove(0);
    let news = told(fleet.agent('a'), 2).await;
    assert_eq!(news, [wish(&tasks[0], "STOPPED"), wish(&next, "RUNNING")]);
}

#[tokio::test]
async fn a_new_connection_is_told_every_live_task_stops_first() {
    let mut fleet = fleet().await;
    let tasks = fleet.start("job", "aaaa").await;
    told(fleet.agent('a'), 4).await;
    fleet.leave('a').await;
    fleet.world.report(&tasks[0], "STOPPED").await;
    fleet.world.report(&tasks[1], "RUNNING").await;
    fleet.world.ask(StopTask, json!({"task": tasks[3]})).await;
    let mut agent = fleet.world.connect(fleet.arn('a')).await;
    let expected =
        [wish(&tasks[3], "STOPPED"), wish(&tasks[1], "RUNNING"), wish(&tasks[2], "RUNNING")];
    assert_eq!(told(&mut agent, 3).await, expected);
}

#[tokio::test]
async fn a_task_that_is_stopped_before_it_is_told_is_told_as_stopped() {
    let mut fleet = fleet().await;
    let task = fleet.start("job", "a").await.remove(0);
    told(fleet.agent('a'), 1).await;
    fleet.leave('a').await;
    fleet.world.ask(StopTask, json!({"task": task})).await;
    let mut agent = fleet.world.connect(fleet.arn('a')).await;
    assert_eq!(told(&mut agent, 1).await, [wish(&task, "STOPPED")]);
    fleet.world.report(&task, "STOPPED").await;
    let next = fleet.start("job", "a").await.remove(0);
    assert_eq!(told(&mut agent, 1).await, [wish(&next, "RUNNING")]);
}

#[tokio::test]
async fn each_agent_hears_of_its_own_tasks_only() {
    let mut fleet = Fleet::of(&[Machine::default(), Machine::default()]).await;
    fleet.world.define("job", json!({"memory": 64})).await;
    let tasks = fleet.start("job", "abab").await;
    let of_a = told(fleet.agent('a'), 2).await;
    let of_b = told(fleet.agent('b'), 2).await;
    assert_eq!(of_a, [wish(&tasks[0], "RUNNING"), wish(&tasks[2], "RUNNING")]);
    assert_eq!(of_b, [wish(&tasks[1], "RUNNING"), wish(&tasks[3], "RUNNING")]);
}
