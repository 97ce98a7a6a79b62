//! DescribeTasks of 100 among a million tasks.

use std::time::{Duration, Instant};

use longshore_load::{Random, Usage};
use longshore_wire::ecs;
use tokio::task::block_in_place;

use super::caller::{Load, drive};
use crate::Setting;
use crate::figures::{Goal, Table, millis};
use crate::world::{Work, World};

const TASKS: u32 = 1_000_000;

/// Requests that are made beforehand, each for 100 tasks chosen anywhere.
const REQUESTS: usize = 1000;

const SPAN: Duration = Duration::from_secs(5);
const MOST_CALLS: usize = 50_000;

pub(crate) async fn measure(setting: &Setting, table: &mut Table) -> anyhow::Result<()> {
    let mut world = World::begin(setting, Work::TakeIn).await?;
    let took = world.run_tasks(TASKS).await?;
    let rate = f64::from(TASKS) / took.as_secs_f64();
    table.add("a million tasks made by RunTask of 10", Goal::None, rate, "tasks/s");
    world.dismiss_agents();
    let since = Instant::now();
    let tasks = all_tasks(&world).await?;
    let page = since.elapsed().as_secs_f64() * 1e5 / tasks.len() as f64;
    table.add("ListTasks among them, page by page, mean", Goal::None, page, "ms");
    let mut random = Random::new(1);
    let mut request = || {
        let any = (0..100).filter_map(|_| random.choose(&tasks).cloned());
        world.client.signed_bytes(&ecs::DescribeTasksRequest {
            tasks: Some(any.collect()),
            ..ecs::DescribeTasksRequest::default()
        })
    };
    let requests = (0..REQUESTS).map(|_| request()).collect::<anyhow::Result<Vec<_>>>()?;
    for connections in super::CONNECTIONS {
        let address = world.server.authority().parse()?;
        let load = Load { address, requests: &requests, connections, span: SPAN, most: MOST_CALLS };
        let before = world.usage()?;
        let outcome = block_in_place(|| drive(&load))?;
        let cpu = world.usage()?.cpu.saturating_sub(before.cpu);
        let latencies = millis(&outcome.latencies);
        let calls = outcome.latencies.len() as f64;
        let plural = if connections == 1 { "" } else { "s" };
        table.add(
            format!("DescribeTasks of 100 in a million, {connections} connection{plural}, p99"),
            Goal::AtMost(5.0),
            latencies.percentile(99),
            "ms",
        );
        table.add("  p50", Goal::None, latencies.median(), "ms");
        let rate = calls / outcome.wall.as_secs_f64();
        table.add("  calls", Goal::None, rate, "/s");
        table.add("  CPU of the server a call", Goal::None, cpu.as_secs_f64() * 1e6 / calls, "us");
    }
    let Usage { resident_bytes, .. } = world.usage()?;
    let bytes = resident_bytes as f64 / f64::from(TASKS);
    table.add("  memory of the server by tasks", Goal::None, bytes, "bytes");
    Ok(())
}

/// The ARNs of all tasks, by ListTasks.
async fn all_tasks(world: &World) -> anyhow::Result<Vec<String>> {
    let mut tasks = Vec::new();
    let mut next_token = None;
    loop {
        let request = ecs::ListTasksRequest { next_token, ..ecs::ListTasksRequest::default() };
        let page = world.client.call(&request).await?;
        tasks.extend(page.task_arns.unwrap_or_default());
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(tasks);
        }
    }
}
