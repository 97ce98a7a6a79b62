//! An agent that ends and comes back: nothing is started twice, nothing is stopped, nothing lost.

use std::time::Duration;

use serde_json::json;

use crate::lifecycle::until;
use crate::support::{Proxy, World};

#[tokio::test]
async fn what_runs_goes_on_and_an_exit_that_nobody_saw_is_reported() {
    let mut world = World::begin().await;
    let stays = world.run(json!([{"command": ["wait"]}]));
    let ends = world.run(json!([{"command": ["exit", "9", "2"]}]));
    world.wait(&stays, "RUNNING").await;
    world.wait(&ends, "RUNNING").await;
    let before = world.container(&stays).await;

    world.kill_agent().await;
    until(|| async { !is_running(&world, &ends).await }).await;
    world.start_agent().await;

    world.wait(&ends, "STOPPED").await;
    assert_eq!(world.history(&ends), ["RUNNING web=RUNNING", "STOPPED web=STOPPED(9)"]);
    let after = world.container(&stays).await;
    assert_eq!(after.id, before.id);
    assert_eq!(after.state.unwrap().started_at, before.state.unwrap().started_at);
    assert_eq!(world.history(&stays), ["RUNNING web=RUNNING"], "nothing is reported twice");

    let registrations = world.control_plane.registrations();
    assert_eq!(registrations.len(), 2);
    assert_eq!(registrations[1]["containerInstanceArn"], json!(world.arn));

    // It is still ours to stop.
    world.stop(&stays);
    world.wait(&stays, "STOPPED").await;
    world.end().await;
}

#[tokio::test]
async fn tasks_whose_files_are_lost_are_found_by_their_labels() {
    let mut world = World::begin().await;
    let containers = json!([{"name": "web", "command": ["wait"]}]);
    let task = world.run(containers.clone());
    world.wait(&task, "RUNNING").await;
    let before = world.container(&task).await;

    world.stop_agent().await;
    std::fs::remove_dir_all(world.config.data_dir.join("tasks")).unwrap();
    world.start_agent().await;
    // The control plane sends its live tasks again on each connection.
    world.run_with(json!({"arn": task, "containers": containers}));
    let acknowledged = |it: &crate::support::ControlPlane| (it.reports().len() == 2).then_some(());
    world.control_plane.wait("the second report", acknowledged).await;

    assert_eq!(world.container(&task).await.id, before.id);
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING", "RUNNING web=RUNNING"]);
    world.end().await;
}

#[tokio::test]
async fn a_stop_that_was_under_way_is_brought_to_its_end() {
    let mut world = World::begin().await;
    let task = world.run(json!([{"command": ["deaf"]}]));
    world.wait(&task, "RUNNING").await;
    world.stop(&task);
    let stopping = format!("stop {task}");
    world.control_plane.wait("the stop's ack", |it| it.frame("AckRequest", &stopping)).await;
    world.kill_agent().await;
    world.start_agent().await;
    world.wait(&task, "STOPPED").await;
    assert_eq!(world.history(&task)[1], "STOPPED web=STOPPED(137)");
    world.end().await;
}

#[tokio::test]
async fn an_agent_killed_at_any_moment_starts_nothing_twice() {
    let mut world = World::begin().await;
    let mut tasks = Vec::new();
    for pause_ms in [0, 2, 5, 10, 20, 40, 80, 160, 320] {
        let task = world.run(json!([{"command": ["wait"]}]));
        world.control_plane.wait("the ack", |it| it.frame("AckRequest", &task)).await;
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        world.kill_agent().await;
        world.start_agent().await;
        tasks.push(task);
    }
    for task in &tasks {
        world.wait(task, "RUNNING").await;
        assert!(is_running(&world, task).await);
        assert_eq!(world.containers(task).await.len(), 1, "{task}");
    }
    world.end().await;
}

