//! Measures the store on this machine: `cargo run --release --example figures [TASKS] [DIR]`.
//!
//! Prints what one sync of the same disk takes, how many tasks a second 64 concurrent callers
//! create and update, the memory and disk that a task takes, how long a restart is, and what a
//! snapshot takes.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use longshore_model::{
    Cluster, ClusterName, ClusterStatus, Container, ContainerDefinition, ContainerId,
    ContainerInstance, DefinitionKey, DesiredStatus, InstanceId, InstanceStatus, LastStatus, Owner,
    Resources, Task, TaskDefinition, TaskId, Timestamp,
};
use longshore_store::snapshot::{self, Header};
use longshore_store::{EmbeddedJournal, State, Store, StoreError};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CALLERS: usize = 64;
const TASKS_A_CALL: usize = 10;
const INSTANCES: u64 = 1_000;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("reopen") {
        return reopen(Path::new(&arguments.next().ok_or("which file?")?));
    }
    let tasks = first.map_or(Ok(100_000), |it| it.parse())?;
    let kept = arguments.next().map(PathBuf::from);
    let temporary = tempfile::tempdir()?;
    let dir = kept.as_deref().unwrap_or(temporary.path());
    println!("sync of this disk: {:.2?} (median of 200)", sync_time(dir)?);
    let path = dir.join("figures.redb");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(fill(&path, tasks))?;
    println!("file: {} bytes a task", fs::metadata(&path)?.len() / tasks as u64);
    let status = Command::new(std::env::current_exe()?).arg("reopen").arg(&path).status()?;
    if status.success() { Ok(()) } else { Err("the second process failed".into()) }
}

