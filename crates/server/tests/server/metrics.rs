//! `GET /metrics`: what is on the page, and who may read it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ::http::{Method, Request};
use bytes::Bytes;
use expect_test::expect;
use http_body_util::Full;
use longshore_server::{MetricsTokenFile, MetricsTokenFileError};
use longshore_wire::Operation::{DescribeClusters, DescribeTasks, RunTask};
use serde_json::json;

use crate::harness::{Answer, Machine, World};
use crate::tcs::scene::Scene;

const TOKEN: &str = "c0ffee00c0ffee00c0ffee00";

fn get(path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let request = Request::builder().uri(path).header("host", "longshore.test");
    let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
    request.body(Full::default()).unwrap()
}

/// The lines of the metrics with one of these prefixes.
fn lines(answer: &Answer, prefixes: &[&str]) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let wanted = |it: &&str| prefixes.iter().any(|prefix| it.starts_with(prefix));
    let lines: Vec<&str> = answer.text.lines().filter(wanted).collect();
    lines.join("\n")
}

#[tokio::test]
async fn clusters_and_instances_are_shown_with_what_is_registered_reserved_and_used() {
    let mut scene = Scene::new().await;
    let message = scene.message("metrics-2020");
    let mut message = message;
    let container = &mut message["message"]["taskMetrics"][0]["containerMetrics"][0];
    container["cpuStatsSet"] = json!({"min": 25, "max": 25, "sum": 50, "sampleCount": 2});
    container["memoryStatsSet"] = json!({"min": 16, "max": 16, "sum": 32, "sampleCount": 2});
    scene.say(&message.to_string()).await;
    let world = &scene.fleet.world;
    world
        .ask(
            RunTask,
            json!({"taskDefinition": "demo", "count": 1, "placementConstraints":
        [{"type": "memberOf", "expression": "attribute:zone == moon"}]}),
        )
        .await;
    let answer = world.send(get("/metrics", &[])).await;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    expect![[r#"
        longshore_container_instances{cluster="default",status="ACTIVE"} 2
        longshore_container_instances{cluster="default",status="DRAINING"} 0
        longshore_agents_connected{cluster="default"} 2
        longshore_tasks{cluster="default",status="PENDING"} 0
        longshore_tasks{cluster="default",status="RUNNING"} 2
        longshore_tasks{cluster="default",status="STOPPED"} 0
        longshore_placement_failures_total{cluster="default"} 1
        longshore_cluster_registered_cpu_units{cluster="default"} 4096
        longshore_cluster_reserved_cpu_units{cluster="default"} 0
        longshore_cluster_used_cpu_units{cluster="default"} 512
        longshore_cluster_registered_memory_bytes{cluster="default"} 8589934592
        longshore_cluster_reserved_memory_bytes{cluster="default"} 134217728
        longshore_cluster_used_memory_bytes{cluster="default"} 16777216"#]]
    .assert_eq(&lines(
        &answer,
        &[
            "longshore_container_instances",
            "longshore_agents",
            "longshore_tasks",
            "longshore_placement",
            "longshore_cluster",
        ],
    ));
    let [a, b] = ['a', 'b'].map(|it| scene.fleet.arn(it).rsplit('/').next().unwrap().to_owned());
    let of_instances = lines(&answer, &["longshore_container_instance_"]);
    expect![[r#"
        longshore_container_instance_registered_cpu_units{cluster="default",container_instance="a"} 2048
        longshore_container_instance_registered_cpu_units{cluster="default",container_instance="b"} 2048
        longshore_container_instance_reserved_cpu_units{cluster="default",container_instance="a"} 0
        longshore_container_instance_reserved_cpu_units{cluster="default",container_instance="b"} 0
        longshore_container_instance_used_cpu_units{cluster="default",container_instance="a"} 512
        longshore_container_instance_registered_memory_bytes{cluster="default",container_instance="a"} 4294967296
        longshore_container_instance_registered_memory_bytes{cluster="default",container_instance="b"} 4294967296
        longshore_container_instance_reserved_memory_bytes{cluster="default",container_instance="a"} 67108864
        longshore_container_instance_reserved_memory_bytes{cluster="default",container_instance="b"} 67108864
        longshore_container_instance_used_memory_bytes{cluster="default",container_instance="a"} 16777216
        longshore_container_instance_agent_connected{cluster="default",container_instance="a"} 1
        longshore_container_instance_agent_connected{cluster="default",container_instance="b"} 1
        longshore_container_instance_tasks{cluster="default",container_instance="a",status="PENDING"} 0
        longshore_container_instance_tasks{cluster="default",container_instance="a",status="RUNNING"} 1
        longshore_container_instance_tasks{cluster="default",container_instance="b",status="PENDING"} 0
        longshore_container_instance_tasks{cluster="default",container_instance="b",status="RUNNING"} 1"#]]
    .assert_eq(&of_instances.replace(&a, "a").replace(&b, "b"));
    assert_eq!(lines(&answer, &["longshore_task_container"]), "");

    let answer = world.send(get("/metrics?tasks=true", &[])).await;
    let task = scene.tasks[0].rsplit('/').next().unwrap();
    expect![[r#"
        longshore_task_container_used_cpu_units{cluster="default",family="demo",task="T",container="web"} 512
        longshore_task_container_used_memory_bytes{cluster="default",family="demo",task="T",container="web"} 16777216
        longshore_task_container_network_received_bytes_total{cluster="default",family="demo",task="T",container="web"} 806
        longshore_task_container_network_sent_bytes_total{cluster="default",family="demo",task="T",container="web"} 42
        longshore_task_container_storage_read_bytes_total{cluster="default",family="demo",task="T",container="web"} 4096
        longshore_task_container_storage_written_bytes_total{cluster="default",family="demo",task="T",container="web"} 0"#]]
    .assert_eq(&lines(&answer, &["longshore_task_container"]).replace(task, "T"));
}

#[tokio::test]
async fn calls_are_counted_by_operation_and_outcome() {
    let world = World::start().await;
    world.ask(DescribeClusters, json!({})).await;
    world.ask(DescribeClusters, json!({})).await;
    world.call(DescribeTasks, json!({"cluster": "none", "tasks": ["t"]})).await;
    world.call_own("list-join-tokens", json!({})).await;
    world.send(get("/nowhere", &[("x-amz-target", "Nonsense.\\\"")])).await;
    let commits = world.control.store().commits();
    let answer = world.send(get("/metrics", &[])).await;
    expect![[r#"
        longshore_api_calls_total{operation="DescribeClusters",outcome="success"} 2
        longshore_api_calls_total{operation="DescribeTasks",outcome="ClusterNotFoundException"} 1
        longshore_api_calls_total{operation="list-join-tokens",outcome="success"} 1
        longshore_api_calls_total{operation="unknown",outcome="MissingAuthenticationTokenException"} 1
        longshore_api_call_duration_seconds_count{operation="DescribeClusters"} 2
        longshore_api_call_duration_seconds_count{operation="DescribeTasks"} 1
        longshore_api_call_duration_seconds_count{operation="list-join-tokens"} 1
        longshore_api_call_duration_seconds_count{operation="unknown"} 1"#]]
    .assert_eq(&lines(
        &answer,
        &["longshore_api_calls_total", "longshore_api_call_duration_seconds_count"],
    ));
    let expect = format!("longshore_store_commits_total {commits}");
    assert_eq!(lines(&answer, &["longshore_store_commits_total"]), expect);
}

#[tokio::test]
async fn this_machine_reads_them_and_nobody_behind_a_proxy() {
    let world = World::start().await;
    assert_eq!(world.send(get("/metrics", &[])).await.status, 200);
    for header in ["x-forwarded-for", "x-forwarded-proto", "Forwarded", "Via", "x-real-ip"] {
        let answer = world.send(get("/metrics", &[(header, "https")])).await;
        assert_eq!(answer.status, 403, "{header}");
        assert!(answer.text.contains("--metrics-token-file"), "{}", answer.text);
    }
    let mut post = get("/metrics", &[]);
    *post.method_mut() = Method::POST;
    let answer = world.send(post).await;
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "GET"));
}

fn token_file(dir: &Path, content: &str) -> std::path::PathBuf {
    let file = dir.join("token");
    fs::write(&file, content).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    file
}

#[tokio::test]
async fn others_read_them_with_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let file = token_file(dir.path(), &format!("{TOKEN}\n"));
    let world = World::with_metrics_token(&file).await;
    let ask = async |authorization: &str| {
        let headers = [("via", "1.1 proxy"), ("authorization", authorization)];
        world.send(get("/metrics", &headers)).await
    };
    assert_eq!(ask(&format!("Bearer {TOKEN}")).await.status, 200);
    assert_eq!(ask(&format!("bearer {TOKEN}")).await.status, 200);
    for wrong in ["", "Bearer", "Bearer ", TOKEN, "Basic abc", "Bearer c0ffee00c0ffee00c0ffee01"] {
        let answer = ask(wrong).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        assert!(!answer.text.contains(TOKEN));
    }
    token_file(dir.path(), "another-token-of-24-chars");
    assert_eq!(ask(&format!("Bearer {TOKEN}")).await.status, 401, "it was replaced");
    assert_eq!(ask("Bearer another-token-of-24-chars").await.status, 200);
    fs::remove_file(&file).unwrap();
    assert_eq!(ask("Bearer another-token-of-24-chars").await.status, 503);
    assert_eq!(world.send(get("/metrics", &[])).await.status, 200, "from here");
}

#[test]
fn a_token_file_must_be_private_and_hold_a_token() {
    let dir = tempfile::tempdir().unwrap();
    for content in [
        "",
        "short",
        "has a space in its midst",
        "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
    ] {
        let refused = MetricsTokenFile::open(&token_file(dir.path(), content));
        assert!(matches!(refused, Err(MetricsTokenFileError::NoToken { .. })), "{content}");
    }
    let file = token_file(dir.path(), TOKEN);
    assert!(MetricsTokenFile::open(&file).is_ok());
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    let refused = MetricsTokenFile::open(&file);
    assert!(matches!(refused, Err(MetricsTokenFileError::NotPrivate { .. })));
    let refused = MetricsTokenFile::open(&dir.path().join("none"));
    assert!(matches!(refused, Err(MetricsTokenFileError::Io { .. })));
}

/// A page of nothing is a page, and an instance that goes away leaves none of its series.
#[tokio::test]
async fn series_end_with_what_they_are_about() {
    let world = World::start().await;
    let arn = world.register(&Machine::default()).await;
    let series = ["longshore_container_instance_"];
    assert_ne!(lines(&world.send(get("/metrics", &[])).await, &series), "");
    world.deregister(&arn).await;
    assert_eq!(lines(&world.send(get("/metrics", &[])).await, &series), "");
}
