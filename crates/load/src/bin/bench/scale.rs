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

    for mishap in [Mishap::ConnectionsBreak, Mishap::ServerIsKilled] {
        come_back(&mut large, size, mishap, calm, table).await?;
    }
    Ok(())
}

/// Why all agents reconnect at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mishap {
    ConnectionsBreak,
    ServerIsKilled,
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

/// Has all agents reconnect at once, while single calls go on: after a kill, from the moment at which
/// the server listens again.
async fn come_back(
    world: &mut World,
    size: &Size,
    mishap: Mishap,
    calm_p99: f64,
    table: &mut Table,
) -> anyhow::Result<()> {
    let why = match mishap {
        Mishap::ConnectionsBreak => "lost their connections",
        Mishap::ServerIsKilled => "lost the server to kill -9",
    };
    eprintln!("{} agents {why}", size.agents);
    let started = match mishap {
        Mishap::ConnectionsBreak => None,
        Mishap::ServerIsKilled => Some(world.server.restart().await?),
    };
    let before = world.usage()?;
    let World { fleet, client, .. } = world;
    if mishap == Mishap::ConnectionsBreak {
        fleet.break_connections()?;
    }
    let since = Instant::now();
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
    let after = world.usage()?;
    let calls = millis(took.iter().map(|it| &it.0));
    let what = format!("all {} agents {why}: back in agreement", size.agents);
    table.add(what, Goal::AtMost(30.0), agreed.as_secs_f64(), "s");
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
    table.add("  CPU of the server meanwhile", Goal::None, cpu, "s");
    if let Some(started) = started {
        table.add("  the server's start before that", Goal::None, started.as_secs_f64(), "s");
    }
    table.add("  RunTask meanwhile", Goal::None, took.len() as f64, "calls");
    let again = took.iter().filter(|it| it.1 > 1).count();
    table.add("  of them first without an agent to place on", Goal::None, again as f64, "calls");
    table.add("  p50", Goal::None, calls.median(), "ms");
    table.add("  p99", Goal::None, calls.percentile(99), "ms");
    let ratio = calls.percentile(99) / calm_p99;
    table.add("  the latter beside the calm p99", Goal::AtMost(2.0), ratio, "times");
    Ok(())
}

/// Where no agent is connected yet, the call is made again until a task is placed. Says how long that
/// took in all, and how many calls it were.
async fn patient_call(client: &Client) -> anyhow::Result<(Duration, u32)> {
    let request = ecs::RunTaskRequest { count: Some(1), ..calls::request() };
    let begun = Instant::now();
    for calls in 1.. {
        let answer = client.call(&request).await?;
        if answer.tasks.is_some_and(|it| it.len() == 1) {
            return Ok((begun.elapsed(), calls));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    anyhow::bail!("no task could be placed")
}
