//! The whole system at size: signed RunTask calls with placement, made by this process, to a durable
//! server in a second one, whose instances are the simulated agents of a third.

pub(crate) mod calls;

use std::time::{Duration, Instant};

use anyhow::bail;
use longshore_load::{Client, FleetProcess, ServerOptions, ServerProcess, Usage, raise_open_files};
use longshore_wire::ecs;

use crate::Setting;
use crate::figures::{Goal, Table, millis};
use calls::{Calls, MEMORY_MIB};

/// How much of it.
pub(crate) struct Size {
    pub(crate) tasks: u32,
    pub(crate) agents: u32,
    /// After this no more tasks are started.
    pub(crate) at_most: Duration,
    /// How many seconds a task runs by itself; to the end if `None`.
    pub(crate) runs_for: Option<String>,
    /// How long the server keeps what has ended; as long as it does by itself if `None`.
    pub(crate) keep_ended: Option<String>,
}

/// How long the agents may take to report the last task.
const PATIENCE: Duration = Duration::from_secs(120);

impl Size {
    /// What an instance has, so that all of them together are a quarter larger than needed, and some
    /// thousand single calls more find room.
    fn memory_mib(&self) -> u32 {
        let tasks = u64::from(self.tasks) * 5 / 4 + 10_000;
        let each = tasks.div_ceil(u64::from(self.agents.max(1))).max(10);
        u32::try_from(each).unwrap_or(u32::MAX).saturating_mul(MEMORY_MIB)
    }

    /// Of the fleet.
    pub(crate) fn options(&self) -> Vec<String> {
        let memory = self.memory_mib();
        let words = ["--leave-behind", "--zones=a,b,c", "--attribute=stack=prod"];
        let mut options: Vec<String> = words.map(Into::into).into();
        options.push(format!("--instances={}", self.agents));
        options.push(format!("--shape={memory}x{memory}"));
        options.extend(self.runs_for.as_ref().map(|it| format!("--runs-for={it}")));
        options
    }
}

pub(crate) async fn measure(
    setting: &Setting,
    size: &Size,
    table: &mut Table,
) -> anyhow::Result<()> {
    // Both other processes inherit the limit.
    raise_open_files(u64::from(size.agents))?;
    let parent_dir = Some(setting.dir.clone());
    let mut arguments = ServerOptions::server().arguments;
    arguments.extend(size.keep_ended.as_ref().map(|it| format!("--keep-ended={it}")));
    let server = ServerProcess::start(ServerOptions { arguments, parent_dir }).await?;
    let client = server.client()?;
    let server_usage = || Usage::of(server.pid().unwrap_or_default());
    let without_agents = server_usage()?;
    let since = Instant::now();
    let agents = FleetProcess::start(&server, &size.options()).await?;
    let joining = since.elapsed();
    client.call(&calls::definition()).await?;
    let joined = server_usage()?;
    let agents_joined = agents.usage()?;
    let own = Usage::of(std::process::id())?;

    let since = Instant::now();
    let calls = Calls::make(&client, size.tasks, since + size.at_most, &server_usage).await?;
    if calls.started < 10 {
        bail!("no task was started in {:?}", size.at_most);
    }
    // Where they end by themselves, some have while others are still being started.
    let (until, running) = match size.runs_for {
        Some(_) => ("ended", 0),
        None => ("RUNNING", calls.started),
    };
    settled(&client, running).await?;
    let all = since.elapsed();
    let server_end = server_usage()?;
    let agents_end = agents.usage()?;
    let own_end = Usage::of(std::process::id())?;

    let tasks = f64::from(calls.started);
    let a_task =
        |end: Usage, begin: Usage| end.cpu.saturating_sub(begin.cpu).as_secs_f64() * 1e6 / tasks;
    let agents_count = f64::from(size.agents);
    let an_agent = |it: f64| it / agents_count / 1024.0;
    let bytes = |it: Usage| it.resident_bytes as f64;
    let what = format!("RunTask, {} tasks on {} simulated agents", calls.started, size.agents);
    table.add(what, Goal::AtLeast(8300.0), calls.rate(), "tasks/s");
    if calls.started < size.tasks {
        table.add("  time was over before so many tasks", Goal::None, size.tasks.into(), "tasks");
    }
    let (first, last) = calls.first_and_last();
    table.add(format!("  the first {}", calls.window), Goal::None, first, "tasks/s");
    table.add(format!("  the last {}", calls.window), Goal::None, last, "tasks/s");
    table.add("  the last, as many times as slow", Goal::AtMost(1.1), first / last, "times");
    let what = format!("  until all are {until}").replace("are ended", "have ended");
    table.add(what, Goal::None, tasks / all.as_secs_f64(), "tasks/s");
    let latencies = millis(&calls.latencies);
    table.add("  a call for ten, p50", Goal::None, latencies.median(), "ms");
    table.add("  a call for ten, p99", Goal::None, latencies.percentile(99), "ms");
    table.add("  wall time", Goal::None, all.as_secs_f64(), "s");
    let server_cpu = server_end.cpu.saturating_sub(joined.cpu).as_secs_f64();
    table.add("  CPU of the server", Goal::None, server_cpu, "s");
    table.add("  CPU of the server a task", Goal::None, a_task(server_end, joined), "us");
    table.add("  CPU of the agents a task", Goal::None, a_task(agents_end, agents_joined), "us");
    table.add("  CPU of the callers a task", Goal::None, a_task(own_end, own), "us");
    let gib = |bytes: f64| bytes / 1024.0 / 1024.0 / 1024.0;
    let most = calls.most_resident_bytes.max(server_end.resident_bytes) as f64;
    table.add("  memory of the server, at most", Goal::AtMost(4.0), gib(most), "GiB");
    table.add("  memory of the server at the end", Goal::None, gib(bytes(server_end)), "GiB");
    let each = (bytes(server_end) - bytes(joined)) / tasks;
    table.add("  memory of the server a task", Goal::None, each, "bytes");
    let each = an_agent(bytes(joined) - bytes(without_agents));
    table.add("  memory of the server an idle agent", Goal::None, each, "KiB");
    table.add("  memory of an idle agent", Goal::None, an_agent(bytes(agents_joined)), "KiB");
    let each = (bytes(agents_end) - bytes(agents_joined)) / tasks;
    table.add("  memory of the agents a task", Goal::None, each, "bytes");
    let joins = agents_count / joining.as_secs_f64();
    table.add("  agents joined", Goal::None, joins, "agents/s");
    Ok(())
}

/// Waits until no task is PENDING and so many are RUNNING.
pub(crate) async fn settled(client: &Client, running: u32) -> anyhow::Result<()> {
    let (since, wanted) = (Instant::now(), i32::try_from(running)?);
    loop {
        let answer = client.call(&ecs::DescribeClustersRequest::default()).await?;
        let cluster = answer.clusters.unwrap_or_default().into_iter().next();
        let counts = cluster.and_then(|it| it.pending_tasks_count.zip(it.running_tasks_count));
        let (pending, running) = counts.unwrap_or_default();
        if pending == 0 && running == wanted {
            return Ok(());
        }
        if since.elapsed() > PATIENCE {
            bail!("{running} of {wanted} tasks are RUNNING after {PATIENCE:?} more");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
