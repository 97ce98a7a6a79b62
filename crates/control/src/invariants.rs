//! Whatever is asked for, in whatever order: instances are never over-committed, nothing moves
//! back, versions tell of every change, and a restart changes nothing but who is connected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use longshore_model::container_definition::{PortMapping, Protocol};
use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    Clock, ClusterName, ContainerOverride, DesiredStatus, Ids, InstanceId, LastStatus, Overrides,
    Owner, Resources, Task, TaskId, Timestamp,
};
use longshore_store::{MemoryJournal, State, Store};
use proptest::prelude::*;

use crate::Control;
use crate::container_instances::Registration;
use crate::reference::DefinitionReference;
use crate::task_definitions;
use crate::tasks::{ContainerReport, Launch, RunTask, StartTask, StopTask, TaskReport};
use crate::testing::container;

/// Something that a caller, an agent or time does. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Join { memory_mib: u32 },
    Connect { instance: usize, connected: bool },
    Run { ports: bool, count: u32, memory_mib: Option<u32> },
    Start { ports: bool, instance: usize },
    Stop { task: usize },
    Report { task: usize, status: Option<LastStatus>, container: Option<LastStatus> },
    Wait { seconds: i64 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let status = || prop::sample::select(LastStatus::ALL);
    prop_oneof![
        1 => (0..2000_u32).prop_map(|memory_mib| Step::Join { memory_mib }),
        2 => (any::<usize>(), any::<bool>())
            .prop_map(|(instance, connected)| Step::Connect { instance, connected }),
        4 => (any::<bool>(), 1..=10_u32, prop::option::of(4..3000_u32))
            .prop_map(|(ports, count, memory_mib)| Step::Run { ports, count, memory_mib }),
        2 => (any::<bool>(), any::<usize>())
            .prop_map(|(ports, instance)| Step::Start { ports, instance }),
        3 => any::<usize>().prop_map(|task| Step::Stop { task }),
        8 => (any::<usize>(), prop::option::of(status()), prop::option::of(status()))
            .prop_map(|(task, status, container)| Step::Report { task, status, container }),
        1 => (1..4000_i64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Restart),
    ]
}

#[derive(Default)]
struct Hands {
    millis: AtomicI64,
    bits: AtomicU64,
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

impl Ids for Hands {
    fn next_bits(&self) -> u128 {
        self.bits.fetch_add(1, Ordering::Relaxed).into()
    }
}

struct World {
    control: Control,
    journal: MemoryJournal,
    hands: Arc<Hands>,
}

fn cluster() -> ClusterName {
    "default".parse().unwrap()
}

fn open(journal: &MemoryJournal, hands: &Arc<Hands>) -> Control {
    let store = Store::open_inline(journal.clone()).unwrap();
    let owner = Owner { region: "us-east-1".into(), account: "123456789012".into() };
    Control::new(store, hands.clone(), hands.clone(), owner)
}

impl World {
    async fn new() -> Self {
        let (journal, hands) = (MemoryJournal::default(), Arc::default());
        let control = open(&journal, &hands);
        control.create_cluster(cluster(), Default::default()).await.unwrap();
        for family in ["plain", "ports"] {
            let mut main = container("main");
            if family == "ports" {
                let protocol = Protocol::Tcp;
                let (container_port, host_port) = (80, 80);
                main.port_mappings =
                    vec![PortMapping { container_port, host_port, protocol, name: None }];
            }
            let family = family.parse().unwrap();
            let registration = task_definitions::Registration::new(family, vec![main]);
            control.register_task_definition(registration).await.unwrap();
        }
        Self { control, journal, hands }
    }

    fn launch(ports: bool, overrides: Option<Overrides>) -> Launch {
        let family = if ports { "ports" } else { "plain" };
        Launch {
            cluster: cluster(),
            definition: DefinitionReference { family: family.parse().unwrap(), revision: None },
            overrides: overrides.map(Arc::new),
            started_by: None,
            group: None,
            tags: Default::default(),
        }
    }

    fn instance(&self, number: usize) -> Option<InstanceId> {
        let state = self.control.view();
        let all: Vec<InstanceId> = state.all_instances().map(|it| it.id).collect();
        all.get(number % all.len().max(1)).copied()
    }

    fn task(&self, number: usize) -> TaskId {
        let state = self.control.view();
        let all: Vec<TaskId> = state.all_tasks().map(|it| it.id).collect();
        all.get(number % all.len().max(1)).copied().unwrap_or(TaskId::from_bits(7))
    }

