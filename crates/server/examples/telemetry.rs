//! What telemetry costs, on this machine: `cargo run --release -p longshore-server --example
//! telemetry [TASKS]`. Prints what a message of ten tasks of one container takes to be decoded,
//! recorded and answered, and what an hour of such messages every 20 s leaves in memory.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use longshore_control::Control;
use longshore_model::{Clock, Ids, InstanceId, Owner, Timestamp};
use longshore_server::InProcess;
use longshore_store::{MemoryJournal, Store};
use longshore_wire::Operation;
use serde_json::{Value, json};

const TASKS_OF_INSTANCE: usize = 10;
const ROUND_SECS: i64 = 20;
const ROUNDS: i64 = 3600 / ROUND_SECS + 9;

/// As a newer official agent tells it.
const METRICS: &str = include_str!("../../wire/tests/golden/tcs/agent/metrics-2026.json");

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Time that is moved by hand, and ids that count.
#[derive(Default)]
struct Hands {
    millis: AtomicI64,
    ids: AtomicU64,
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

impl Ids for Hands {
    fn next_bits(&self) -> u128 {
        self.ids.fetch_add(1, Ordering::Relaxed).into()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let tasks: usize = std::env::args().nth(1).map_or(Ok(10_000), |it| it.parse())?;
    let instances = (tasks / TASKS_OF_INSTANCE).max(1);
    let hands = Arc::new(Hands::default());
    let owner = Owner { region: "us-east-1".into(), account: "123456789012".into() };
    let store = Store::open_inline(MemoryJournal::default())?;
    let control = Control::new(store, hands.clone(), hands.clone(), owner);
    control.create_cluster("default".parse()?, Default::default()).await?;
    let doors = InProcess::open(control.clone()).await?;
    let web = json!({"name": "web", "image": "busybox", "memory": 64});
    call(
        &doors,
        Operation::RegisterTaskDefinition,
        json!({"family": "demo", "containerDefinitions": [web]}),
    )
    .await?;
    let mut agents = Vec::new();
    for _ in 0..instances {
        agents.push(agent(&doors, &control).await?);
    }
    let bytes = agents[0].1.len();

    let before = resident_bytes()?;
    let began = Instant::now();
    for _ in 0..ROUNDS {
        hands.millis.fetch_add(ROUND_SECS * 1000, Ordering::Relaxed);
        for (query, frame) in &agents {
            let answer = doors.tell(query, frame).await.map_err(|it| it.message)?;
            assert!(answer.is_some_and(|it| it.contains("AckPublishMetric")));
        }
    }
    let took = began.elapsed() / u32::try_from(ROUNDS)? / u32::try_from(instances)?;
    let kept = resident_bytes()? - before;
    let told = instances * TASKS_OF_INSTANCE;
    println!("{told} tasks of one container on {instances} instances, an hour told");
    println!("a message of {TASKS_OF_INSTANCE} tasks, {bytes} bytes: {took:.1?}");
    println!(
        "kept: {kept} bytes, {} for each task with its share of its instance",
        kept / told as i64
    );
    Ok(())
}

/// A new instance with its tasks: the query of its handshake, and a frame of its.
async fn agent(doors: &InProcess, control: &Control) -> Outcome<(String, String)> {
    let resource =
        |name: &str, value: i32| json!({"name": name, "type": "INTEGER", "integerValue": value});
    let capability = |it: &str| json!({"name": format!("com.amazonaws.ecs.capability.{it}")});
    let capabilities =
        ["docker-remote-api.1.17", "docker-remote-api.1.18", "docker-remote-api.1.21"];
    let registration = json!({
        "totalResources": [resource("CPU", 4096), resource("MEMORY", 640)],
        "attributes": capabilities.map(capability),
    });
    let answer = call(doors, Operation::RegisterContainerInstance, registration).await?;
    let arn = text(&answer["containerInstance"]["containerInstanceArn"]);
    let id: InstanceId = arn.rsplit('/').next().unwrap_or_default().parse()?;
    control.set_agent_connected(id, true, None).await?;
    let run = json!({
        "taskDefinition": "demo", "containerInstances": vec![&arn; TASKS_OF_INSTANCE],
    });
    let started = call(doors, Operation::StartTask, run).await?;
    let mut message: Value = serde_json::from_str(METRICS)?;
    message["message"]["metadata"]["containerInstance"] = json!(arn);
    let told = message["message"]["taskMetrics"][0].clone();
    let tasks = started["tasks"].as_array().into_iter().flatten().map(|task| {
        let mut told = told.clone();
        told["taskArn"] = task["taskArn"].clone();
        told
    });
    message["message"]["taskMetrics"] = tasks.collect();
    let headers = "Authorization: AWS4-HMAC-SHA256 ...\r\nHost: 127.0.0.1\r\n\r\n";
    let query = format!("cluster=default&containerInstance={arn}");
    Ok((query, format!("{headers}{message}")))
}

async fn call(doors: &InProcess, operation: Operation, body: Value) -> Outcome<Value> {
    let answer = doors.answer(operation.target(), body.to_string().as_bytes()).await;
    let answer = answer.map_err(|it| format!("{}: {}", it.code, it.message))?;
    let answer: Value = serde_json::from_slice(&answer)?;
    assert!(answer["failures"].as_array().is_none_or(Vec::is_empty), "{answer}");
    Ok(answer)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What this process has in memory.
fn resident_bytes() -> Outcome<i64> {
    let figures = std::fs::read_to_string("/proc/self/statm")?;
    let pages: i64 = figures.split(' ').nth(1).ok_or("no figures")?.parse()?;
    Ok(pages * 4096)
}
