//! No false alarm: an agent on a machine with nothing but work stays connected.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use longshore_load::{AgentProcess, Client, ServerOptions, ServerProcess};
use longshore_wire::ecs;

use crate::figures::{Goal, Table};

const CLUSTER: &str = "busy";

/// Threads that do nothing but count, for each core.
const THREADS_A_CORE: usize = 4;

/// Between two looks at `agentConnected`.
const LOOK: Duration = Duration::from_millis(200);

/// How often is said how far it has come.
const TOLD_EVERY: Duration = Duration::from_secs(30);

/// Keeps every core busy for so long, and looks whether the agent is shown connected all the while.
pub(crate) async fn measure(lasts: Duration, table: &mut Table) -> anyhow::Result<()> {
    let server = ServerProcess::start(ServerOptions::server()).await?;
    let client = server.client()?;
    let create = ecs::CreateClusterRequest {
        cluster_name: Some(CLUSTER.into()),
        ..ecs::CreateClusterRequest::default()
    };
    client.call(&create).await?;
    let mut agent = AgentProcess::of(&server, &["--cluster", CLUSTER])?;
    agent.begin()?;
    agent.connected().await?;
    let work = Work::begin()?;
    let since = Instant::now();
    let (mut looks, mut longest, mut told) = (0_u32, Duration::ZERO, Duration::ZERO);
    while since.elapsed() < lasts {
        let asked = Instant::now();
        let is_connected = is_connected(&client).await?;
        longest = longest.max(asked.elapsed());
        looks += 1;
        if !is_connected {
            bail!(
                "after {:?} and {looks} looks the agent is said not to be connected\n{}\n{}",
                since.elapsed(),
                agent.log(),
                server.log()
            );
        }
        if since.elapsed() >= told + TOLD_EVERY {
            told = since.elapsed();
            eprintln!("{:5.0} s: connected at each of {looks} looks", told.as_secs_f64());
        }
        tokio::time::sleep(LOOK).await;
    }
    let busy = since.elapsed();
    drop(work);
    // Between looks it may have been gone for less than a moment: its log would say so.
    let disconnections = agent.whole_log().matches("disconnected from").count();
    if disconnections > 0 {
        bail!("the agent was disconnected {disconnections} times\n{}", agent.log());
    }
    agent.terminate().await?;
    table.add(
        "busy: seconds with no false alarm",
        Goal::AtLeast(lasts.as_secs_f64()),
        busy.as_secs_f64(),
        "s",
    );
    table.add("  looks at agentConnected", Goal::None, looks.into(), "");
    table.add("  the longest that a look took", Goal::None, longest.as_secs_f64() * 1000.0, "ms");
    Ok(())
}

async fn is_connected(client: &Client) -> anyhow::Result<bool> {
    let cluster = Some(CLUSTER.to_owned());
    let list = ecs::ListContainerInstancesRequest {
        cluster: cluster.clone(),
        ..ecs::ListContainerInstancesRequest::default()
    };
    let arns = client.call(&list).await?.container_instance_arns;
    let describe = ecs::DescribeContainerInstancesRequest {
        cluster,
        container_instances: arns,
        ..ecs::DescribeContainerInstancesRequest::default()
    };
    let found = client.call(&describe).await?.container_instances.unwrap_or_default();
    let instance = found.first().context("the container instance is gone")?;
    Ok(instance.agent_connected == Some(true))
}

/// Threads that take all the time that they are given, until this is dropped.
struct Work {
    is_over: Arc<AtomicBool>,
}

impl Work {
    fn begin() -> anyhow::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let cores = std::thread::available_parallelism()?.get();
        for _ in 0..cores * THREADS_A_CORE {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || {
                let mut count = 0_u64;
                while !is_over.load(Ordering::Relaxed) {
                    count = std::hint::black_box(count.wrapping_mul(3).wrapping_add(1));
                }
            });
        }
        Ok(Self { is_over })
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
