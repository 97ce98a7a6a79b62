//! Callers that start tasks as fast as they are answered, and the times at which they were.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use longshore_load::{Client, Usage};
use longshore_wire::ecs;
use tokio::task::JoinSet;

use crate::world::TASKS_A_CALL;

/// Calls that are under way at once, each with a connection of its own.
const CALLERS: u32 = 16;

/// Between two lines that say how far it has come.
const PROGRESS: Duration = Duration::from_secs(5);

/// The rate of the first and of the last so many tasks is told; less where there are few.
const WINDOW: u32 = 100_000;

/// Of a task.
pub(crate) const MEMORY_MIB: u32 = 64;

/// What was answered.
pub(crate) struct Calls {
    /// Tasks.
    pub(crate) started: u32,
    /// Tasks whose rate is told.
    pub(crate) window: u32,
    /// Of each call, in the order of their answers.
    pub(crate) latencies: Vec<Duration>,
    /// The most memory that the server was seen to have.
    pub(crate) most_resident_bytes: u64,
    /// When each call was answered, since the first began, in order.
    answered: Vec<Duration>,
}

impl Calls {
    /// Starts so many tasks, or as many as can be before the deadline.
    pub(crate) async fn make(
        client: &Client,
        tasks: u32,
        deadline: Instant,
        server_usage: &impl Fn() -> anyhow::Result<Usage>,
    ) -> anyhow::Result<Self> {
        let left = Arc::new(AtomicU32::new(tasks / TASKS_A_CALL));
        let (since, mut callers) = (Instant::now(), JoinSet::new());
        for _ in 0..CALLERS {
            callers.spawn(caller(client.clone(), Arc::clone(&left), since, deadline));
        }
        let most_resident_bytes = Cell::new(0);
        let progress = async {
            let mut before = tasks;
            loop {
                tokio::time::sleep(PROGRESS).await;
                let now = left.load(Ordering::Relaxed) * TASKS_A_CALL;
                let rate = f64::from(before.saturating_sub(now)) / PROGRESS.as_secs_f64();
                let resident = match server_usage() {
                    Ok(usage) => usage.resident_bytes,
                    Err(error) => return error,
                };
                most_resident_bytes.set(most_resident_bytes.get().max(resident));
                eprintln!(
                    "{} of {tasks} tasks, {rate:.0} tasks/s, the server has {} MiB",
                    tasks.saturating_sub(now),
                    resident / 1024 / 1024
                );
                before = now;
            }
        };
        let all = async {
            let mut answers = Vec::new();
            while let Some(ended) = callers.join_next().await {
                answers.extend(ended??);
            }
            anyhow::Ok(answers)
        };
        let mut answers = tokio::select! {
            answers = all => answers?,
            error = progress => return Err(error),
        };
        answers.sort_by_key(|it| it.at);
        let started = u32::try_from(answers.len())? * TASKS_A_CALL;
        Ok(Self {
            started,
            window: WINDOW.min(started / 4).max(TASKS_A_CALL),
            most_resident_bytes: most_resident_bytes.get(),
            latencies: answers.iter().map(|it| it.took).collect(),
            answered: answers.iter().map(|it| it.at).collect(),
        })
    }

    /// Tasks a second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.started) / self.answered.last().map_or(f64::NAN, Duration::as_secs_f64)
    }

    /// Tasks a second, of the first and of the last ones.
    pub(crate) fn first_and_last(&self) -> (f64, f64) {
        let calls = usize::try_from(self.window / TASKS_A_CALL).unwrap_or(1);
        let at = |call: usize| match call {
            0 => Duration::ZERO,
            _ => self.answered.get(call - 1).copied().unwrap_or_default(),
        };
        let all = self.answered.len();
        let rate = |from: usize, to: usize| {
            f64::from(self.window) / at(to).saturating_sub(at(from)).as_secs_f64()
        };
        (rate(0, calls.min(all)), rate(all.saturating_sub(calls), all))
    }
}

/// A call that was answered.
struct Answer {
    /// Since the first call began.
    at: Duration,
    took: Duration,
}

async fn caller(
    client: Client,
    left: Arc<AtomicU32>,
    since: Instant,
    deadline: Instant,
) -> anyhow::Result<Vec<Answer>> {
    let (request, mut answers) = (request(), Vec::new());
    let take = |it: u32| it.checked_sub(1);
    while Instant::now() < deadline
        && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    {
        let begun = Instant::now();
        let answer = client.call(&request).await?;
        if answer.tasks.as_ref().map(Vec::len) != usize::try_from(TASKS_A_CALL).ok() {
            bail!("not all tasks were placed: {:?}", answer.failures);
        }
        answers.push(Answer { at: since.elapsed(), took: begun.elapsed() });
    }
    Ok(answers)
}

/// Of every task.
pub(crate) fn definition() -> ecs::RegisterTaskDefinitionRequest {
    let container = ecs::ContainerDefinition {
        name: Some("main".into()),
        image: Some("image".into()),
        cpu: Some(1),
        memory: i32::try_from(MEMORY_MIB).ok(),
        ..ecs::ContainerDefinition::default()
    };
    ecs::RegisterTaskDefinitionRequest {
        family: Some("fleet".into()),
        container_definitions: Some(vec![container]),
        ..ecs::RegisterTaskDefinitionRequest::default()
    }
}

/// Over the zones in turn, and in each on the instance that has the least memory left.
pub(crate) fn request() -> ecs::RunTaskRequest {
    let strategy = |kind: &str, field: &str| ecs::PlacementStrategy {
        kind: Some(kind.into()),
        field: Some(field.into()),
    };
    let constraint = ecs::PlacementConstraint {
        kind: Some("memberOf".into()),
        expression: Some("attribute:stack == prod and attribute:ecs.os-type == linux".into()),
    };
    ecs::RunTaskRequest {
        task_definition: Some("fleet".into()),
        count: i32::try_from(TASKS_A_CALL).ok(),
        placement_constraints: Some(vec![constraint]),
        placement_strategy: Some(vec![
            strategy("spread", "attribute:ecs.availability-zone"),
            strategy("binpack", "memory"),
        ]),
        ..ecs::RunTaskRequest::default()
    }
}
