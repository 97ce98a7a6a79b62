//! Whatever goes wrong ends in a STOPPED task that says why.

use longshore_agent::ImagePullBehavior;
use serde_json::json;

use crate::lifecycle::free_port;
use crate::support::{IMAGE, ImageName, World};

#[track_caller]
fn assert_failed(container: &serde_json::Value, reason: &str) {
    let seen = container["reason"].as_str().unwrap_or_default();
    assert!(seen.starts_with(reason), "{container:#}");
    assert!(seen.chars().count() <= 255);
    assert_eq!(container["status"], "STOPPED");
    assert!(container["exitCode"].is_null(), "it never ran: {container:#}");
}

#[tokio::test]
async fn a_program_that_does_not_exist() {
    let world = World::begin().await;
    let container = world.run_to_the_end(json!({"entryPoint": ["/nope"]})).await;
    assert_failed(&container, "CannotStartContainerError: API error (");
    world.end().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_had() {
    let world = World::begin().await;
    let image = "localhost:1/no/such:image";
    let task = world.run(json!([{"image": image}]));
    let report = world.wait(&task, "STOPPED").await;
    assert_failed(&report["containers"][0], "CannotPullContainerError: ");
    assert!(report["pullStartedAt"].is_number() && report["pullStoppedAt"].is_number());
    world.end().await;
}

#[tokio::test]
async fn an_image_name_that_makes_no_sense() {
    let world = World::begin().await;
    for image in ["", "UPPER/case", "a b", ":", "@", "a@sha256:0"] {
        let container = world.run_to_the_end(json!({"image": image})).await;
        assert_failed(&container, "Cannot");
    }
    world.end().await;
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let world = World::begin().await;
    let port = free_port();
    let _taken = std::net::TcpListener::bind(("0.0.0.0", port)).unwrap();
    let mapping = json!({"portMappings": [{"containerPort": 80, "hostPort": port}]});
    let container = world.run_to_the_end(mapping).await;
    assert_failed(&container, "CannotStartContainerError: API error (500): driver failed");
    world.end().await;
}

#[tokio::test]
async fn more_memory_than_the_limit() {
    let world = World::begin().await;
    let mut reasons = Vec::new();
    // On a busy machine Docker 20.10 itself does not hear of one in twelve such ends.
    while reasons.len() < 5 && reasons.last().is_none_or(serde_json::Value::is_null) {
        let hog = json!({"command": ["hog"], "memory": 16});
        let container = world.run_to_the_end(hog).await;
        assert_eq!(container["exitCode"], 137);
        reasons.push(container["reason"].clone());
    }
    let reason = reasons.pop().unwrap();
    assert_eq!(reason, "OutOfMemoryError: Container killed due to memory usage");
    world.end().await;
}

#[tokio::test]
async fn a_memory_limit_below_what_docker_takes_is_raised() {
    let world = World::begin().await;
    let container = world.run_to_the_end(json!({"command": ["exit", "0"], "memory": 1})).await;
    assert_eq!(container["exitCode"], 0, "{container:#}");
    world.end().await;
}

#[tokio::test]
async fn configuration_that_makes_no_sense() {
    let world = World::begin().await;
    let host_config = json!({"dockerConfig": {"hostConfig": "{"}});
    assert_failed(&world.run_to_the_end(host_config).await, "HostConfigError: ");
    let config = json!({"dockerConfig": {"config": "{\"User\":5}"}});
    assert_failed(&world.run_to_the_end(config).await, "DockerClientConfigError: ");
    let mount = json!({"mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]});
    assert_failed(&world.run_to_the_end(mount).await, "HostConfigError: Unknown volume");
    let refused = json!({"dockerConfig": {"hostConfig": "{\"NetworkMode\":\"no-such-network\"}"}});
    assert_failed(&world.run_to_the_end(refused).await, "Cannot");
    world.end().await;
}

#[tokio::test]
async fn a_failed_container_takes_the_task_with_it_and_what_ran_is_stopped() {
    let world = World::begin().await;
    let task = world.run(json!([
        {"name": "good", "command": ["wait"]},
        {"name": "bad", "entryPoint": ["/nope"]},
    ]));
    world.wait(&task, "STOPPED").await;
    assert!(
        world
            .containers(&task)
            .await
            .iter()
            .all(|it| { it.state.as_ref().and_then(|it| it.running) == Some(false) })
    );
    world.end().await;
}

#[tokio::test]
async fn a_present_image_needs_no_registry_whatever_the_pull_behavior_but_always() {
    let mut world = World::begin_without_agent().await;
    world.config.image_pull_behavior = ImagePullBehavior::Default;
    world.start_agent().await;
    // Of another registry's name, where nobody listens: the pull fails at once.
    let image = "localhost:1/present:latest";
    let tag = bollard::query_parameters::TagImageOptions {
        repo: Some("localhost:1/present".to_owned()),
        tag: Some("latest".to_owned()),
    };
    world.docker.tag_image(IMAGE, Some(tag)).await.unwrap();
    let _name = ImageName(image.to_owned());
    let container = json!({"image": image, "command": ["exit", "0"]});
    let ended = world.run_to_the_end(container.clone()).await;
    assert_eq!((ended["exitCode"].as_i64(), &ended["reason"]), (Some(0), &json!(null)));

    world.stop_agent().await;
    world.config.image_pull_behavior = ImagePullBehavior::Always;
    world.start_agent().await;
    let failed = world.run_to_the_end(container).await;
    assert_failed(&failed, "CannotPullContainerError: ");
    world.end().await;
}

#[tokio::test]
async fn tasks_that_make_no_sense_are_reported_and_not_acknowledged() {
    let world = World::begin().await;
    for (id, members) in [
        ("overrides", json!({"containers": [{"overrides": "{\"bogus\":1}"}]})),
        (
            "protocol",
            json!({"containers": [{"portMappings": [{"containerPort": 1, "protocol": "x"}]}]}),
        ),
        ("status", json!({"containers": [{}], "desiredStatus": "DANCING"})),
        ("empty", json!({"containers": []})),
        ("type", json!({"containers": [{"cpu": "much"}]})),
    ] {
        let task = world.run_with(members);
        let report = world.wait(&task, "STOPPED").await;
        let reason = report["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("UnrecogniedTaskError: Error loading task - "),
            "{id}: {reason}"
        );
        assert!(world.control_plane.frame("AckRequest", &task).is_none(), "{id}");
    }
    // And the agent lives on.
    let good = world.run_to_the_end(json!({"command": ["exit", "0"]})).await;
    assert_eq!(good["exitCode"], 0);
    world.end().await;
}

#[tokio::test]
async fn links_that_go_round_in_circles() {
    let world = World::begin().await;
    let task = world.run(json!([{"name": "a", "links": ["b"]}, {"name": "b", "links": ["a"]}]));
    let report = world.wait(&task, "STOPPED").await;
    assert!(report["reason"].as_str().unwrap().starts_with("TaskDependencyError: "));
    world.end().await;
}
