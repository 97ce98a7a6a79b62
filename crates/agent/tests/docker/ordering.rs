//! `dependsOn`, and the time that containers get to start and to stop.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::World;

fn init_and_app(init: Value, condition: &str) -> Value {
    json!([
        {"name": "app", "command": ["wait"],
         "dependsOn": [{"containerName": "init", "condition": condition}]},
        {"name": "init", "command": init, "essential": false},
    ])
}

#[tokio::test]
async fn an_init_container_ends_well_before_the_other_is_created() {
    let world = World::begin().await;
    let task = world.run(init_and_app(json!(["exit", "0", "1"]), "SUCCESS"));
    world.wait(&task, "RUNNING").await;
    let history = world.history(&task);
    let expect = ["PENDING init=RUNNING", "PENDING init=STOPPED(0)", "RUNNING app=RUNNING"];
    assert_eq!(history, expect);
    let created = world.container_named(&task, "app").await.created.unwrap();
    let ended = world.container_named(&task, "init").await.state.unwrap().finished_at.unwrap();
    assert!(json!(created).as_str().unwrap() > ended.as_str(), "{created} {ended}");
    world.end().await;
}

#[tokio::test]
async fn an_init_container_that_fails_takes_the_task_with_it() {
    let world = World::begin().await;
    let task = world.run(init_and_app(json!(["exit", "3"]), "SUCCESS"));
    let report = world.wait(&task, "STOPPED").await;
    let reason = "CannotStartContainerError: dependency \"init\" did not exit successfully";
    assert_eq!(report["containers"][0]["reason"], reason);
    assert_eq!(world.containers(&task).await.len(), 1, "the other was never created");

    let task = world.run(init_and_app(json!(["exit", "3"]), "COMPLETE"));
    world.wait(&task, "RUNNING").await;
    world.end().await;
}

#[tokio::test]
async fn a_dependency_must_be_healthy() {
    let world = World::begin().await;
    let dir = world.dir.path().join("marks");
    std::fs::create_dir(&dir).unwrap();
    let check = json!({"Healthcheck": {"Test": ["CMD", "/guest", "exists", "/marks/ready"],
                                       "Interval": 200_000_000, "Retries": 3}});
    let task = world.run_with(json!({
        "volumes": [{"name": "marks", "host": {"sourcePath": dir.to_str().unwrap()}}],
        "containers": [
            {"name": "app", "command": ["wait"],
             "dependsOn": [{"containerName": "db", "condition": "HEALTHY"}]},
            {"name": "db", "command": ["wait"], "healthCheckType": "docker",
             "mountPoints": [{"sourceVolume": "marks", "containerPath": "/marks"}],
             "dockerConfig": {"config": check.to_string()}},
        ],
    }));
    world.wait_for_health(&task, "db", "UNHEALTHY").await;
    assert_eq!(world.containers(&task).await.len(), 1, "it is waited for");
    std::fs::write(dir.join("ready"), "").unwrap();
    world.wait(&task, "RUNNING").await;
    world.wait_for_health(&task, "db", "HEALTHY").await;
    world.end().await;
}

#[tokio::test]
async fn whoever_waits_too_long_gives_up() {
    let world = World::begin().await;
    let mut containers = init_and_app(json!(["wait"]), "COMPLETE");
    containers[1]["startTimeout"] = json!(2);
    let begun_at = Instant::now();
    let task = world.run(containers);
    world.wait(&task, "STOPPED").await;
    assert!(begun_at.elapsed() >= Duration::from_secs(2));
    let expect = ["PENDING init=RUNNING", "PENDING app=STOPPED", "STOPPED init=STOPPED(143)"];
    assert_eq!(world.history(&task), expect);
    world.end().await;
}

#[tokio::test]
async fn dependants_stop_before_what_they_depend_on() {
    let world = World::begin().await;
    let task = world.run(json!([
        {"name": "db", "command": ["wait"]},
        {"name": "app", "command": ["deaf"], "stopTimeout": 1,
         "dependsOn": [{"containerName": "db", "condition": "START"}]},
    ]));
    world.wait(&task, "RUNNING").await;
    world.stop(&task);
    world.wait(&task, "STOPPED").await;
    let history = world.history(&task);
    assert_eq!(history[2..], ["RUNNING app=STOPPED(137)", "STOPPED db=STOPPED(143)"]);
    world.end().await;
}

#[tokio::test]
async fn a_container_may_have_a_stop_timeout_of_its_own() {
    let mut world = World::begin_without_agent().await;
    world.config.stop_timeout = Duration::from_secs(60);
    world.start_agent().await;
    let task = world.run(json!([{"command": ["deaf"], "stopTimeout": 1}]));
    world.wait(&task, "RUNNING").await;
    let stopped_at = Instant::now();
    world.stop(&task);
    world.wait(&task, "STOPPED").await;
    let took = stopped_at.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(30), "{took:?}");
    world.end().await;
}
