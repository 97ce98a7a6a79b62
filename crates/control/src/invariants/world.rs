//! A control plane, and hands that do to it what a step says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use longshore_model::container_definition::{PortMapping, Protocol};
use longshore_model::container_instance::VersionInfo;
use longshore_model::lost_after::LOST_AFTER;
use longshore_model::{
    Attribute, ClusterName, ContainerInstance, ContainerOverride, DefinitionKey, InstanceStatus,
    LastStatus, Overrides, Owner, Resources, Tag, Tags, Task,
};
use longshore_store::{MemoryJournal, State, Store};

use super::placed;
use super::step::{Step, Wish};
use crate::Control;
use crate::access::Caller;
use crate::container_instances::{self, TargetAttribute};
use crate::lost::Absences;
use crate::reference::DefinitionReference;
use crate::tags::Taggable;
use crate::task_definitions::Registration;
use crate::tasks::{ContainerReport, Launch, RunTask, StartTask, StopTask, TaskReport};
use crate::testing::{Hands, container};

/// The control plane with its journal.
pub(super) struct World {
    pub(super) control: Control,
    journal: MemoryJournal,
    hands: Arc<Hands>,
}

fn open(journal: &MemoryJournal, hands: &Arc<Hands>) -> Control {
    let store = Store::open_inline(journal.clone()).unwrap();
    let owner = Owner { region: "us-east-1".into(), account: "123456789012".into() };
    Control::new(store, hands.clone(), hands.clone(), owner)
}

fn cluster_name(number: usize) -> ClusterName {
    let name = if number.is_multiple_of(3) { "other" } else { "default" };
    name.parse().unwrap()
}

fn family(ports: bool) -> &'static str {
    if ports { "ports" } else { "plain" }
}

fn chosen<T>(all: impl Iterator<Item = T>, number: usize) -> Option<T> {
    let mut all: Vec<T> = all.collect();
    (!all.is_empty()).then(|| all.swap_remove(number % all.len()))
}

impl World {
    /// A world with a cluster and a definition of each family.
    pub(super) async fn new() -> Self {
        let (journal, hands) = (MemoryJournal::default(), Arc::default());
        let mut world = Self { control: open(&journal, &hands), journal, hands };
        world.take(Step::CreateCluster { cluster: 1 }).await;
        world.take(Step::Define { ports: false }).await;
        world.take(Step::Define { ports: true }).await;
        world
    }

    fn instance(&self, number: usize) -> Option<Arc<ContainerInstance>> {
        chosen(self.control.view().all_instances().map(Arc::clone), number)
    }

    fn task(&self, number: usize) -> Option<Arc<Task>> {
        chosen(self.control.view().all_tasks().map(Arc::clone), number)
    }

    fn definition(&self, number: usize) -> Option<DefinitionKey> {
        chosen(self.control.view().definitions().map(|it| it.key.clone()), number)
    }

    /// Does it; what is refused is as good as what is done.
    pub(super) async fn take(&mut self, step: Step) {
        match step {
            Step::CreateCluster { .. } | Step::DeleteCluster { .. } => {
                self.change_cluster(step).await
            }
            Step::Define { .. }
            | Step::DeregisterDefinition { .. }
            | Step::DeleteDefinition { .. } => self.change_definition(step).await,
            Step::Register { cluster, memory_mib } => {
                let _ = self.register(cluster_name(cluster), None, memory_mib).await;
            }
            Step::RegisterAgain { instance, .. }
            | Step::Connect { instance, .. }
            | Step::Drain { instance, .. }
            | Step::DeregisterInstance { instance, .. }
            | Step::PutAttributes { instance, .. }
            | Step::DeleteAttributes { instance, .. }
            | Step::Move { instance, .. } => {
                if let Some(instance) = self.instance(instance) {
                    self.change_instance(&instance, step).await;
                }
            }
            Step::Tag { resource, .. } | Step::Untag { resource, .. } => {
                if let Some(resource) = chosen(taggable(&self.control.view()), resource) {
                    self.change_tags(resource, step).await;
                }
            }
            Step::Run { cluster, ports, count, memory_mib, wish } => {
                self.run(cluster_name(cluster), ports, count, memory_mib, wish).await;
            }
            Step::Abandon { instance, count, wish } => {
                if let Some(instance) = self.instance(instance) {
                    placed::and_abandoned(&self.control, &instance, count, &wish).await;
                }
            }
            Step::Start { ports, instance } => {
                if let Some(instance) = self.instance(instance) {
                    let launch = launch(instance.cluster.clone(), ports, None);
                    let request = StartTask { launch, container_instances: vec![instance.id] };
                    let _ = self.control.start_task(request).await;
                }
            }
            Step::Stop { task } => {
                if let Some(task) = self.task(task) {
                    let (cluster, task) = (task.cluster.clone(), task.id);
                    let request = StopTask { cluster, task, reason: None };
                    let _ = self.control.stop_task(request).await;
                }
            }
            Step::Report { task, status, container } => {
                if let Some(task) = self.task(task) {
                    self.report(&task, status, container).await;
                }
            }
            Step::Wait { seconds } => {
                self.hands.millis.fetch_add(seconds * 1000, Ordering::Relaxed);
                let mut absences = Absences::of(&self.control.view());
                self.control.lose_tasks(&mut absences).await.unwrap();
                self.control.reap().await.unwrap();
            }
            Step::Restart => {
                self.control = open(&self.journal, &self.hands);
                self.control.forget_connections().await.unwrap();
            }
        }
    }

