//! A fleet at its full size: what it costs while nothing happens, what a call takes beside what it
//! takes on a small one, and how soon all agents have come back after the server was killed.

use std::time::{Duration, Instant};

use longshore_load::{Client, FleetProcess, ServerOptions, ServerProcess, Usage, raise_open_files};
use longshore_wire::ecs;

use crate::Setting;
use crate::figures::{Figures, Goal, Table, millis};
use crate::fleet::calls::{self, Calls};
use crate::fleet::{Size, settled};

/// What the large fleet is held against.
const SMALL: Size = Size {
    tasks: 1_000,
    agents: 10,
    at_most: Duration::from_secs(60),
    runs_for: None,
    keep_ended: None,
};

/// How long the large fleet is watched while nothing happens.
const IDLE: Duration = Duration::from_secs(60);

/// Single calls that are made of each server.
const CALLS: usize = 1_000;

/// Between two single calls: they are to meet a server that does other things as well.
const PAUSE: Duration = Duration::from_millis(20);

/// More calls than these are not made while agents come back.
const MOST_CALLS_MEANWHILE: usize = 5_000;

struct World {
    server: ServerProcess,
    fleet: FleetProcess,
    client: Client,
}

impl World {
    /// A server with all of its agents, and no tasks yet.
    async fn start(setting: &Setting, size: &Size) -> anyhow::Result<(Self, Usage)> {
        let parent_dir = Some(setting.dir.clone());
        let arguments = ServerOptions::server().arguments;
        let server = ServerProcess::start(ServerOptions { arguments, parent_dir }).await?;
        let client = server.client()?;
        let without_agents = Usage::of(server.pid().unwrap_or_default())?;
        let fleet = FleetProcess::start(&server, &size.options()).await?;
        client.call(&calls::definition()).await?;
        Ok((Self { server, fleet, client }, without_agents))
    }

    async fn fill(&self, size: &Size) -> anyhow::Result<()> {
        let usage = || self.usage();
        let deadline = Instant::now() + size.at_most;
        let made = Calls::make(&self.client, size.tasks, deadline, &usage).await?;
        settled(&self.client, made.started).await
    }

    fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.server.pid().unwrap_or_default())
    }
}

pub(crate) async fn measure(
    setting: &Setting,
    size: &Size,
    table: &mut Table,
) -> anyhow::Result<()> {
    raise_open_files(u64::from(size.agents))?;
    let (small, _) = World::start(setting, &SMALL).await?;
    let (mut large, without_agents) = World::start(setting, size).await?;
    idle(&large, size, without_agents, table).await?;
    small.fill(&SMALL).await?;
    large.fill(size).await?;

    let (on_small, on_large) = alternately(&small.client, &large.client).await?;
    let ratio = on_large.median() / on_small.median();
    let what = format!("RunTask, {} tasks on {} agents, p50", size.tasks, size.agents);
    table.add(what, Goal::None, on_large.median(), "ms");
    let what = format!("  {} tasks on {} agents, p50", SMALL.tasks, SMALL.agents);
    table.add(what, Goal::None, on_small.median(), "ms");
    table.add("  the former, as many times as slow", Goal::AtMost(1.5), ratio, "times");
    let calm = on_large.percentile(99);
    table.add("  on the large fleet, p99", Goal::None, calm, "ms");
    let p99 = on_small.percentile(99);
    table.add("  on the small fleet, p99", Goal::None, p99, "ms");
    drop(small);

    come_back(&mut large, size, calm, table).await
}

/// What connected agents cost while nothing happens.
async fn idle(
    world: &World,
    size: &Size,
    without_agents: Usage,
    table: &mut Table,
) -> anyhow::Result<()> {
    eprintln!("watching {} idle agents for {IDLE:?}", size.agents);
    let begin = world.usage()?;
    tokio::time::sleep(IDLE).await;
    let end = world.usage()?;
    let percent = 100.0 * end.cpu.saturating_sub(begin.cpu).as_secs_f64() / IDLE.as_secs_f64();
    let what = format!("{} idle agents, CPU of the server", size.agents);
    table.add(what, Goal::AtMost(10.0), percent, "% of core");
    let bytes = end.resident_bytes.saturating_sub(without_agents.resident_bytes) as f64;
    let each = bytes / f64::from(size.agents) / 1024.0;
    table.add("  memory of the server an agent", Goal::AtMost(32.0), each, "KiB");
    Ok(())
}

/// Single calls of both servers in turn, so that both meet the same machine.
async fn alternately(small: &Client, large: &Client) -> anyhow::Result<(Figures, Figures)> {
    let (mut on_small, mut on_large) = (Vec::new(), Vec::new());
    for _ in 0..CALLS {
        for (client, took) in [(small, &mut on_small), (large, &mut on_large)] {
            took.push(one_call(client).await?);
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok((millis(&on_small), millis(&on_large)))
}

async fn one_call(client: &Client) -> anyhow::Result<Duration> {
    let request = ecs::RunTaskRequest { count: Some(1), ..calls::request() };
    let begun = Instant::now();
    let answer = client.call(&request).await?;
    let took = begun.elapsed();
    anyhow::ensure!(answer.tasks.is_some_and(|it| it.len() == 1), "{:?}", answer.failures);
    Ok(took)
}

/// Kills the server and starts it again. From the moment at which it listens, all agents reconnect
/// at once while single calls go on.
async fn come_back(
    world: &mut World,
    size: &Size,
    calm_p99: f64,
    table: &mut Table,
) -> anyhow::Result<()> {
    eprintln!("killing the server of {} agents", size.agents);
    let started = world.server.restart().await?;
    let World { fleet, client, .. } = world;
    let (since, before) = (Instant::now(), Usage::of(world.server.pid().unwrap_or_default())?);
    let mut took = Vec::new();
    let calls = async {
        while took.len() < MOST_CALLS_MEANWHILE {
            took.push(patient_call(client).await?);
            tokio::time::sleep(PAUSE).await;
        }
        std::future::pending::<anyhow::Result<()>>().await
    };
    let agreed = tokio::select! {
        agreed = fleet.connected() => agreed.map(|()| since.elapsed()),
        failed = calls => failed.map(|()| since.elapsed()),
    }?;
    let after = Usage::of(world.server.pid().unwrap_or_default())?;
    let calls = millis(&took);
    let what = format!("all {} agents back and told, after a kill", size.agents);
    table.add(what, Goal::AtMost(30.0), agreed.as_secs_f64(), "s");
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
    table.add("  CPU of the server meanwhile", Goal::None, cpu, "s");
    table.add("  the server's start before that", Goal::None, started.as_secs_f64(), "s");
    table.add("  RunTask meanwhile, p50", Goal::None, calls.median(), "ms");
    table.add("  RunTask meanwhile, p99", Goal::None, calls.percentile(99), "ms");
    let ratio = calls.percentile(99) / calm_p99;
    table.add("  the latter beside the calm p99", Goal::AtMost(2.0), ratio, "times");
    Ok(())
}

/// A call right after the start finds no agent connected. What counts is until it is answered; it is
/// made again until a task is placed.
async fn patient_call(client: &Client) -> anyhow::Result<Duration> {
    let request = ecs::RunTaskRequest { count: Some(1), ..calls::request() };
    let begun = Instant::now();
    loop {
        let answer = client.call(&request).await?;
        if answer.tasks.is_some_and(|it| it.len() == 1) {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
