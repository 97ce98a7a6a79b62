//! What official agents say, by their observed bodies, and what comes of it.

use longshore_control::telemetry::{Sampled, Series, Usage};
use longshore_wire::Operation::{DescribeContainerInstances, DescribeTasks};
use longshore_wire::tcs::ServerMessage;
use serde_json::{Value, json};

use super::scene::{Scene, with_headers};

impl Scene {
    /// The last round of the instance: percent of CPU and MiB.
    fn used(&self) -> Option<(f64, f64)> {
        let control = &self.fleet.world.control;
        let id = self.fleet.arn('a').rsplit('/').next().unwrap().parse().unwrap();
        let used = control.telemetry().used(id, control.now())?;
        Some((used.cpu_percent?.mean(), used.memory_mib?.mean()))
    }

    /// The one minute of each series of the task of `a`.
    fn series(&self) -> Vec<(Option<String>, Usage, u64)> {
        let control = &self.fleet.world.control;
        let task = self.tasks[0].rsplit('/').next().unwrap().parse().unwrap();
        let only = |it: &Series| it.minutes(control.now()).map(|it| it.usage()).next().unwrap();
        let figures = control.telemetry().of_task(task).unwrap_or_default();
        let row = figures.iter().map(|(name, series, traffic)| {
            (
                name.as_ref().map(ToString::to_string),
                only(series),
                traffic.map_or(0, |it| it.received),
            )
        });
        row.collect()
    }

    async fn health(&self) -> (Value, Value) {
        let body = json!({"tasks": [self.tasks[0]]});
        let task = self.fleet.world.ask(DescribeTasks, body).await["tasks"][0].clone();
        (task["healthStatus"].clone(), task["containers"][0]["healthStatus"].clone())
    }

    async fn instance_health(&self) -> Value {
        let body = json!({
            "containerInstances": [self.fleet.arn('a')], "include": ["CONTAINER_INSTANCE_HEALTH"]
        });
        let answer = self.fleet.world.ask(DescribeContainerInstances, body).await;
        answer["containerInstances"][0]["healthStatus"].clone()
    }
}

fn sampled(mean: f64, samples: i64) -> Option<Sampled> {
    Sampled::new(mean * samples as f64, mean, samples, 1e9)
}

#[tokio::test]
async fn metrics_of_every_age_are_acknowledged_and_kept() {
    for (name, expect) in [
        ("metrics-2020", (Some("web".to_owned()), 0.0877, 1, 0.0, 806)),
        ("metrics-2026", (Some("web".to_owned()), 0.0877, 1, 0.0, 806)),
    ] {
        let mut scene = Scene::new().await;
        let message = scene.message(name).to_string();
        let answer = scene.say(&with_headers(&message)).await;
        assert!(matches!(answer, ServerMessage::AckMetric(_)), "{name}: {answer:?}");
        let (container, cpu, samples, memory, received) = expect;
        let usage = Usage { cpu_percent: sampled(cpu, samples), memory_mib: sampled(memory, 2) };
        assert_eq!(scene.series(), [(container, usage, received)], "{name}");
        let (cpu_used, _) = scene.used().unwrap();
        assert!((cpu_used - cpu).abs() < 1e-6, "{cpu_used}");
    }
}

#[tokio::test]
async fn an_agent_of_2017_names_no_containers_and_its_task_is_their_sum() {
    let mut scene = Scene::new().await;
    let mut message = scene.message("metrics-2017");
    // Its task has two containers, but ours has one, and no more than that are believed.
    let containers = message["message"]["taskMetrics"][0]["containerMetrics"].take();
    message["message"]["taskMetrics"][0]["containerMetrics"] = json!([containers[1]]);
    let answer = scene.say(&with_headers(&message.to_string())).await;
    assert!(matches!(answer, ServerMessage::AckMetric(_)), "{answer:?}");
    let usage = Usage { cpu_percent: sampled(0.5, 1), memory_mib: sampled(3.0, 2) };
    assert_eq!(scene.series(), [(None, usage, 0)]);
}

#[tokio::test]
async fn an_idle_agent_uses_nothing_and_a_frame_may_come_without_headers() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.used(), None);
    let message = scene.message("metrics-idle").to_string();
    for frame in [message.clone(), with_headers(&message)] {
        assert!(matches!(scene.say(&frame).await, ServerMessage::AckMetric(_)));
        assert_eq!(scene.used(), Some((0.0, 0.0)));
    }
}

