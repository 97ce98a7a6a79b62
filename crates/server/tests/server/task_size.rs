//! CPU and memory of a task as a whole, as RunTask and StartTask may override them.

use longshore_wire::Operation::{RegisterTaskDefinition, RunTask, StartTask};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine};

/// An instance that can limit tasks, and `job:1`, whose size is its container's, and `sized:1`.
async fn fleet() -> Fleet {
    let attributes = &["ecs.capability.task-cpu-mem-limit"];
    let fleet = Fleet::of(&[Machine { attributes, memory: 2000, ..Machine::default() }]).await;
    fleet.world.define("job", json!({"cpu": 10, "memory": 100})).await;
    let main = json!({"name": "main", "image": "busybox", "cpu": 10, "memory": 100});
    let body = json!({
        "family": "sized", "containerDefinitions": [main], "cpu": "256", "memory": "200"
    });
    fleet.world.ask(RegisterTaskDefinition, body).await;
    fleet
}

#[tokio::test]
async fn an_override_is_what_placement_counts_and_the_agent_is_told() {
    for (definition, size, expected) in [
        ("job", json!({}), (10, 100)),
        ("job", json!({"cpu": "512"}), (512, 100)),
        ("job", json!({"memory": "0.5 GB"}), (10, 512)),
        ("sized", json!({}), (256, 200)),
        ("sized", json!({"cpu": "1 vCPU", "memory": "1GB"}), (1024, 1024)),
        ("sized", json!({"memory": "300"}), (256, 300)),
    ] {
        let mut fleet = fleet().await;
        let body = json!({"taskDefinition": definition, "overrides": size});
        let run = fleet.check(RunTask, body, "a").await;
        assert_eq!(fleet.remaining('a').await, (2048 - expected.0, 2000 - expected.1));
        let task = &run["tasks"][0];
        assert_eq!(task["cpu"], expected.0.to_string(), "{size}");
        assert_eq!(task["memory"], expected.1.to_string(), "{size}");
        let sent = |member: &str| size[member].as_str().is_some();
        let shown = |member: &str| task["overrides"][member].as_str().is_some();
        assert_eq!((shown("cpu"), shown("memory")), (sent("cpu"), sent("memory")));
        let told = fleet.agent('a').task().await;
        let limited = definition == "sized";
        let vcpu = (limited || sent("cpu")).then_some(f64::from(expected.0 as i32) / 1024.0);
        assert_eq!(told.cpu, vcpu, "{size}");
        assert_eq!(told.memory, (limited || sent("memory")).then_some(expected.1), "{size}");
    }
}

#[tokio::test]
async fn an_override_takes_more_than_an_instance_has_left_nowhere() {
    let fleet = fleet().await;
    let body = |size: Value| json!({"taskDefinition": "job", "overrides": size});
    fleet.check(RunTask, body(json!({"memory": "2001"})), "| a:RESOURCE:MEMORY").await;
    fleet.check(RunTask, body(json!({"cpu": "2049"})), "| a:RESOURCE:CPU").await;
    let mut start = body(json!({"cpu": "2048", "memory": "2000"}));
    start["containerInstances"] = json!([fleet.arn('a')]);
    fleet.check(StartTask, start, "a").await;
    assert_eq!(fleet.remaining('a').await, (0, 0));
}

#[tokio::test]
async fn an_override_must_be_an_amount_and_leave_room_for_the_containers() {
    let fleet = fleet().await;
    const CPU: &str = "Invalid 'cpu' setting for task. It must be 128 to 196608 CPU units, such as '256', or as many vCPU, such as '0.25 vCPU'.";
    const MEMORY: &str = "Invalid 'memory' setting for task. It must be at least 4 MiB, such as '512', or in GB, such as '0.5 GB'.";
    for (size, message) in [
        (json!({"cpu": "much"}), CPU),
        (json!({"cpu": "1"}), CPU),
        (json!({"memory": "-1"}), MEMORY),
        (
            json!({"memory": "50"}),
            "The 'memory' setting for container 'main' is greater than for the task.",
        ),
    ] {
        let before = fleet.world.state().revision();
        let body = json!({"taskDefinition": "job", "overrides": size});
        let refusal = fleet.world.call(RunTask, body).await.refusal();
        assert_eq!(refusal, (400, "InvalidParameterException".into(), message.into()), "{size}");
        assert_eq!(fleet.world.state().revision(), before);
    }
    let body = json!({"taskDefinition": "job", "overrides": {"cpu": 256}});
    let refusal = fleet.world.call(RunTask, body).await.refusal();
    assert_eq!(refusal.1, "SerializationException");
    fleet.check(RunTask, json!({"taskDefinition": "job", "overrides": {"cpu": ""}}), "a").await;
}