/// What it takes to write one page and have it on the disk.
fn sync_time(dir: &Path) -> Outcome<Duration> {
    let mut file = File::create(dir.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied().ok_or("nothing was measured".into())
}

/// Creates tasks ten a call, and then reports each of them as running in a call of its own.
async fn fill(path: &Path, tasks: usize) -> Outcome<()> {
    let idle = Usage::now()?;
    let store = Store::open(EmbeddedJournal::open(path)?)?;
    let kind = Arc::new(prepare(&store).await?);
    let start = (Instant::now(), Usage::now()?);
    let left = Arc::new(AtomicUsize::new(tasks / TASKS_A_CALL));
    let commits = Arc::new(AtomicU64::new(0));
    let watcher = tokio::spawn(count_commits(store.clone(), Arc::clone(&commits)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(call(store.clone(), Arc::clone(&left), Arc::clone(&kind))))
        .collect();
    let mut slowest = Duration::ZERO;
    for caller in callers {
        slowest = slowest.max(caller.await??);
    }
    let (took, used) = (start.0.elapsed(), Usage::now()?);
    watcher.abort();
    let updates = tasks / TASKS_A_CALL + tasks;
    let commits = commits.load(Ordering::Relaxed);
    println!(
        "{tasks} tasks created and once updated in {took:.2?}: {:.0} tasks/s, {:.0} updates/s, \
         {:.0} updates and {:.2?} a commit, slowest call {slowest:.2?}",
        tasks as f64 / took.as_secs_f64(),
        updates as f64 / took.as_secs_f64(),
        updates as f64 / commits as f64,
        took.checked_div(u32::try_from(commits)?).unwrap_or_default(),
    );
    let cpu = used.cpu.saturating_sub(start.1.cpu);
    println!("CPU: {cpu:.2?}, {:.1} us an update", cpu.as_micros() as f64 / updates as f64);
    println!("memory, as written: {} bytes a task", used.memory_since(idle) / tasks as u64);
    store.view().check_derived()?;
    save(&store.view(), &path.with_extension("snapshot"))?;
    store.shutdown().await;
    Ok(())
}

/// Writes a snapshot and reads it.
fn save(state: &State, path: &Path) -> Outcome<()> {
    let owner = Owner { region: "us-east-1".into(), account: "123456789012".into() };
    let header = Header { taken_at: bits().0, owner, has_fargate: false, cluster: None };
    let start = Instant::now();
    snapshot::write(state, &header, &mut BufWriter::new(File::create(path)?))?;
    let (written, start) = (start.elapsed(), Instant::now());
    let read = snapshot::read(BufReader::new(File::open(path)?))?;
    let (took, size) = (start.elapsed(), fs::metadata(path)?.len());
    let (instances, tasks) = (read.state.all_instances().count(), read.state.all_tasks().count());
    println!(
        "snapshot of {instances} instances and {tasks} tasks: {size} bytes, written in \
         {written:.2?}, read in {took:.2?}"
    );
    Ok(())
}

async fn count_commits(store: Store, count: Arc<AtomicU64>) {
    let mut watch = store.watch();
    loop {
        if watch.next().await.is_ok() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn call(
    store: Store,
    left: Arc<AtomicUsize>,
    kind: Arc<Kind>,
) -> Result<Duration, StoreError> {
    let mut slowest = Duration::ZERO;
    let take = |it: usize| it.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        let start = Instant::now();
        let made = store
            .update(|tx| {
                let made: [_; TASKS_A_CALL] = std::array::from_fn(|_| Arc::new(kind.task()));
                made.iter().for_each(|it| tx.put_task(Arc::clone(it)));
                Ok::<_, StoreError>(made)
            })
            .await?;
        slowest = slowest.max(start.elapsed());
        let mut reports = JoinSet::new();
        for task in made {
            let store = store.clone();
            reports.spawn(async move { report(&store, &task).await });
        }
        for took in reports.join_all().await {
            slowest = slowest.max(took?);
        }
    }
    Ok(slowest)
}

/// Makes a task RUNNING, as its agent's report does.
async fn report(store: &Store, task: &Task) -> Result<Duration, StoreError> {
    let start = Instant::now();
    store
        .update(|tx| {
            tx.put_task(running(task));
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(start.elapsed())
}

/// What all the tasks have in common.
struct Kind {
    cluster: ClusterName,
    definition: TaskDefinition,
    group: Arc<str>,
}

async fn prepare(store: &Store) -> Outcome<Kind> {
    let cluster: ClusterName = "default".parse()?;
    let definition = definition()?;
    store
        .update(|tx| {
            tx.put_definition(definition.clone());
            let name = cluster.clone();
            tx.put_cluster(Cluster {
                name,
                status: ClusterStatus::Active,
                created_at: NOW,
                deleted_at: None,
                placement_failures: 0,
                tags: Default::default(),
            });
            (0..INSTANCES).for_each(|it| tx.put_instance(instance(it, &cluster)));
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(Kind { cluster, definition, group: "family:web".into() })
}

const NOW: Timestamp = Timestamp::from_millis(1_500_000_000_000);

static NEXT: AtomicU64 = AtomicU64::new(1);

fn bits() -> (Timestamp, u128) {
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let random = u128::from(next).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834);
    (NOW.plus_secs(i64::try_from(next / 5_000).unwrap_or(0)), random)
}

fn instance(number: u64, cluster: &ClusterName) -> ContainerInstance {
    ContainerInstance {
        id: InstanceId::new(NOW, number.into()),
        arn_form: Default::default(),
        cluster: cluster.clone(),
        status: InstanceStatus::Active,
        agent_connected: false,
        connected_at: None,
        away_since: None,
        version: 1,
        registered: Resources { cpu_units: 1 << 20, memory_mib: 1 << 20 },
        reserved_ports_tcp: [22, 2375, 2376, 51678, 51679].into(),
        reserved_ports_udp: [].into(),
        attributes: vec![],
        ec2_instance_id: None,
        version_info: Default::default(),
        registered_at: NOW,
        deregistered_at: None,
        tags: Default::default(),
    }
}

impl Kind {
    fn task(&self) -> Task {
        let (now, random) = bits();
        let container = |name| Container {
            id: ContainerId::new(now, random),
            name,
            last_status: LastStatus::Pending,
            exit_code: None,
            reason: None,
            network_bindings: Box::default(),
            runtime_id: None,
            image_digest: None,
            health: None,
            health_since: None,
        };
        let containers = &self.definition.containers;
        Task {
            id: TaskId::new(now, random),
            arn_form: Default::default(),
            cluster: self.cluster.clone(),
            definition: self.definition.key.clone(),
            container_instance: InstanceId::new(NOW, (random >> 40) % u128::from(INSTANCES)),
            overrides: None,
            last_status: LastStatus::Pending,
            desired_status: DesiredStatus::Running,
            containers: containers.iter().map(|it| container(it.name.clone())).collect(),
            started_by: None,
            group: Arc::clone(&self.group),
            tags: Default::default(),
            launch_type: Default::default(),
            client_token: None,
            version: 1,
            stopped_reason: None,
            stop_code: None,
            created_at: now,
            started_at: None,
            stopping_at: None,
            stopped_at: None,
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
            lost: None,
        }
    }
}

fn running(task: &Task) -> Task {
    let mut task = task.clone();
    task.last_status = LastStatus::Running;
    task.version += 1;
    task.started_at = Some(NOW);
    for container in &mut task.containers {
        container.last_status = LastStatus::Running;
        container.runtime_id = Some(format!("{0:032x}{0:032x}", container.id.bits()).into());
    }
    task
}

fn definition() -> Outcome<TaskDefinition> {
    let container: ContainerDefinition = serde_json::from_value(serde_json::json!({
        "name": "web", "image": "busybox", "cpu_units": 1, "memory_mib": 1,
        "port_mappings": [], "essential": true, "environment": [],
        "mount_points": [], "volumes_from": [],
    }))?;
    let key = DefinitionKey { family: "web".parse()?, revision: 1 };
    Ok(TaskDefinition::new(key, vec![container], NOW))
}

/// What this process has used so far.
#[derive(Clone, Copy)]
struct Usage {
    cpu: Duration,
    memory_bytes: u64,
}

impl Usage {
    fn now() -> Outcome<Self> {
        let stat = fs::read_to_string("/proc/self/stat")?;
        let after_name = stat.rsplit(')').next().ok_or("no name in stat")?;
        let ticks: u64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|it| it.parse::<u64>().ok())
            .sum();
        let pages: u64 = fs::read_to_string("/proc/self/statm")?
            .split_whitespace()
            .nth(1)
            .ok_or("no pages in statm")?
            .parse()?;
        Ok(Self { cpu: Duration::from_millis(ticks * 10), memory_bytes: pages * 4096 })
    }

    fn memory_since(self, before: Self) -> u64 {
        self.memory_bytes.saturating_sub(before.memory_bytes)
    }
}

/// A restart: what reading everything takes, in a process that has done nothing else.
fn reopen(path: &Path) -> Outcome<()> {
    let (start, idle) = (Instant::now(), Usage::now()?);
    let store = Store::open(EmbeddedJournal::open(path)?)?;
    let (took, used) = (start.elapsed(), Usage::now()?);
    let tasks = store.view().all_tasks().count() as u64;
    println!(
        "restart with {tasks} tasks: {took:.2?}, {} bytes a task",
        used.memory_since(idle) / tasks
    );
    store.view().check_derived()?;
    Ok(())
}
