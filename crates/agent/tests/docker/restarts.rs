//! Containers that are started again in place.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::lifecycle::until;
use crate::support::{Proxy, World};

/// A container that ends with these codes, one after another, and then runs on.
fn restarted(world: &World, codes: &[&str]) -> Value {
    let dir = world.dir.path().join("runs");
    std::fs::create_dir_all(&dir).unwrap();
    let command: Vec<&str> = ["runs", "/runs/count"].iter().chain(codes).copied().collect();
    json!({
        "volumes": [{"name": "runs", "host": {"sourcePath": dir.to_str().unwrap()}}],
        "containers": [{
            "command": command,
            "mountPoints": [{"sourceVolume": "runs", "containerPath": "/runs"}],
            "restartPolicy": {"enabled": true, "ignoredExitCodes": [0], "restartAttemptPeriod": 1},
        }],
    })
}

fn count_of(world: &World) -> PathBuf {
    world.dir.path().join("runs/count")
}

fn runs(count: &PathBuf) -> usize {
    std::fs::read(count).map_or(0, |it| it.len())
}

#[tokio::test]
async fn a_container_that_ends_is_started_again_until_its_exit_code_is_ignored() {
    let world = World::begin().await;
    let task = world.run_with(restarted(&world, &["3", "4", "0"]));
    world.wait(&task, "STOPPED").await;
    assert_eq!(runs(&count_of(&world)), 3);
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING", "STOPPED web=STOPPED(0)"]);
    assert_eq!(world.containers(&task).await.len(), 1, "in place");
    world.end().await;
}

#[tokio::test]
async fn a_container_that_ends_too_early_is_not_started_again() {
    let world = World::begin().await;
    let container = json!({"command": ["exit", "5"],
                           "restartPolicy": {"enabled": true, "restartAttemptPeriod": 60}});
    let ended = world.run_to_the_end(container).await;
    assert_eq!(ended["exitCode"], 5);
    world.end().await;
}

#[tokio::test]
async fn one_that_was_started_again_is_still_ours_to_stop() {
    let world = World::begin().await;
    let task = world.run_with(restarted(&world, &["3"]));
    let count = count_of(&world);
    until(|| async { runs(&count) == 2 }).await;
    world.stop(&task);
    world.wait(&task, "STOPPED").await;
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING", "STOPPED web=STOPPED(143)"]);
    assert_eq!(runs(&count), 2);
    world.end().await;
}

#[tokio::test]
async fn one_that_ended_while_no_agent_was_there_is_started_again_by_the_next() {
    let mut world = World::begin().await;
    let task = world.run_with(restarted(&world, &["3"]));
    world.wait(&task, "RUNNING").await;
    world.kill_agent().await;
    until(|| async { world.container(&task).await.state.and_then(|it| it.running) == Some(false) })
        .await;
    world.start_agent().await;
    let count = count_of(&world);
    until(|| async { runs(&count) == 2 }).await;
    world.stop(&task);
    world.wait(&task, "STOPPED").await;
    let mut history = world.history(&task);
    // The agent may have died before it heard that the first was accepted.
    history.dedup();
    assert_eq!(history, ["RUNNING web=RUNNING", "STOPPED web=STOPPED(143)"]);
    world.end().await;
}

#[tokio::test]
async fn while_the_control_plane_is_away_they_are_started_again_and_their_end_is_kept() {
    let world = World::begin().await;
    let task = world.run_with(restarted(&world, &["3", "4", "0"]));
    world.wait(&task, "RUNNING").await;
    world.control_plane.refuse(true);
    world.control_plane.hang_up();
    let count = count_of(&world);
    until(|| async { runs(&count) == 3 }).await;
    let ended_at = |it: bollard::models::ContainerInspectResponse| {
        let state = it.state.unwrap();
        (state.running == Some(false) && state.exit_code == Some(0)).then_some(state.finished_at)
    };
    until(|| async { ended_at(world.container(&task).await).is_some() }).await;
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING"]);
    world.control_plane.refuse(false);
    world.wait(&task, "STOPPED").await;
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING", "STOPPED web=STOPPED(0)"]);
    assert_eq!(world.containers(&task).await.len(), 1, "in place");
    world.end().await;
}

#[tokio::test]
async fn one_that_ended_while_docker_did_not_answer_is_started_again_when_it_does() {
    let mut world = World::begin_without_agent().await;
    let mut proxy = Proxy::at(&world.dir.path().join("docker.sock"));
    world.config.docker_host = Some(proxy.address());
    world.start_agent().await;
    let task = world.run_with(restarted(&world, &["3"]));
    world.wait(&task, "RUNNING").await;
    proxy.close().await;
    until(|| async { world.container(&task).await.state.and_then(|it| it.running) == Some(false) })
        .await;
    proxy.open();
    let count = count_of(&world);
    until(|| async { runs(&count) == 2 }).await;
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING"]);
    world.end().await;
}
