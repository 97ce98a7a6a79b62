//! What the agent tells of what its tasks use.

use serde_json::{Value, json};

use crate::support::{Telemetry, World};

#[tokio::test]
async fn what_runs_is_told_with_what_it_uses_and_how_it_fares() {
    let mut world = World::begin_without_agent().await;
    let telemetry = Telemetry::start().await;
    world.control_plane.set_telemetry_endpoint(telemetry.endpoint());
    world.config.metrics_disabled = false;
    world.start_agent().await;
    let who = |message: &Value| {
        let metadata = &message["metadata"];
        assert_eq!(
            (&metadata["cluster"], &metadata["containerInstance"]),
            (&json!("default"), &json!(world.arn))
        );
    };

    let idle = telemetry.wait("PublishMetricsRequest", |_| true).await;
    who(&idle);
    assert_eq!(idle["metadata"]["idle"], true);
    assert_eq!(idle["metadata"]["fin"], true);
    assert_eq!(idle.get("taskMetrics"), None);

    let status = telemetry.wait("PublishInstanceStatusRequest", |_| true).await;
    who(&status);
    assert_eq!(status["statuses"][0]["type"], "ContainerRuntime");
    assert_eq!(status["statuses"][0]["status"], "OK");

    let config = json!({"Healthcheck": {"Test": ["CMD", "/guest", "exit", "0"],
        "Interval": 1_000_000_000u64, "Timeout": 5_000_000_000u64}});
    let task = world.run(json!([
        {"name": "web", "command": ["wait"], "memory": 64, "healthCheckType": "docker",
         "dockerConfig": {"config": config.to_string(), "hostConfig": "{}"}},
        {"name": "busy", "command": ["busy"]},
    ]));
    let of_task = |message: &Value| {
        let tasks = message["taskMetrics"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_whole = |it: &Value| it["containerMetrics"].as_array().unwrap().len() == 2;
        tasks.iter().find(|it| it["taskArn"] == task && is_whole(it)).cloned()
    };
    let metrics = telemetry.wait("PublishMetricsRequest", |it| of_task(it).is_some()).await;
    who(&metrics);
    assert_eq!(metrics["metadata"]["idle"], false);
    let told = of_task(&metrics).unwrap();
    assert_eq!(
        (&told["taskDefinitionFamily"], &told["taskDefinitionVersion"]),
        (&json!("test"), &json!("1"))
    );
    let container = |name: &str| {
        let containers = told["containerMetrics"].as_array().unwrap();
        containers.iter().find(|it| it["containerName"] == name).unwrap().clone()
    };
    let busy = &container("busy")["cpuStatsSet"];
    assert!(busy["max"].as_f64().unwrap() > 0.5, "of all CPUs: {busy}");
    assert!(busy["max"].as_f64().unwrap() <= 101.0, "of all CPUs: {busy}");
    let web = container("web");
    assert!(web["memoryStatsSet"]["sampleCount"].as_i64().unwrap() >= 1, "{web}");
    assert!(web["memoryStatsSet"]["max"].as_f64().unwrap() < 64.0, "{web}");
    assert!(web["networkStatsSet"]["rxBytes"]["sum"].is_i64(), "{web}");

    let health = telemetry.wait("PublishHealthRequest", |_| true).await;
    who(&health);
    assert_eq!(health["tasks"][0]["taskArn"], task);
    let containers = health["tasks"][0]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1, "only what has a check: {containers:?}");
    assert_eq!(containers[0]["healthStatus"], "HEALTHY");
    world.end().await;
}

#[tokio::test]
async fn a_control_plane_that_wants_no_telemetry_gets_none_and_tasks_run() {
    let mut world = World::begin_without_agent().await;
    world.config.metrics_disabled = false;
    world.start_agent().await;
    let task = world.run(json!([{"command": ["wait"]}]));
    world.wait(&task, "RUNNING").await;
    world.end().await;
}
