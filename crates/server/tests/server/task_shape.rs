//! What responses say of a task since 2018 that nobody writes down: it follows from its instance.

use longshore_wire::Operation::{RegisterContainerInstance, RunTask};
use serde_json::json;

use crate::harness::{Machine, World};

#[tokio::test]
async fn a_task_is_reached_while_its_agent_is() {
    let world = World::start().await;
    world.define("job", json!({"cpu": 10, "memory": 300, "memoryReservation": 128})).await;
    let agent = world.join(&Machine::default()).await;
    let instance = agent.instance.clone();
    world.clock.move_by_secs(10);
    let run = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let task = run["tasks"][0].clone();
    assert_eq!(task["connectivity"], "CONNECTED");
    assert_eq!(task["connectivityAt"], task["createdAt"], "its agent was there already");
    agent.leave(&world).await;
    let arn = task["taskArn"].as_str().unwrap();
    let away = world.task(arn).await;
    assert_eq!(away["connectivity"], "DISCONNECTED");
    assert_eq!(away["connectivityAt"], task["connectivityAt"], "when it last was");
    assert_eq!(away["version"], task["version"]);
    world.clock.move_by_secs(10);
    let _agent = world.connect(&instance).await;
    let back = world.task(arn).await;
    assert_eq!(back["connectivity"], "CONNECTED");
    let since = back["connectivityAt"].as_f64().unwrap() - task["createdAt"].as_f64().unwrap();
    assert!((since - 10.0).abs() < 0.01, "{since}");
}

#[tokio::test]
async fn a_task_is_in_its_instance_s_zone_and_as_large_as_placement_counts() {
    let world = World::start().await;
    world.define("job", json!({"cpu": 10, "memory": 300, "memoryReservation": 128})).await;
    let mut machine = Machine::default().registration();
    machine["instanceIdentityDocument"] = json!(r#"{"availabilityZone":"us-east-1b"}"#);
    let answer = world.ask(RegisterContainerInstance, machine).await;
    let instance = answer["containerInstance"]["containerInstanceArn"].as_str().unwrap();
    let _agent = world.connect(instance).await;
    let run = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let task = &run["tasks"][0];
    assert_eq!(task["availabilityZone"], "us-east-1b");
    assert_eq!((&task["cpu"], &task["memory"]), (&json!("10"), &json!("128")));
    assert_eq!(task["attachments"], json!([]));
    assert_eq!(task["attributes"], json!([]));
    assert_eq!(task["enableExecuteCommand"], false);
}
