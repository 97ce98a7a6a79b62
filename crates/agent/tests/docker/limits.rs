//! Limits for a task as a whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::lifecycle::until;
use crate::support::World;

const MOUNT: &str = "/sys/fs/cgroup";

/// Where the kernel keeps a file of the task's group, in either version of control groups.
fn file(task: &str, controller: &str, of_version_1: &str, of_version_2: &str) -> PathBuf {
    let id = task.rsplit('/').next().unwrap();
    let of_1 = Path::new(MOUNT).join(controller).join("ecs").join(id).join(of_version_1);
    if of_1.exists() { of_1 } else { Path::new(MOUNT).join("ecs").join(id).join(of_version_2) }
}

/// The task's group in every hierarchy.
fn groups_of(task: &str) -> Vec<PathBuf> {
    let id = task.rsplit('/').next().unwrap();
    let hierarchies = fs::read_dir(MOUNT).unwrap().map(|it| it.unwrap().path());
    let all = hierarchies.chain([PathBuf::from(MOUNT)]).map(|it| it.join("ecs").join(id));
    all.filter(|it| it.exists()).collect()
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|it| panic!("{}: {it}", path.display()))
}

fn attributes(world: &World) -> Vec<String> {
    let registrations = world.control_plane.registrations();
    let attributes = registrations[0]["attributes"].as_array().unwrap();
    attributes.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_tasks_containers_share_its_limits_which_go_with_it() {
    let mut world = World::begin_without_agent().await;
    world.config.task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    let announced = attributes(&world).contains(&"ecs.capability.task-cpu-mem-limit".to_owned());
    let task = world.run_with(json!({
        "cpu": 0.5, "memory": 64,
        "containers": [{"command": ["wait"]}, {"name": "hog", "command": ["hog"]}],
    }));
    let report = world.wait(&task, "STOPPED").await;
    if !announced {
        let reason = report["reason"].as_str().unwrap();
        assert!(reason.starts_with("ResourceInitializationError: "), "{reason}");
        return world.end().await;
    }
    let history = world.history(&task).join("\n");
    assert!(history.contains("hog=STOPPED(137)"), "{history}");
    let parents: Vec<String> = world
        .containers(&task)
        .await
        .into_iter()
        .map(|it| it.host_config.unwrap().cgroup_parent.unwrap())
        .collect();
    let id = task.rsplit('/').next().unwrap();
    assert!(parents.iter().all(|it| *it == format!("/ecs/{id}")), "{parents:?}");
    until(|| async { groups_of(&task).is_empty() }).await;
    world.end().await;
}

#[tokio::test]
async fn cpu_and_memory_are_those_of_the_task() {
    let mut world = World::begin_without_agent().await;
    world.config.task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    if !attributes(&world).contains(&"ecs.capability.task-cpu-mem-limit".to_owned()) {
        return world.end().await;
    }
    let task = world.run_with(json!({
        "cpu": 0.5, "memory": 64, "containers": [{"command": ["wait"]}],
    }));
    world.wait(&task, "RUNNING").await;
    let memory = read(file(&task, "memory", "memory.limit_in_bytes", "memory.max"));
    assert_eq!(memory.trim(), (64 * 1024 * 1024).to_string());
    let quota = read(file(&task, "cpu", "cpu.cfs_quota_us", "cpu.max"));
    assert_eq!(quota.split_whitespace().next(), Some("50000"));
    let inside = fs::read_dir(file(&task, "memory", "", "")).unwrap();
    let of_containers = inside.filter(|it| it.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(of_containers, 1, "the container's own group is inside the task's");
    world.stop(&task);
    world.wait(&task, "STOPPED").await;
    until(|| async { groups_of(&task).is_empty() }).await;
    world.end().await;
}
