//! The health of containers, as Docker's checks have it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Proxy, World};

/// A container that is healthy as long as there is this file.
fn checked(mark: &Path) -> Value {
    let dir = mark.parent().unwrap();
    let check = json!({"Healthcheck": {"Test": ["CMD", "/guest", "exists", "/marks/well"],
                                       "Interval": 200_000_000, "Retries": 2}});
    json!({
        "volumes": [{"name": "marks", "host": {"sourcePath": dir.to_str().unwrap()}}],
        "containers": [{
            "command": ["wait"], "healthCheckType": "docker",
            "mountPoints": [{"sourceVolume": "marks", "containerPath": "/marks"}],
            "dockerConfig": {"config": check.to_string()},
        }],
    })
}

fn mark_of(world: &World) -> PathBuf {
    let dir = world.dir.path().join("marks");
    std::fs::create_dir(&dir).unwrap();
    dir.join("well")
}

#[tokio::test]
async fn every_change_of_a_containers_health_is_reported() {
    let world = World::begin().await;
    let mark = mark_of(&world);
    let task = world.run_with(checked(&mark));
    let report = world.wait(&task, "RUNNING").await;
    assert_eq!(report["containers"][0]["healthStatus"], "UNKNOWN");
    world.wait_for_health(&task, "web", "UNHEALTHY").await;
    std::fs::write(&mark, "").unwrap();
    world.wait_for_health(&task, "web", "HEALTHY").await;
    std::fs::remove_file(&mark).unwrap();
    world.wait_for_health(&task, "web", "UNHEALTHY").await;
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING"; 4], "the task goes on");
    world.end().await;
}

#[tokio::test]
async fn a_container_without_a_check_has_no_health() {
    let world = World::begin().await;
    let task = world.run(json!([{"command": ["wait"]}]));
    let report = world.wait(&task, "RUNNING").await;
    assert!(report["containers"][0]["healthStatus"].is_null(), "{report:#}");
    world.end().await;
}

#[tokio::test]
async fn health_is_followed_on_when_the_agent_comes_back() {
    let mut world = World::begin().await;
    let mark = mark_of(&world);
    std::fs::write(&mark, "").unwrap();
    let task = world.run_with(checked(&mark));
    world.wait_for_health(&task, "web", "HEALTHY").await;
    world.kill_agent().await;
    std::fs::remove_file(&mark).unwrap();
    world.start_agent().await;
    world.wait_for_health(&task, "web", "UNHEALTHY").await;
    world.end().await;
}

#[tokio::test]
async fn health_is_followed_on_when_docker_comes_back() {
    let mut world = World::begin_without_agent().await;
    let mut proxy = Proxy::at(&world.dir.path().join("docker.sock"));
    world.config.docker_host = Some(proxy.address());
    world.start_agent().await;
    let mark = mark_of(&world);
    std::fs::write(&mark, "").unwrap();
    let task = world.run_with(checked(&mark));
    world.wait_for_health(&task, "web", "HEALTHY").await;
    proxy.close().await;
    std::fs::remove_file(&mark).unwrap();
    proxy.open();
    world.wait_for_health(&task, "web", "UNHEALTHY").await;
    world.end().await;
}
