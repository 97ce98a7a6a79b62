//! An agent that tells how its tasks fare.

use std::fs;
use std::path::Path;

use longshore_wire::Operation;
use longshore_wire::tcs::ServerMessage;
use serde_json::{Value, json};

use crate::harness::{Agent, Fleet, Handshake, Machine, World, open};

/// Two instances with a task each, of one container `web` with a health check, and the telemetry of
/// the first one.
pub(crate) struct Scene {
    pub(crate) fleet: Fleet,
    /// The task of `a`, and that of `b`.
    pub(crate) tasks: [String; 2],
    pub(crate) teller: Agent,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let attributes = &["ecs.capability.container-health-check"];
        let machine = || Machine { attributes, capabilities: &CAPABILITIES, ..Machine::default() };
        let fleet = Fleet::of(&[machine(), machine()]).await;
        let web = json!({"name": "web", "image": "busybox", "memory": 64, "healthCheck":
            {"command": ["CMD", "true"]}});
        let body = json!({"family": "demo", "containerDefinitions": [web]});
        fleet.world.ask(Operation::RegisterTaskDefinition, body).await;
        let tasks = fleet.start("demo", "ab").await;
        let tasks = [tasks[0].clone(), tasks[1].clone()];
        for task in &tasks {
            fleet.world.report(task, "RUNNING").await;
        }
        let teller = tell(&fleet.world, fleet.arn('a')).await.unwrap();
        Self { fleet, tasks, teller }
    }

    /// A message that an official agent sent, said of this instance and of its task.
    pub(crate) fn message(&self, name: &str) -> Value {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let golden = crates.join("wire/tests/golden/tcs/agent");
        let text = fs::read_to_string(golden.join(format!("{name}.json"))).unwrap();
        let mut message: Value = serde_json::from_str(&text).unwrap();
        message["message"]["metadata"]["containerInstance"] = json!(self.fleet.arn('a'));
        for tasks in ["taskMetrics", "tasks"] {
            if let Some(task) = message["message"].get_mut(tasks).map(|it| &mut it[0]) {
                task["taskArn"] = json!(self.tasks[0]);
            }
        }
        message
    }

    /// Says this and gives the answer.
    pub(crate) async fn say(&mut self, text: &str) -> ServerMessage {
        self.teller.say(text).await;
        self.heard().await
    }

    pub(crate) async fn heard(&mut self) -> ServerMessage {
        let frame = self.teller.frame().await.expect("the connection lasts");
        ServerMessage::decode(&frame).unwrap().expect("it is known")
    }

    /// The revision of the state and how much is kept of telemetry.
    pub(crate) fn recorded(&self) -> (u64, (usize, usize)) {
        let world = &self.fleet.world;
        (world.state().revision(), world.control.telemetry().len())
    }
}

const CAPABILITIES: [&str; 7] = [
    "docker-remote-api.1.17",
    "docker-remote-api.1.18",
    "docker-remote-api.1.19",
    "docker-remote-api.1.20",
    "docker-remote-api.1.21",
    "docker-remote-api.1.24",
    "logging-driver.json-file",
];

/// The frame as agents send it.
pub(crate) fn with_headers(json: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=AK/20261123/us-east-1/ecs/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0\r\nHost: 127.0.0.1:18080\r\n\
         X-Amz-Date: 20261123T174549Z\r\n\r\n{json}"
    )
}

/// Opens an instance's socket for telemetry; an error is the refusal's status and body.
pub(crate) async fn tell(world: &World, instance: &str) -> Result<Agent, (u16, String)> {
    let socket = open(world, Handshake::telemetry(world, instance).signed()).await?;
    Ok(Agent { instance: instance.into(), socket })
}
