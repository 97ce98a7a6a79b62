//! Images from a registry: with a login, only once, and by which digest.

use longshore_agent::ImagePullBehavior;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Registry, USERNAME, World};

fn login(password: &str) -> Value {
    json!({"type": "basic", "basicAuthData": {"username": USERNAME, "password": password}})
}

#[tokio::test]
async fn an_image_that_needs_a_login_is_pulled_with_it_and_its_digest_is_told() {
    let world = World::begin().await;
    let registry = Registry::start(&world).await;
    let (image, digest) = registry.push(&world.docker, "private").await;
    let container = |login: Value| json!({"image": image, "command": ["wait"], "registryAuthentication": login});

    for login in [Value::Null, login("wrong")] {
        let failed = world.run_to_the_end(container(login)).await;
        let reason = failed["reason"].as_str().unwrap();
        assert!(reason.starts_with("CannotPullContainerError: ") && !reason.contains("wrong"));
    }
    let task = world.run(json!([container(login(PASSWORD))]));
    let report = world.wait(&task, "RUNNING").await;
    assert_eq!(report["containers"][0]["imageDigest"], json!(digest));
    assert!(report["pullStartedAt"].is_number() && report["pullStoppedAt"].is_number());
    registry.forget(&world.docker, &image).await;
    world.end().await;
}

#[tokio::test]
async fn an_image_that_came_from_no_registry_has_no_digest() {
    let world = World::begin().await;
    let task = world.run(json!([{"command": ["wait"]}]));
    let report = world.wait(&task, "RUNNING").await;
    assert!(report["containers"][0]["imageDigest"].is_null());
    assert!(report["pullStartedAt"].is_null(), "nothing was pulled");
    world.end().await;
}

#[tokio::test]
async fn an_image_is_pulled_once_and_again_only_when_it_is_gone() {
    let mut world = World::begin_without_agent().await;
    world.config.image_pull_behavior = ImagePullBehavior::Once;
    world.start_agent().await;
    let registry = Registry::start(&world).await;
    let (image, _) = registry.push(&world.docker, "once").await;
    let container = json!([{"image": image, "command": ["exit", "0"],
                            "registryAuthentication": login(PASSWORD)}]);
    let is_pulled = async |world: &World| {
        let task = world.run(container.clone());
        let report = world.wait(&task, "STOPPED").await;
        assert_eq!(report["containers"][0]["exitCode"], 0, "{report:#}");
        report["pullStartedAt"].is_number()
    };
    assert!(is_pulled(&world).await, "the first time");
    assert!(!is_pulled(&world).await, "the second time");
    world.stop_agent().await;
    world.start_agent().await;
    assert!(!is_pulled(&world).await, "the agent remembers");
    crate::support::remove_containers_of(&world.docker, &world.arn).await;
    registry.forget(&world.docker, &image).await;
    assert!(is_pulled(&world).await, "it is gone");
    crate::support::remove_containers_of(&world.docker, &world.arn).await;
    registry.forget(&world.docker, &image).await;
    world.end().await;
}