    async fn change_cluster(&self, step: Step) {
        match step {
            Step::CreateCluster { cluster } => {
                let name = cluster_name(cluster);
                self.control.create_cluster(name, Tags::default()).await.unwrap();
            }
            Step::DeleteCluster { cluster } => {
                let _ = self.control.delete_cluster(cluster_name(cluster)).await;
            }
            _ => unreachable!("no step about a cluster"),
        }
    }

    async fn change_definition(&self, step: Step) {
        match step {
            Step::Define { ports } => {
                let mut main = container("main");
                if ports {
                    let (container_port, host_port, protocol) = (80, 80, Protocol::Tcp);
                    main.port_mappings =
                        vec![PortMapping { container_port, host_port, protocol, name: None }];
                }
                let registration = Registration::new(family(ports).parse().unwrap(), vec![main]);
                self.control.register_task_definition(registration).await.unwrap();
            }
            Step::DeregisterDefinition { definition } => {
                if let Some(key) = self.definition(definition) {
                    self.control.deregister_task_definition(key).await.unwrap();
                }
            }
            Step::DeleteDefinition { definition } => {
                let keys = self.definition(definition).into_iter().collect();
                self.control.delete_task_definitions(keys).await.unwrap();
            }
            _ => unreachable!("no step about a definition"),
        }
    }

    async fn register(
        &self,
        cluster: ClusterName,
        again: Option<&ContainerInstance>,
        memory_mib: u32,
    ) -> Result<(), container_instances::RegisterError> {
        let registration = container_instances::Registration {
            cluster,
            container_instance: again.map(|it| it.id),
            resources: Resources { cpu_units: 1024, memory_mib },
            reserved_ports_tcp: BTreeSet::from([22]),
            reserved_ports_udp: BTreeSet::new(),
            attributes: vec![
                Attribute::named("com.amazonaws.ecs.capability.docker-remote-api.1.21"),
                Attribute::named("its-own"),
            ],
            ec2_instance_id: None,
            version_info: VersionInfo::default(),
            tags: Tags::default(),
        };
        self.control.register_container_instance(registration, Caller::Root).await.map(drop)
    }

    async fn change_instance(&self, instance: &ContainerInstance, step: Step) {
        let (control, id, cluster) = (&self.control, instance.id, instance.cluster.clone());
        match step {
            Step::RegisterAgain { memory_mib, .. } => {
                let _ = self.register(cluster, Some(instance), memory_mib).await;
            }
            Step::Connect { connected, .. } => {
                control.set_agent_connected(id, connected, None).await.unwrap();
            }
            Step::Drain { draining, .. } => {
                let status =
                    if draining { InstanceStatus::Draining } else { InstanceStatus::Active };
                let _ = control.update_container_instances_state(cluster, &[id], status).await;
            }
            Step::DeregisterInstance { force, .. } => {
                let _ = control.deregister_container_instance(cluster, id, force).await;
            }
            Step::PutAttributes { first, count, .. } => {
                let attributes = target_attributes(instance, first, count);
                let _ = control.put_attributes(cluster, &attributes).await;
            }
            Step::DeleteAttributes { first, count, .. } => {
                let attributes = target_attributes(instance, first, count);
                let _ = control.delete_attributes(cluster, &attributes).await;
            }
            Step::Move { zone, .. } => {
                let attribute = Attribute { name: "zone".into(), value: zone.map(Into::into) };
                let attributes = [TargetAttribute { target: id, attribute }];
                match zone {
                    Some(_) => drop(control.put_attributes(cluster, &attributes).await),
                    None => drop(control.delete_attributes(cluster, &attributes).await),
                }
            }
            _ => unreachable!("no step about an instance"),
        }
    }

