//! Docker volumes of which the task definition says more than a name.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lifecycle::until;
use crate::support::World;

fn with_volume(name: &str, configuration: Value, command: Value) -> Value {
    json!({
        "volumes": [{"name": name, "type": "docker", "dockerVolumeConfiguration": configuration}],
        "containers": [{
            "command": command,
            "mountPoints": [{"sourceVolume": name, "containerPath": "/v"}],
        }],
    })
}

#[tokio::test]
async fn a_volume_of_the_task_is_as_it_was_asked_for_and_goes_with_it() {
    let mut world = World::begin_without_agent().await;
    world.config.task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    let configuration = json!({"scope": "task", "driver": "local", "labels": {"team": "docks"},
        "driverOpts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}});
    let task = world.run_with(with_volume("v", configuration, json!(["write", "/v/mark"])));
    world.wait(&task, "RUNNING").await;
    let mounts = world.container(&task).await.mounts.unwrap();
    let name = mounts[0].name.clone().unwrap();
    assert!(name.starts_with("ecs-test-1-v-"), "{name}");
    let volume = world.docker.inspect_volume(&name).await.unwrap();
    assert_eq!((volume.driver.as_str(), volume.labels["team"].as_str()), ("local", "docks"));
    assert_eq!(volume.options["type"], "tmpfs");
    world.stop(&task);
    world.wait(&task, "STOPPED").await;
    until(|| async { world.docker.inspect_volume(&name).await.is_err() }).await;
    world.end().await;
}

#[tokio::test]
async fn a_shared_volume_is_made_once_and_stays() {
    let mut world = World::begin_without_agent().await;
    world.config.task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    let name = format!("longshore-test-{}", uuid::Uuid::new_v4().simple());
    let shared = json!({"scope": "shared", "autoprovision": true});
    let writer = world.run_with(with_volume(&name, shared.clone(), json!(["write", "/v/mark"])));
    world.wait(&writer, "RUNNING").await;
    world.stop(&writer);
    world.wait(&writer, "STOPPED").await;
    until(|| async { world.containers(&writer).await.is_empty() }).await;
    // Also one who does not make it finds it, with what is in it.
    for autoprovision in [true, false] {
        let shared = json!({"scope": "shared", "autoprovision": autoprovision});
        let reader = world.run_with(with_volume(&name, shared, json!(["waits-for", "/v/mark"])));
        let report = world.wait(&reader, "STOPPED").await;
        assert_eq!(report["containers"][0]["exitCode"], 0);
        until(|| async { world.containers(&reader).await.is_empty() }).await;
    }
    let options = None::<bollard::query_parameters::RemoveVolumeOptions>;
    world.docker.remove_volume(&name, options).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_volume_that_cannot_be_had_fails_the_task_and_says_why() {
    let world = World::begin().await;
    for (configuration, reason) in [
        (json!({"scope": "shared"}), "does not exist and is not to be created"),
        (json!({"scope": "task", "driver": "no-such-driver"}), "no-such-driver"),
    ] {
        let task =
            world.run_with(with_volume("longshore-test-none", configuration, json!(["wait"])));
        let report = world.wait(&task, "STOPPED").await;
        for text in [&report["reason"], &report["containers"][0]["reason"]] {
            let text = text.as_str().unwrap();
            assert!(
                text.starts_with("CannotCreateVolumeError: ") && text.contains(reason),
                "{text}"
            );
        }
        assert!(world.containers(&task).await.is_empty());
    }
    world.end().await;
}
