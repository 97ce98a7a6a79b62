//! Messages that are refused, with nothing recorded and the connection left open.

use longshore_wire::tcs::ServerMessage;
use serde_json::{Value, json};

use super::scene::{Scene, with_headers};

/// The name of an answer's type.
fn kind(answer: &ServerMessage) -> String {
    let frame: Value = serde_json::from_str(&answer.encode()).unwrap();
    frame["type"].as_str().unwrap().to_owned()
}

async fn check(scene: &mut Scene, frame: &str, expect: &str) {
    let before = scene.recorded();
    let answer = scene.say(frame).await;
    assert_eq!(kind(&answer), expect, "{frame}: {answer:?}");
    assert_eq!(scene.recorded(), before, "{frame}");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bad_request() {
    let mut scene = Scene::new().await;
    let nested = format!(r#"{{"type":"PublishMetricsRequest","message":{}"#, "[".repeat(100_000));
    for frame in [
        "",
        "nonsense",
        "[]",
        "{}",
        "Host: a\r\n\r\n",
        "Host: a\r\n\r\nnonsense",
        "\r\n\r\n",
        r#"{"type":7}"#,
        r#"{"type":"PublishMetricsRequest","message":[]}"#,
        r#"{"type":"PublishMetricsRequest","message":{"taskMetrics":{}}}"#,
        r#"{"type":"PublishMetricsRequest","message":{"taskMetrics":[{"taskArn":7}]}}"#,
        r#"{"type":"PublishHealthRequest","message":{"timestamp":1e300}}"#,
        &nested,
    ] {
        check(&mut scene, frame, "BadRequestException").await;
        check(&mut scene, &with_headers(frame), "BadRequestException").await;
    }
}

#[tokio::test]
async fn a_type_that_is_not_known_is_passed_over() {
    let mut scene = Scene::new().await;
    scene.teller.say(r#"{"type":"PublishNovelties","message":{"a":1}}"#).await;
    let message = scene.message("metrics-idle").to_string();
    assert_eq!(kind(&scene.say(&message).await), "AckPublishMetric");
}

#[tokio::test]
async fn a_message_of_another_instance_is_refused() {
    let mut scene = Scene::new().await;
    let other = scene.fleet.arn('b').to_owned();
    for name in ["metrics-idle", "metrics-2020", "health", "instance-status"] {
        for (member, value) in [
            ("containerInstance", json!(other)),
            ("containerInstance", json!("")),
            ("containerInstance", json!("nonsense")),
            ("cluster", json!("another")),
        ] {
            let mut message = scene.message(name);
            message["message"]["metadata"][member] = value;
            check(&mut scene, &message.to_string(), "ResourceValidationException").await;
        }
    }
}

#[tokio::test]
async fn a_message_about_another_instances_task_is_refused_as_a_whole() {
    let mut scene = Scene::new().await;
    for name in ["metrics-2020", "health"] {
        for arn in [scene.tasks[1].clone(), "nonsense".into(), scene.fleet.arn('a').to_owned()] {
            let mut message = scene.message(name);
            let member = if name == "health" { "tasks" } else { "taskMetrics" };
            let tasks = message["message"][member].as_array_mut().unwrap();
            let mut foreign = tasks[0].clone();
            foreign["taskArn"] = json!(arn);
            tasks.push(foreign);
            check(&mut scene, &message.to_string(), "ResourceValidationException").await;
        }
    }
}

#[tokio::test]
async fn numbers_that_cannot_be_poison_nothing() {
    let mut scene = Scene::new().await;
    let mut message = scene.message("metrics-2020");
    for (sum, max, samples) in [
        (json!(-5), json!(1), json!(1)),
        (json!(1e308), json!(1e308), json!(1)),
        (json!(1), json!(1), json!(0)),
        (json!(1), json!(1), json!(-9)),
        (json!(5e7), json!(5e7), json!(1)),
    ] {
        let container = &mut message["message"]["taskMetrics"][0]["containerMetrics"][0];
        container["cpuStatsSet"] =
            json!({"sum": sum, "max": max, "min": 0, "sampleCount": samples});
        container["networkStatsSet"]["rxBytes"] = json!({"max": -1, "overflowMax": i64::MIN});
        assert_eq!(kind(&scene.say(&message.to_string()).await), "AckPublishMetric");
    }
    let control = &scene.fleet.world.control;
    let id = scene.tasks[0].rsplit('/').next().unwrap().parse().unwrap();
    let figures = control.telemetry().of_task(id).unwrap();
    let (_, series, traffic) = &figures[0];
    assert!(series.minutes(control.now()).all(|it| it.usage().cpu_percent.is_none()));
    assert_eq!(traffic.unwrap().received, 0);
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection_and_nobody_elses() {
    let mut scene = Scene::new().await;
    let before = scene.recorded();
    let mut message = scene.message("metrics-2020");
    message["message"]["padding"] = json!("x".repeat(1 << 20));
    let sent = futures_util::SinkExt::send(
        &mut scene.teller.socket,
        tokio_tungstenite::tungstenite::Message::text(message.to_string()),
    );
    let _ = sent.await; // the server may have closed before it was all sent
    assert_eq!(scene.teller.frame().await, None);
    assert_eq!(scene.recorded(), before);
    let arn = scene.fleet.arn('a').to_owned();
    assert_eq!(scene.fleet.world.instance(&arn).await["agentConnected"], true, "ACS goes on");
    scene.teller = super::scene::tell(&scene.fleet.world, &arn).await.unwrap();
    let message = scene.message("metrics-idle").to_string();
    assert_eq!(kind(&scene.say(&message).await), "AckPublishMetric");
}
