//! Images from a registry: with a login, only once, and by which digest.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use longshore_agent::{ImageCleanup, ImagePullBehavior};
use serde_json::{Value, json};

use crate::lifecycle::until;
use crate::support::{ControlPlane, FlakyProxy, IMAGE, PASSWORD, Registry, USERNAME, World};

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

#[tokio::test]
async fn many_tasks_of_one_image_make_one_pull_and_a_wrong_login_is_nobody_elses() {
    let mut world = World::begin_without_agent().await;
    world.config.image_pull_behavior = ImagePullBehavior::Always;
    world.start_agent().await;
    let mut registry = Registry::start(&world).await;
    let proxy = FlakyProxy::before(&registry.host).await;
    registry.host = proxy.host();
    let (once, _) = registry.push(&world.docker, "once").await;
    let (ten, _) = registry.push(&world.docker, "ten").await;
    let container = |image: &str, password: &str| json!([{"image": image, "command": ["wait"], "registryAuthentication": login(password)}]);
    let one = world.run(container(&once, PASSWORD));
    world.wait(&one, "RUNNING").await;
    let for_one = registry.pulls("once");
    assert!(for_one > 0, "the registry's log is as it was");

    proxy.stand_still(true);
    let tasks: Vec<_> = (0..10).map(|_| world.run(container(&ten, PASSWORD))).collect();
    let wrong = world.run(container(&ten, "wrong"));
    for task in tasks.iter().chain([&wrong]) {
        let taken = |it: &ControlPlane| it.frame("AckRequest", task);
        world.control_plane.wait("it is taken in", taken).await;
    }
    proxy.stand_still(false);
    for task in &tasks {
        let report = world.wait(task, "RUNNING").await;
        assert!(report["pullStartedAt"].is_number());
    }
    let failed = world.wait(&wrong, "STOPPED").await;
    let reason = failed["containers"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("CannotPullContainerError: "), "{reason}");
    assert_eq!(registry.pulls("ten"), for_one);
    for image in [once, ten] {
        registry.forget(&world.docker, &image).await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_login_of_the_agents_own_is_for_tasks_that_bring_none() {
    let mut world = World::begin_without_agent().await;
    let registry = Registry::start(&world).await;
    let (image, _) = registry.push(&world.docker, "own").await;
    let file = world.dir.path().join("logins.json");
    let logins = json!({registry.host.clone(): {"username": USERNAME, "password": PASSWORD}});
    std::fs::write(&file, logins.to_string()).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    world.config.registry_auth_file = Some(file);
    world.start_agent().await;

    let wrong = json!({"image": image, "registryAuthentication": login("wrong")});
    let failed = world.run_to_the_end(wrong).await;
    assert!(failed["reason"].as_str().unwrap().starts_with("CannotPullContainerError: "));
    let task = world.run(json!([{"image": image, "command": ["wait"]}]));
    world.wait(&task, "RUNNING").await;
    for entry in std::fs::read_dir(world.config.data_dir.join("tasks")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(PASSWORD), "it is in no other file");
    }
    registry.forget(&world.docker, &image).await;
    world.end().await;
}

#[tokio::test]
async fn a_pull_is_tried_again_where_the_network_fails() {
    let world = World::begin().await;
    let mut registry = Registry::start(&world).await;
    let proxy = FlakyProxy::before(&registry.host).await;
    registry.host = proxy.host();
    let (image, _) = registry.push(&world.docker, "flaky").await;
    // More than Docker itself tries.
    proxy.fail_the_next(3);
    let container = json!({"image": image, "command": ["exit", "0"],
                           "registryAuthentication": login(PASSWORD)});
    let ended = world.run_to_the_end(container).await;
    assert_eq!(ended["exitCode"], 0, "{ended:#}");
    assert_eq!(proxy.left_to_fail(), 0);
    crate::support::remove_containers_of(&world.docker, &world.arn).await;
    registry.forget(&world.docker, &image).await;
    world.end().await;
}

#[tokio::test]
async fn an_image_comes_by_tls_from_a_registry_that_docker_trusts_and_from_no_other() {
    let world = World::begin().await;
    let mut registry = Registry::start_with_tls(&world).await;
    let container = |image: &str| json!({"image": image, "command": ["exit", "0"], "registryAuthentication": login(PASSWORD)});
    let untrusted = format!("{}/tls:1", registry.host);
    let failed = world.run_to_the_end(container(&untrusted)).await;
    let reason = failed["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("CannotPullContainerError: ") && reason.contains("x509"),
        "{reason}"
    );

    registry.vouch(&world);
    let (image, digest) = registry.push(&world.docker, "tls").await;
    let ended = world.run_to_the_end(container(&image)).await;
    assert_eq!((&ended["exitCode"], &ended["imageDigest"]), (&json!(0), &json!(digest)));
    crate::support::remove_containers_of(&world.docker, &world.arn).await;
    registry.forget(&world.docker, &image).await;
    world.end().await;
}

#[tokio::test]
async fn images_that_the_agent_pulled_go_when_nobody_uses_them_and_others_stay() {
    let mut world = World::begin_without_agent().await;
    world.config.image_pull_behavior = ImagePullBehavior::Always;
    world.config.task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    let registry = Registry::start(&world).await;
    let docker = world.docker.clone();
    let unused = registry.push_new(&docker, "unused").await;
    let running = registry.push_new(&docker, "running").await;
    let theirs = registry.push_new(&docker, "theirs").await;
    registry.pull(&docker, &theirs).await;
    let container = |image: &str, command: &[&str]| json!([{"image": image, "command": command, "registryAuthentication": login(PASSWORD)}]);
    let runs = world.run(container(&running, &["wait"]));
    world.wait(&runs, "RUNNING").await;
    for image in [&unused, &theirs] {
        let task = world.run(container(image, &["exit", "0"]));
        world.wait(&task, "STOPPED").await;
        until(|| async { world.containers(&task).await.is_empty() }).await;
    }
    let is_here = async |image: &str| docker.inspect_image(image).await.is_ok();
    assert!(is_here(&unused).await, "images are left alone");

    // What it pulled, it knows in its next life.
    world.stop_agent().await;
    world.config.image_cleanup = Some(ImageCleanup {
        interval: Duration::from_millis(200),
        minimum_age: Duration::from_millis(1),
        most_per_cycle: 5,
    });
    world.start_agent().await;
    until(|| async { !is_here(&unused).await }).await;
    assert!(is_here(&running).await, "it has a container");
    assert!(is_here(&theirs).await, "it was there before the agent pulled it");

    world.stop(&runs);
    until(|| async { !is_here(&running).await }).await;
    assert!(is_here(&theirs).await && is_here(IMAGE).await);
    registry.forget(&docker, &theirs).await;
    world.end().await;
}