#[tokio::test]
async fn health_is_shown_and_outlives_the_connection() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.health().await, (json!("UNKNOWN"), json!("UNKNOWN")));
    let mut message = scene.message("health");
    message["message"]["tasks"][0]["containers"][0]["containerName"] = json!("web");
    for (status, since) in [("HEALTHY", 1_497_513_500), ("UNHEALTHY", 1_497_513_550)] {
        let container = &mut message["message"]["tasks"][0]["containers"][0];
        container["healthStatus"] = json!(status);
        container["statusSince"] = json!(since);
        let said = with_headers(&message.to_string());
        assert!(matches!(scene.say(&said).await, ServerMessage::AckHealth(_)));
        assert_eq!(scene.health().await, (json!(status), json!(status)));
        let revision = scene.recorded().0;
        assert!(matches!(scene.say(&said).await, ServerMessage::AckHealth(_)));
        assert_eq!(scene.recorded().0, revision, "said again, it is no news");
    }
    let _ = scene.teller.socket.close(None).await;
    assert_eq!(scene.health().await, (json!("UNHEALTHY"), json!("UNHEALTHY")));
}

#[tokio::test]
async fn an_instances_own_checks_are_shown_while_its_agent_tells() {
    let mut scene = Scene::new().await;
    let unknown = json!({"overallStatus": "INSUFFICIENT_DATA", "details": []});
    assert_eq!(scene.instance_health().await, unknown);
    let mut message = scene.message("instance-status");
    let said = with_headers(&message.to_string());
    assert!(matches!(scene.say(&said).await, ServerMessage::AckInstanceStatus(_)));
    let mut check = json!({
        "type": "CONTAINER_RUNTIME", "status": "OK",
        "lastUpdated": 1795456696.29, "lastStatusChange": 1795456697.312
    });
    let healthy = json!({"overallStatus": "OK", "details": [check]});
    assert_eq!(scene.instance_health().await, healthy);
    assert_eq!(scene.fleet.world.instance(scene.fleet.arn('a')).await["healthStatus"], json!(null));

    message["message"]["statuses"][0]["status"] = json!("IMPAIRED");
    let more = [json!({"type": "Novelty", "status": "OK"}), json!({"type": "Daemon"})];
    message["message"]["statuses"].as_array_mut().unwrap().extend(more);
    scene.say(&message.to_string()).await;
    check["status"] = json!("IMPAIRED");
    let impaired = json!({"overallStatus": "IMPAIRED", "details": [check]});
    assert_eq!(scene.instance_health().await, impaired);

    // A second connection takes over, and with it what the first one said still holds.
    let mut newer = super::scene::tell(&scene.fleet.world, scene.fleet.arn('a')).await.unwrap();
    assert_eq!(scene.teller.frame().await, None);
    assert_eq!(scene.instance_health().await, impaired);
    newer.socket.close(None).await.unwrap();
    assert_eq!(newer.frame().await, None);
    crate::harness::soon("the end of what it said", async {
        while scene.instance_health().await != unknown {}
    })
    .await;
}

#[tokio::test]
async fn figures_go_with_their_task_and_their_instance() {
    let mut scene = Scene::new().await;
    let message = scene.message("metrics-2020").to_string();
    scene.say(&message).await;
    assert_eq!(scene.recorded().1, (1, 1));
    scene.fleet.world.report(&scene.tasks[0], "STOPPED").await;
    let task_is_gone = async {
        while scene.recorded().1 != (0, 1) {
            tokio::task::yield_now().await;
        }
    };
    crate::harness::soon("the end of the task's figures", task_is_gone).await;
    assert!(matches!(scene.say(&message).await, ServerMessage::AckMetric(_)), "it came late");
    assert_eq!(scene.recorded().1, (0, 1));
    scene.fleet.world.deregister(scene.fleet.arn('a')).await;
    let instance_is_gone = async {
        while scene.recorded().1 != (0, 0) {
            tokio::task::yield_now().await;
        }
    };
    crate::harness::soon("the end of the instance's figures", instance_is_gone).await;
}