/// A world whose agent was killed while Docker makes the container of this task.
async fn killed_while_a_container_is_made() -> (World, Proxy, String) {
    let mut world = World::begin_without_agent().await;
    let proxy = Proxy::at(&world.dir.path().join("docker.sock"));
    world.config.docker_host = Some(proxy.address());
    world.config.task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    proxy.make_none();
    let task = world.run(json!([{"command": ["wait"]}]));
    proxy.until_waiting(1).await;
    world.kill_agent().await;
    (world, proxy, task)
}

#[tokio::test]
async fn a_container_that_docker_was_making_for_an_agent_that_was_killed_is_the_one_that_runs() {
    let (mut world, proxy, task) = killed_while_a_container_is_made().await;
    world.start_agent().await;
    proxy.until_waiting(2).await;
    proxy.make_them();
    world.wait(&task, "RUNNING").await;
    assert!(is_running(&world, &task).await, "it is the only one");
    world.end().await;
}

#[tokio::test]
async fn a_container_that_docker_was_making_for_a_task_that_stopped_meanwhile_is_removed() {
    let (mut world, proxy, task) = killed_while_a_container_is_made().await;
    world.start_agent().await;
    proxy.until_waiting(2).await;
    world.stop(&task);
    let stopping = format!("stop {task}");
    world.control_plane.wait("the stop's ack", |it| it.frame("AckRequest", &stopping)).await;
    proxy.make_them();
    world.wait(&task, "STOPPED").await;
    assert_eq!(world.history(&task), ["STOPPED web=STOPPED"]);
    until(|| async { world.containers(&task).await.is_empty() }).await;
    world.end().await;
}

#[tokio::test]
async fn a_container_that_docker_made_after_its_task_was_over_is_removed_when_tasks_are_listed() {
    let (mut world, proxy, task) = killed_while_a_container_is_made().await;
    // To this one Docker answers.
    world.config.docker_host = None;
    world.start_agent().await;
    world.wait(&task, "RUNNING").await;
    world.stop(&task);
    world.wait(&task, "STOPPED").await;
    let files = world.config.data_dir.join("tasks");
    until(|| async { std::fs::read_dir(&files).unwrap().count() == 0 }).await;
    proxy.make_them();
    until(|| async { world.containers(&task).await.len() == 1 }).await;

    let listed = world.run(json!([{"command": ["wait"]}]));
    world.wait(&listed, "RUNNING").await;
    world.control_plane.send_manifest(&[&listed]);
    until(|| async { world.containers(&task).await.is_empty() }).await;
    assert!(is_running(&world, &listed).await);
    world.end().await;
}

#[tokio::test]
async fn a_container_removed_behind_our_back_is_reported_as_vanished() {
    let mut world = World::begin().await;
    let task = world.run(json!([{"command": ["wait"]}]));
    world.wait(&task, "RUNNING").await;
    world.kill_agent().await;
    crate::support::remove_containers_of(&world.docker, &world.arn).await;
    world.start_agent().await;
    let report = world.wait(&task, "STOPPED").await;
    let reason = "ContainerVanishedError: No container matching saved ID found";
    assert_eq!(report["containers"][0]["reason"], reason);
    world.end().await;
}

#[tokio::test]
async fn an_instance_that_the_control_plane_forgot_registers_anew_and_leaves_the_old_containers() {
    let mut world = World::begin().await;
    let task = world.run(json!([{"command": ["wait"]}]));
    world.wait(&task, "RUNNING").await;
    world.stop_agent().await;
    world.control_plane.forget_instances();
    world.start_agent().await;
    let registrations = world.control_plane.registrations();
    assert_eq!(registrations.len(), 3);
    assert!(registrations[2]["containerInstanceArn"].is_null());
    assert!(is_running(&world, &task).await);
    let new = world.run(json!([{"command": ["exit", "0"]}]));
    world.wait(&new, "STOPPED").await;
    let anew = format!("{}-anew", world.arn);
    crate::support::remove_containers_of(&world.docker, &anew).await;
    world.end().await;
}

async fn is_running(world: &World, task: &str) -> bool {
    world.container(task).await.state.and_then(|it| it.running) == Some(true)
}
