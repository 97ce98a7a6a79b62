//! What the agent adds to Docker's own time. Run alone, and in release:
//! `cargo test --release -p longshore-agent --test docker -- --ignored --nocapture overhead`

use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::RemoveContainerOptions;
use serde_json::json;

use crate::support::{IMAGE, World};

const ROUNDS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn overhead_over_create_and_start() {
    let world = World::begin().await;
    let (mut direct, mut through_agent) = (Vec::new(), Vec::new());
    let mut cpu = Duration::ZERO;
    for _ in 0..ROUNDS {
        direct.push(create_and_start(&world.docker).await);
        let cpu_before = cpu_time();
        let since = Instant::now();
        let task = world.run(json!([{"command": ["wait"], "memory": 64}]));
        world.wait(&task, "RUNNING").await;
        through_agent.push(since.elapsed());
        cpu += cpu_time() - cpu_before;
        let options = RemoveContainerOptions { force: true, ..Default::default() };
        let id = world.container(&task).await.id.unwrap();
        world.docker.remove_container(&id, Some(options)).await.unwrap();
        world.wait(&task, "STOPPED").await;
    }
    let (direct, through_agent) = (median(direct), median(through_agent));
    println!(
        "median of {ROUNDS}: create + start {direct:?}, assignment until RUNNING {through_agent:?}, \
         CPU a start (control plane of the test included) {:?}",
        cpu / u32::try_from(ROUNDS).unwrap()
    );
    world.end().await;
}

async fn create_and_start(docker: &Docker) -> Duration {
    let since = Instant::now();
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        cmd: Some(vec!["wait".to_owned()]),
        host_config: Some(bollard::models::HostConfig {
            memory: Some(64 * 1024 * 1024),
            ..Default::default()
        }),
        ..Default::default()
    };
    let id = docker.create_container(None, body).await.unwrap().id;
    docker.start_container(&id, None).await.unwrap();
    let elapsed = since.elapsed();
    let options = RemoveContainerOptions { force: true, ..Default::default() };
    docker.remove_container(&id, Some(options)).await.unwrap();
    elapsed
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

/// User and system time of this process, in the kernel's ticks of 10 ms.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