    async fn change_tags(&self, resource: Taggable, step: Step) {
        let key = |number: usize| format!("key-{}", number % 60);
        match step {
            Step::Tag { first, count, .. } => {
                let tags = (first..first + count).map(|it| Tag::new(&key(it), "value").unwrap());
                let policy = ["never", "10s", "30m"].get(first % 5);
                let policy = policy.map(|it| Tag::new(LOST_AFTER, it).unwrap());
                let tags = Tags::new(tags.chain(policy).collect()).unwrap();
                let _ = self.control.tag_resource(resource, tags).await;
            }
            Step::Untag { first, count, .. } => {
                let keys = (first..first + count).map(key).collect();
                let _ = self.control.untag_resource(resource, keys).await;
            }
            _ => unreachable!("no step about tags"),
        }
    }

    async fn run(
        &self,
        cluster: ClusterName,
        ports: bool,
        count: u32,
        memory_mib: Option<u32>,
        wish: Wish,
    ) {
        let entry = memory_mib.map(|_| ContainerOverride {
            name: "main".parse().unwrap(),
            command: None,
            environment: None,
            cpu_units: None,
            memory_mib,
            memory_reservation_mib: None,
        });
        let overrides =
            entry.map(|entry| Overrides { containers: vec![entry], ..Overrides::default() });
        let request = RunTask {
            launch: launch(cluster, ports, overrides),
            client_token: None,
            on: Default::default(),
            count,
            constraints: wish.constraints,
            strategies: wish.strategies,
        };
        let before = self.control.view();
        let outcome = self.control.run_task(request.clone()).await;
        placed::check(&before, &request, &outcome);
    }

    async fn report(&self, task: &Task, status: Option<LastStatus>, container: Option<LastStatus>) {
        let container = container.map(|status| ContainerReport {
            name: "main".parse().unwrap(),
            status,
            exit_code: None,
            reason: None,
            network_bindings: vec![],
            runtime_id: None,
            image_digest: None,
            health: None,
            health_since: None,
        });
        let report = TaskReport {
            cluster: task.cluster.clone(),
            task: task.id,
            status,
            reason: None,
            containers: container.into_iter().collect(),
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
        };
        self.control.record_report(report).await.unwrap();
    }
}

fn launch(cluster: ClusterName, ports: bool, overrides: Option<Overrides>) -> Launch {
    Launch {
        cluster,
        definition: DefinitionReference { family: family(ports).parse().unwrap(), revision: None },
        overrides: overrides.map(Arc::new),
        started_by: None,
        group: None,
        tags: Default::default(),
    }
}

fn target_attributes(
    instance: &ContainerInstance,
    first: usize,
    count: usize,
) -> Vec<TargetAttribute> {
    let attribute = |number| TargetAttribute {
        target: instance.id,
        attribute: Attribute::named(format!("custom-{number}")),
    };
    (first..first + count).map(attribute).collect()
}

/// All that can have tags.
fn taggable(state: &State) -> impl Iterator<Item = Taggable> {
    let instance =
        |it: &Arc<ContainerInstance>| Taggable::ContainerInstance(it.cluster.clone(), it.id);
    let task = |it: &Arc<Task>| Taggable::Task(it.cluster.clone(), it.id);
    state
        .clusters()
        .map(|it| Taggable::Cluster(it.name.clone()))
        .chain(state.definitions().map(|it| Taggable::TaskDefinition(it.key.clone())))
        .chain(state.all_instances().map(instance))
        .chain(state.all_tasks().map(task))
}
