//! Many tasks at once: in order of arrival, and none waits for another that is slow.

use std::num::NonZeroU16;

use bollard::models::ContainerInspectResponse;
use serde_json::json;

use crate::support::{StallingRegistry, World};

/// More than there are turns on any machine.
const MANY: usize = 40;

async fn world_of_one_at_a_time() -> World {
    let mut world = World::begin_without_agent().await;
    world.config.starts_at_once = NonZeroU16::new(1);
    world.start_agent().await;
    world
}

#[tokio::test]
async fn slow_pulls_stops_and_health_checks_hold_up_no_other_task() {
    let world = World::begin().await;
    let registry = StallingRegistry::start().await;
    let deaf: Vec<_> =
        (0..4).map(|_| world.run(json!([{"command": ["deaf"], "stopTimeout": 30}]))).collect();
    for task in &deaf {
        world.wait(task, "RUNNING").await;
    }
    let pulling: Vec<_> =
        (0..MANY).map(|it| world.run(json!([{"image": registry.image(it)}]))).collect();
    registry.until_asked_for(MANY).await;
    for task in &deaf {
        world.stop(task);
    }
    // Its health is not known for a minute.
    let check = json!({"Healthcheck": {"Test": ["CMD", "/guest", "exit", "0", "60"],
        "Interval": 100_000_000, "Timeout": 90_000_000_000_i64}});
    let checked = world.run(json!([{"command": ["wait"], "healthCheckType": "docker",
        "dockerConfig": {"config": check.to_string()}}]));
    world.wait(&checked, "RUNNING").await;

    let quick: Vec<_> = (0..10).map(|_| world.run(json!([{"command": ["exit", "0"]}]))).collect();
    for task in &quick {
        world.wait(task, "STOPPED").await;
        assert_eq!(world.history(task).last().unwrap(), "STOPPED web=STOPPED(0)");
    }
    for task in &pulling {
        assert_eq!(world.history(task), [""; 0], "it still pulls");
    }
    for task in &deaf {
        assert_eq!(world.history(task), ["RUNNING web=RUNNING"], "it is still being stopped");
    }
    for task in &pulling {
        world.stop(task);
    }
    for task in &pulling {
        world.wait(task, "STOPPED").await;
    }
    world.end().await;
}

#[tokio::test]
async fn of_many_tasks_the_first_runs_before_the_next_is_made() {
    let world = world_of_one_at_a_time().await;
    let tasks: Vec<_> = (0..6).map(|_| world.run(json!([{"command": ["wait"]}]))).collect();
    let mut containers = Vec::new();
    for task in &tasks {
        world.wait(task, "RUNNING").await;
        containers.push(world.container(task).await);
    }
    let created_at = |it: &ContainerInspectResponse| it.created.clone().unwrap();
    let started_at =
        |it: &ContainerInspectResponse| it.state.as_ref().unwrap().started_at.clone().unwrap();
    let times: Vec<_> = containers.iter().map(|it| (created_at(it), started_at(it))).collect();
    for pair in times.windows(2) {
        // As text they are in order of time.
        assert!(pair[0].1 < pair[1].0, "{times:#?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_task_that_is_stopped_before_its_turn_came_has_no_container() {
    let world = world_of_one_at_a_time().await;
    let tasks: Vec<_> = (0..12).map(|_| world.run(json!([{"command": ["wait"]}]))).collect();
    let last = tasks.last().unwrap();
    world.stop(last);
    world.wait(last, "STOPPED").await;
    assert_eq!(world.history(last), ["STOPPED web=STOPPED"]);
    assert_eq!(world.containers(last).await, []);
    assert_eq!(world.history(&tasks[tasks.len() - 2]), [""; 0], "it still waits for its turn");
    world.end().await;
}
