//! A control plane or a Docker Engine that is away for a while.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::oneshot;

use crate::lifecycle::until;
use crate::support::{Proxy, World};

#[tokio::test]
async fn reports_wait_for_the_control_plane_and_arrive_in_order() {
    let world = World::begin().await;
    world.control_plane.refuse(true);
    let task = world.run(json!([{"command": ["exit", "4"]}]));
    until(|| async {
        let containers = world.containers(&task).await;
        let ended = |it: &bollard::models::ContainerInspectResponse| {
            it.state.as_ref().and_then(|it| it.exit_code) == Some(4)
        };
        containers.iter().any(ended)
    })
    .await;
    world.control_plane.refuse(false);
    world.wait(&task, "STOPPED").await;
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING", "STOPPED web=STOPPED(4)"]);
    world.end().await;
}

#[tokio::test]
async fn an_agent_that_starts_before_its_control_plane_waits_for_it() {
    let mut world = World::begin_without_agent().await;
    world.control_plane.refuse(true);
    let (ready, mut is_ready) = oneshot::channel();
    world.launch_agent(ready);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(is_ready.try_recv().is_err());
    world.control_plane.refuse(false);
    tokio::time::timeout(Duration::from_secs(5), is_ready).await.unwrap().unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_lost_socket_is_opened_again_within_a_second_and_a_task_sent_twice_runs_once() {
    let world = World::begin().await;
    let containers = json!([{"command": ["wait"]}]);
    let task = world.run(containers.clone());
    world.wait(&task, "RUNNING").await;
    let lost_at = Instant::now();
    world.control_plane.hang_up();
    let again = |it: &crate::support::ControlPlane| (it.connections() == 2).then_some(());
    world.control_plane.wait("the second connection", again).await;
    assert!(lost_at.elapsed() < Duration::from_secs(1), "{:?}", lost_at.elapsed());
    world.run_with(json!({"arn": task, "containers": containers}));
    let other = world.run(json!([{"command": ["exit", "0"]}]));
    world.wait(&other, "STOPPED").await;
    assert_eq!(world.containers(&task).await.len(), 1);
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING"]);
    world.end().await;
}

#[tokio::test]
async fn a_docker_engine_that_goes_away_stops_no_task_and_loses_no_exit() {
    let mut world = World::begin_without_agent().await;
    let mut proxy = Proxy::at(&world.dir.path().join("docker.sock"));
    world.config.docker_host = Some(proxy.address());
    world.start_agent().await;
    let stays = world.run(json!([{"command": ["wait"]}]));
    let ends = world.run(json!([{"command": ["exit", "6", "2"]}]));
    world.wait(&stays, "RUNNING").await;
    world.wait(&ends, "RUNNING").await;

    proxy.close().await;
    let late = world.run(json!([{"command": ["exit", "5"]}]));
    until(|| async { world.container(&ends).await.state.and_then(|it| it.running) == Some(false) })
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.history(&ends).len(), 1);
    assert_eq!(world.history(&late).len(), 0);
    proxy.open();

    world.wait(&ends, "STOPPED").await;
    world.wait(&late, "STOPPED").await;
    assert_eq!(world.history(&ends)[1], "STOPPED web=STOPPED(6)");
    assert_eq!(world.history(&late), ["RUNNING web=RUNNING", "STOPPED web=STOPPED(5)"]);
    assert_eq!(world.history(&stays), ["RUNNING web=RUNNING"]);
    world.stop(&stays);
    world.wait(&stays, "STOPPED").await;
    world.end().await;
}

#[tokio::test]
async fn an_agent_that_starts_before_docker_waits_for_it() {
    let mut world = World::begin_without_agent().await;
    let path = world.dir.path().join("docker.sock");
    world.config.docker_host = Some(path.to_str().unwrap().to_owned());
    let (ready, is_ready) = oneshot::channel();
    world.launch_agent(ready);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let _proxy = Proxy::at(&path);
    tokio::time::timeout(Duration::from_secs(10), is_ready).await.unwrap().unwrap();
    world.end().await;
}
