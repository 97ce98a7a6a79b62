//! From assignment to RUNNING to STOPPED, when all goes well.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::World;

#[tokio::test]
async fn a_task_runs_until_it_ends_and_its_exit_code_is_reported() {
    let world = World::begin().await;
    let task = world.run(json!([{"command": ["exit", "7", "1"]}]));
    world.wait(&task, "STOPPED").await;
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING", "STOPPED web=STOPPED(7)"]);
    assert!(world.control_plane.frame("AckRequest", &task).is_some());
    world.end().await;
}

#[tokio::test]
async fn a_container_bears_the_names_by_which_tools_find_it() {
    let world = World::begin().await;
    let task = world.run(json!([{"name": "my_web"}]));
    let report = world.wait(&task, "RUNNING").await;
    let container = world.container(&task).await;
    assert_eq!(report["containers"][0]["runtimeId"], json!(container.id));
    assert_eq!(report["reason"], "");
    let name = container.name.unwrap();
    let random = name.strip_prefix("/ecs-test-1-myweb-").expect(&name);
    assert!(random.len() == 20 && random.chars().all(|c| c.is_ascii_hexdigit()), "{name}");
    let labels = json!(container.config.unwrap().labels.unwrap());
    assert_eq!(
        labels,
        json!({
            "com.amazonaws.ecs.cluster": "default",
            "com.amazonaws.ecs.container-name": "my_web",
            "com.amazonaws.ecs.task-arn": task,
            "com.amazonaws.ecs.task-definition-family": "test",
            "com.amazonaws.ecs.task-definition-version": "1",
            "io.longshore.container-instance": world.arn,
        })
    );
    world.end().await;
}

#[tokio::test]
async fn a_stop_lets_the_container_end_by_itself() {
    let world = World::begin().await;
    let task = world.run(json!([{"command": ["wait"]}]));
    world.wait(&task, "RUNNING").await;
    world.stop(&task);
    world.wait(&task, "STOPPED").await;
    assert_eq!(world.history(&task), ["RUNNING web=RUNNING", "STOPPED web=STOPPED(143)"]);
    world.end().await;
}

#[tokio::test]
async fn a_container_deaf_to_sigterm_is_killed_and_holds_up_no_other_task() {
    let world = World::begin().await;
    let deaf = world.run(json!([{"command": ["deaf"]}]));
    world.wait(&deaf, "RUNNING").await;
    let stopped_at = Instant::now();
    world.stop(&deaf);
    let other = world.run(json!([{"command": ["exit", "0"]}]));
    world.wait(&other, "STOPPED").await;
    assert_eq!(world.history(&deaf).len(), 1, "the other task overtook it");
    world.wait(&deaf, "STOPPED").await;
    assert!(stopped_at.elapsed() >= Duration::from_secs(2));
    assert_eq!(world.history(&deaf)[1], "STOPPED web=STOPPED(137)");
    world.end().await;
}