    /// Does it; what is refused is as good as what is done.
    async fn take(&mut self, step: Step) {
        let control = &self.control;
        match step {
            Step::Join { memory_mib } => {
                let registration = Registration {
                    cluster: cluster(),
                    container_instance: None,
                    resources: Resources { cpu_units: 1024, memory_mib },
                    reserved_ports_tcp: BTreeSet::from([22]),
                    reserved_ports_udp: BTreeSet::new(),
                    attributes: vec![],
                    ec2_instance_id: None,
                    version_info: VersionInfo::default(),
                    tags: Default::default(),
                };
                control.register_container_instance(registration).await.unwrap();
            }
            Step::Connect { instance, connected } => {
                if let Some(id) = self.instance(instance) {
                    control.set_agent_connected(id, connected, None).await.unwrap();
                }
            }
            Step::Run { ports, count, memory_mib } => {
                let entry = memory_mib.map(|_| ContainerOverride {
                    name: "main".parse().unwrap(),
                    command: None,
                    environment: None,
                    cpu_units: None,
                    memory_mib,
                    memory_reservation_mib: None,
                });
                let overrides = entry
                    .map(|entry| Overrides { containers: vec![entry], ..Overrides::default() });
                let request = RunTask {
                    launch: Self::launch(ports, overrides),
                    client_token: None,
                    count,
                    constraints: vec![],
                    strategies: vec![],
                };
                let _ = control.run_task(request).await;
            }
            Step::Start { ports, instance } => {
                let container_instances = self.instance(instance).into_iter().collect();
                let launch = Self::launch(ports, None);
                let _ = control.start_task(StartTask { launch, container_instances }).await;
            }
            Step::Stop { task } => {
                let task = self.task(task);
                let _ =
                    control.stop_task(StopTask { cluster: cluster(), task, reason: None }).await;
            }
            Step::Report { task, status, container } => {
                let container = container.map(|status| ContainerReport {
                    name: "main".parse().unwrap(),
                    status,
                    exit_code: None,
                    reason: None,
                    network_bindings: vec![],
                    runtime_id: None,
                    image_digest: None,
                    health: None,
                });
                let report = TaskReport {
                    cluster: cluster(),
                    task: self.task(task),
                    status,
                    reason: None,
                    containers: container.into_iter().collect(),
                    pull_started_at: None,
                    pull_stopped_at: None,
                    execution_stopped_at: None,
                };
                control.record_report(report).await.unwrap();
            }
            Step::Wait { seconds } => {
                self.hands.millis.fetch_add(seconds * 1000, Ordering::Relaxed);
                control.reap().await.unwrap();
            }
            Step::Restart => {
                let before = tasks(&control.view());
                self.control = open(&self.journal, &self.hands);
                self.control.forget_connections().await.unwrap();
                assert_eq!(tasks(&self.control.view()), before);
            }
        }
    }
}

fn tasks(state: &State) -> BTreeMap<TaskId, Task> {
    state.all_tasks().map(|it| (it.id, Task::clone(it))).collect()
}

fn check_instances(state: &State) {
    state.check_derived().unwrap();
    for instance in state.all_instances() {
        let occupancy = state.occupancy(instance.id);
        assert!(occupancy.taken.cpu_units <= instance.registered.cpu_units);
        assert!(occupancy.taken.memory_mib <= instance.registered.memory_mib);
        let with_port = occupancy.tasks.iter().filter_map(|it| state.task(*it));
        let with_port = with_port.filter(|it| it.definition.family.as_str() == "ports").count();
        assert_eq!(with_port, occupancy.ports_tcp.size(), "a port is given to one task");
    }
}

/// What a step may make of a task.
fn check_step(before: &Task, after: &Task) {
    assert!(before.last_status <= after.last_status);
    assert!(before.desired_status <= after.desired_status);
    assert_eq!(after.version > before.version, after != before, "{before:?} {after:?}");
    assert!(before.stopped_reason.is_none() || before.stopped_reason == after.stopped_reason);
    for (before, after) in before.containers.iter().zip(&after.containers) {
        assert!(before.last_status <= after.last_status);
    }
}

fn check_task(task: &Task) {
    let stopped = task.last_status == LastStatus::Stopped;
    let is_wished = task.desired_status == DesiredStatus::Stopped;
    assert!(is_wished || !stopped, "what has stopped was to stop");
    assert_eq!(task.stopped_at.is_some(), stopped);
    assert_eq!(task.stopping_at.is_some(), is_wished);
    assert_eq!(task.stopped_reason.is_some(), is_wished);
    assert_eq!(task.stop_code.is_some(), is_wished);
    assert!(task.started_at.is_some() || task.last_status != LastStatus::Running);
    assert!(!stopped || task.containers.iter().all(|it| it.last_status == LastStatus::Stopped));
}

async fn check(steps: Vec<Step>) {
    let mut world = World::new().await;
    let mut before = BTreeMap::new();
    for step in steps {
        world.take(step).await;
        let state = world.control.view();
        check_instances(&state);
        let after = tasks(&state);
        for (id, task) in &after {
            check_task(task);
            if let Some(before) = before.get(id) {
                check_step(before, task);
            }
        }
        before = after;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_steps_breaks_an_invariant(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(steps));
    }
}
