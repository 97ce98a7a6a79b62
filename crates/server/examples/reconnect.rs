//! What a reconnection costs with many tasks on one instance, over a real socket: bytes told, and the
//! time from the handshake until the agent has heard all. `cargo run --release -p longshore-server
//! --example reconnect`

#[allow(dead_code, unused_imports, reason = "tests need more of it")]
#[path = "../tests/server/harness/mod.rs"]
mod harness;

use std::time::Instant;

use harness::{Machine, World};
use longshore_wire::Operation::StartTask;
use longshore_wire::acs::ServerMessage;
use serde_json::json;

#[tokio::main]
async fn main() {
    println!("{:>6} {:>28} {:>9} {:>10} {:>8}", "tasks", "agent", "messages", "bytes", "ms");
    for tasks in [100, 1_000] {
        measure(tasks, "before 1.33", &[]).await;
        measure(tasks, "official, takes manifests", &["ecs.capability.full-sync"]).await;
        let own = &["ecs.capability.full-sync", "io.longshore.capability.task-resend"];
        measure(tasks, "Longshore's own", own).await;
    }
}

async fn measure(tasks: usize, name: &str, attributes: &'static [&'static str]) {
    let world = World::start().await;
    let machine = Machine { cpu: 1 << 20, memory: 1 << 20, attributes, ..Machine::default() };
    let agent = world.join(&machine).await;
    let instance = agent.instance.clone();
    let environment: Vec<_> =
        (0..5).map(|it| json!({"name": format!("VARIABLE_{it}"), "value": "value"})).collect();
    world.define("job", json!({"memory": 64, "environment": environment})).await;
    let mut started = Vec::new();
    for _ in 0..tasks.div_ceil(10) {
        let body = json!({"taskDefinition": "job", "containerInstances": vec![&instance; 10]});
        let answer = world.ask(StartTask, body).await;
        for task in answer["tasks"].as_array().expect("they start") {
            started.push(task["taskArn"].as_str().expect("an ARN").to_owned());
        }
    }
    for task in &started {
        world.report(task, "RUNNING").await;
    }
    agent.leave(&world).await;
    assert_eq!(started.len(), tasks);
    let begun = Instant::now();
    let mut agent = world.connect(&instance).await;
    let (mut messages, mut bytes, mut heard) = (0, 0, 0);
    let takes_manifest = !attributes.is_empty();
    loop {
        let frame = agent.frame().await.expect("the connection lasts");
        (messages, bytes) = (messages + 1, bytes + frame.len());
        match ServerMessage::decode(&frame) {
            Ok(Some(ServerMessage::Payload(payload))) => heard += payload.tasks.len(),
            Ok(Some(ServerMessage::TaskManifest(manifest))) => {
                assert_eq!(manifest.tasks.len(), tasks);
                break;
            }
            _ => continue,
        }
        if heard == tasks && !takes_manifest {
            break;
        }
    }
    let millis = begun.elapsed().as_secs_f64() * 1e3;
    println!("{tasks:>6} {name:>28} {messages:>9} {bytes:>10} {millis:>8.1}");
}