#[tokio::test]
async fn a_stop_for_a_task_never_heard_of_is_reported_at_once() {
    let world = World::begin().await;
    let task = format!("{}/task/never", world.arn);
    world.stop(&task);
    let report = world.wait(&task, "STOPPED").await;
    assert_eq!(report["containers"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn an_essential_container_takes_the_others_with_it() {
    let world = World::begin().await;
    let task = world.run(json!([
        {"name": "web", "command": ["exit", "3", "1"]},
        {"name": "log", "command": ["wait"], "essential": false},
        {"name": "once", "command": ["exit", "0"], "essential": false},
    ]));
    let report = world.wait(&task, "STOPPED").await;
    assert!(report["executionStoppedAt"].is_number());
    let history = world.history(&task).join("\n");
    for expected in ["web=STOPPED(3)", "log=STOPPED(143)", "once=STOPPED(0)", "RUNNING"] {
        assert!(history.contains(expected), "{expected} in {history}");
    }
    world.end().await;
}

#[tokio::test]
async fn ports_are_reported_as_docker_bound_them() {
    let world = World::begin().await;
    let fixed = free_port();
    let task = world.run(json!([{"portMappings": [
        {"containerPort": 80, "hostPort": 0, "protocol": "tcp"},
        {"containerPort": 81, "hostPort": fixed},
        {"containerPort": 53, "hostPort": 0, "protocol": "udp"},
    ]}]));
    let report = world.wait(&task, "RUNNING").await;
    let bindings = report["containers"][0]["networkBindings"].as_array().unwrap().clone();
    let seen: Vec<_> = bindings
        .iter()
        .map(|it| (it["containerPort"].as_u64().unwrap(), it["protocol"].as_str().unwrap()))
        .collect();
    assert_eq!(seen, [(53, "udp"), (80, "tcp"), (81, "tcp")]);
    assert_eq!(bindings[2]["hostPort"], fixed);
    for binding in &bindings {
        assert_eq!(binding["bindIP"], "0.0.0.0");
        assert!(binding["hostPort"].as_u64().unwrap() > 0);
    }
    world.end().await;
}

#[tokio::test]
async fn on_the_hosts_network_no_bindings_are_reported() {
    let world = World::begin().await;
    let task = world.run(json!([{
        "portMappings": [{"containerPort": 80, "hostPort": 80}],
        "dockerConfig": {"hostConfig": "{\"NetworkMode\":\"host\"}"},
    }]));
    let report = world.wait(&task, "RUNNING").await;
    assert_eq!(report["containers"][0]["networkBindings"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn what_a_stopped_task_leaves_is_removed_after_a_while() {
    let mut world = World::begin_without_agent().await;
    world.config.task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    let task = world.run_with(json!({
        "volumes": [{"name": "scratch", "host": {}}],
        "containers": [{
            "command": ["exit", "0"],
            "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch"}],
        }],
    }));
    world.wait(&task, "STOPPED").await;
    let volume = world.container(&task).await.mounts.unwrap().remove(0).name.unwrap();
    assert!(volume.starts_with("ecs-test-1-scratch-"), "{volume}");
    until(|| async { world.containers(&task).await.is_empty() }).await;
    until(|| async { world.docker.inspect_volume(&volume).await.is_err() }).await;
    let tasks = world.config.data_dir.join("tasks");
    until(|| async { std::fs::read_dir(&tasks).unwrap().next().is_none() }).await;
    world.end().await;
}

#[tokio::test]
async fn a_heartbeat_is_answered_and_a_manifest_finds_what_the_control_plane_forgot() {
    let world = World::begin().await;
    let kept = world.run(json!([{}]));
    let forgotten = world.run(json!([{"command": ["wait"]}]));
    world.wait(&kept, "RUNNING").await;
    world.wait(&forgotten, "RUNNING").await;

    let plane = &world.control_plane;
    plane.send("HeartbeatMessage", json!({"healthy": true, "messageId": "hb"}));
    plane.wait("the heartbeat's answer", |it| it.frame("HeartbeatAckRequest", "hb")).await;

    plane.send(
        "TaskManifestMessage",
        json!({"messageId": "tm", "clusterArn": "c", "containerInstanceArn": world.arn,
               "generatedAt": 0, "timeline": 5,
               "tasks": [{"taskArn": kept, "desiredStatus": "RUNNING"},
                         {"taskArn": "lost", "desiredStatus": "RUNNING"}]}),
    );
    let question: Value =
        plane.wait("the question", |it| it.frame("TaskStopVerificationMessage", "tm")).await;
    let candidates = question["message"]["stopCandidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 1);
    assert_eq!(candidates[0]["taskArn"], json!(forgotten));
    let request: Value = plane.wait("the request", |it| it.frame("TaskResendRequest", "tm")).await;
    assert_eq!(request["message"]["taskArns"], json!(["lost"]));

    plane.send(
        "TaskStopVerificationAck",
        json!({"messageId": "tm", "stopTasks": [{"taskArn": forgotten}]}),
    );
    world.wait(&forgotten, "STOPPED").await;
    assert_eq!(world.history(&kept).len(), 1);
    world.end().await;
}

#[tokio::test]
async fn messages_that_make_no_sense_are_passed_over() {
    let world = World::begin().await;
    let plane = &world.control_plane;
    let other = "arn:aws:ecs:test:1:container-instance/default/another";
    let task = json!([{"arn": "T", "desiredStatus": "RUNNING", "containers": []}]);
    let stale = json!({"messageId": "stale", "timeline": 0, "tasks": []});
    for (kind, message) in [
        ("Unheard", json!({})),
        ("PayloadMessage", json!([])),
        ("PayloadMessage", json!({"messageId": "", "tasks": task})),
        (
            "PayloadMessage",
            json!({"messageId": "other", "containerInstanceArn": other, "tasks": task}),
        ),
        (
            "PayloadMessage",
            json!({"messageId": "odd", "containerInstanceArn": other, "tasks": [7]}),
        ),
        (
            "TaskManifestMessage",
            json!({"messageId": "other", "containerInstanceArn": other, "timeline": 9}),
        ),
        ("TaskManifestMessage", stale),
        (
            "TaskStopVerificationAck",
            json!({"messageId": "x", "stopTasks": [{"taskArn": "unheard"}]}),
        ),
        ("CloseMessage", json!({"message": "ConnectionExpired: Reconnect to continue"})),
        ("ErrorMessage", json!({"message": "m"})),
        ("BadRequestException", json!({"message": "m"})),
        ("InvalidInstanceException", json!({"message": "m"})),
    ] {
        plane.send(kind, message);
    }
    plane.send("PerformUpdateMessage", json!({"messageId": "update"}));
    let nack: Value = plane.wait("the refusal", |it| it.frame("NackRequest", "update")).await;
    assert_eq!(nack["message"]["reason"], "Updates are disabled");
    for message_id in ["", "other", "odd", "stale"] {
        assert_eq!(plane.frame("AckRequest", message_id), None, "{message_id}");
    }
    assert_eq!(plane.connections(), 1, "the connection lasts");
    let task = world.run(json!([{}]));
    world.wait(&task, "RUNNING").await;
    world.end().await;
}

/// A message that is late or comes again.
#[tokio::test]
async fn a_task_that_is_over_does_not_begin_again() {
    let mut world = World::begin_without_agent().await;
    world.config.task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    let task = world.run(json!([{"command": ["exit", "0"]}]));
    world.wait(&task, "STOPPED").await;
    let tasks = world.config.data_dir.join("tasks");
    until(|| async { std::fs::read_dir(&tasks).unwrap().next().is_none() }).await;
    let reports = world.history(&task).len();
    let again = json!([{"arn": task, "desiredStatus": "RUNNING", "family": "test", "version": "1",
        "containers": [{"name": "web", "image": "longshore-guest", "essential": true}]}]);
    world.control_plane.send_tasks("again", again);
    world.control_plane.wait("the acknowledgement", |it| it.frame("AckRequest", "again")).await;
    let other = world.run(json!([{"command": ["exit", "0"]}]));
    world.wait(&other, "STOPPED").await;
    assert_eq!(world.history(&task).len(), reports);
    world.end().await;
}

#[tokio::test]
async fn of_too_many_stopped_tasks_the_oldest_lose_their_containers_early() {
    let mut world = World::begin_without_agent().await;
    world.config.stopped_tasks_kept = 2;
    world.config.least_task_cleanup_wait = Duration::from_secs(1);
    world.start_agent().await;
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let task = world.run(json!([{"command": ["exit", "0"]}]));
        world.wait(&task, "STOPPED").await;
        tasks.push(task);
    }
    // What is kept is in order again after a restart.
    world.stop_agent().await;
    world.start_agent().await;
    assert_eq!(world.containers(&tasks[0]).await.len(), 1);
    let third = world.run(json!([{"command": ["exit", "0"]}]));
    world.wait(&third, "STOPPED").await;
    until(|| async { world.containers(&tasks[0]).await.is_empty() }).await;
    assert_eq!(world.containers(&tasks[1]).await.len(), 1);
    assert_eq!(world.containers(&third).await.len(), 1);
    world.end().await;
}

/// Waits for a condition of Docker's that nobody announces.
pub(crate) async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let search = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), search).await.expect("the condition comes true");
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port()
}
