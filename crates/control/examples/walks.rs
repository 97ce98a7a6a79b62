//! Measures what looks at very many tasks: `cargo run --release -p longshore-control --example
//! walks [TASKS]`.
//!
//! Prints what it takes to find the tasks to be forgotten among so many live ones, beside what a
//! look at all of them takes, and what forgetting them takes. Medians of nine.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_control::Control;
use longshore_control::reap::{KEEP_SECS, Overdue};
use longshore_model::{
    Clock, ClusterName, Container, ContainerDefinition, ContainerId, DefinitionKey, DesiredStatus,
    Ids, InstanceId, LastStatus, Owner, Task, TaskDefinition, TaskId, Timestamp,
};
use longshore_store::{MemoryJournal, State, Store, StoreError};

const NOW: Timestamp = Timestamp::from_millis(1_500_000_000_000);
const INSTANCES: u128 = 6_100;
const BATCH: u32 = 10_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        NOW
    }
}

impl Ids for Fixed {
    fn next_bits(&self) -> u128 {
        0
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tasks = std::env::args().nth(1).map_or(Ok(1_000_000), |it| it.parse())?;
    let owner = Owner { region: "us-east-1".into(), account: "123456789012".into() };
    let store = Store::open_inline(MemoryJournal::default())?;
    let control = Control::new(store.clone(), Arc::new(Fixed), Arc::new(Fixed), owner);
    let definition = definition()?;
    store
        .update(|tx| {
            tx.put_definition(definition.clone());
            Ok::<_, StoreError>(())
        })
        .await?;
    let (cluster, name) = ("default".parse()?, definition.containers[0].name.clone());
    let made =
        |number: u32, last_status| task(number, &cluster, &definition.key, &name, last_status);
    put(&store, 0..tasks, |it| made(it, LastStatus::Running)).await?;
    for due in [0, 1_000, 100_000] {
        put(&store, tasks..tasks + due, |it| made(it, LastStatus::Stopped)).await?;
        let state = control.view();
        let found = median(|| Overdue::of(&state, NOW, KEEP_SECS).tasks.len());
        let walked = median(|| walk(&state));
        let since = Instant::now();
        let forgotten = control.reap().await?.tasks.len();
        println!(
            "{tasks} live tasks, {forgotten} due: found in {found:.1?}, by a look at all in \
             {walked:.1?}, forgotten in {:.1?}",
            since.elapsed()
        );
    }
    Ok(())
}

/// What the index saves.
fn walk(state: &State) -> usize {
    let is_over = |it: &&Arc<Task>| {
        it.last_status == LastStatus::Stopped
            && it.stopped_at.is_some_and(|it| it.plus_secs(KEEP_SECS) < NOW)
    };
    state.all_tasks().filter(is_over).map(|it| it.id).collect::<Vec<_>>().len()
}

fn median<T>(measured: impl Fn() -> T) -> Duration {
    let mut times = [(); 9].map(|()| {
        let since = Instant::now();
        std::hint::black_box(measured());
        since.elapsed()
    });
    times.sort_unstable();
    times[4]
}

async fn put(
    store: &Store,
    numbers: std::ops::Range<u32>,
    task: impl Fn(u32) -> Task,
) -> Result<(), StoreError> {
    for first in numbers.clone().step_by(BATCH as usize) {
        let batch = first..numbers.end.min(first + BATCH);
        store
            .update(|tx| {
                batch.for_each(|it| tx.put_task(task(it)));
                Ok::<_, StoreError>(())
            })
            .await?;
    }
    Ok(())
}

fn definition() -> Result<TaskDefinition, Box<dyn Error>> {
    let container = ContainerDefinition::new("web".parse()?, "busybox".into());
    let key = DefinitionKey { family: "web".parse()?, revision: 1 };
    Ok(TaskDefinition::new(key, vec![container], NOW))
}

fn task(
    number: u32,
    cluster: &ClusterName,
    definition: &DefinitionKey,
    name: &longshore_model::ContainerName,
    last_status: LastStatus,
) -> Task {
    let has_ended = last_status == LastStatus::Stopped;
    let container = Container {
        id: ContainerId::new(NOW, number.into()),
        name: name.clone(),
        last_status,
        exit_code: None,
        reason: None,
        network_bindings: Box::default(),
        runtime_id: None,
        image_digest: None,
        health: None,
        health_since: None,
    };
    Task {
        id: TaskId::new(NOW, number.into()),
        arn_form: Default::default(),
        cluster: cluster.clone(),
        definition: definition.clone(),
        container_instance: InstanceId::new(NOW, u128::from(number) % INSTANCES),
        overrides: None,
        last_status,
        desired_status: if has_ended { DesiredStatus::Stopped } else { DesiredStatus::Running },
        containers: [container].into(),
        started_by: None,
        group: "family:web".into(),
        tags: Default::default(),
        launch_type: Default::default(),
        client_token: None,
        version: 1,
        stopped_reason: None,
        stop_code: None,
        created_at: NOW,
        started_at: None,
        stopping_at: None,
        stopped_at: has_ended.then(|| NOW.plus_secs(-KEEP_SECS - 1 - i64::from(number % 60))),
        pull_started_at: None,
        pull_stopped_at: None,
        execution_stopped_at: None,
        lost: None,
    }
}
