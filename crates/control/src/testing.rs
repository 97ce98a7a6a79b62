//! Values that tests begin with.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    Attribute, ClientToken, Clock, ClusterName, ContainerDefinition, Ids, InstanceId, Owner,
    Resources, Tags, Timestamp,
};
use longshore_store::{MemoryJournal, Store};

use crate::Control;
use crate::access::Caller;
use crate::container_instances::Registration;
use crate::reference::DefinitionReference;
use crate::task_definitions;
use crate::tasks::{Launch, LaunchError, Launched, RunTask};

/// A container with 128 MiB and nothing else set.
pub(crate) fn container(name: &str) -> ContainerDefinition {
    let name = name.parse().expect("a test's name is valid");
    ContainerDefinition { memory_mib: Some(128), ..ContainerDefinition::new(name, "image".into()) }
}

/// The cluster that a [`World`] has.
pub(crate) fn cluster() -> ClusterName {
    "default".parse().expect("a test's name is valid")
}

/// A clock that is moved by hand, and ids that count.
#[derive(Default)]
pub(crate) struct Hands {
    pub(crate) millis: AtomicI64,
    /// By how much the clock was set.
    set_by: AtomicI64,
    bits: AtomicU64,
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        let set_by = self.set_by.load(Ordering::Relaxed);
        Timestamp::from_millis(self.millis.load(Ordering::Relaxed) + set_by)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::Relaxed).unsigned_abs())
    }
}

impl Ids for Hands {
    fn next_bits(&self) -> u128 {
        self.bits.fetch_add(1, Ordering::Relaxed).into()
    }
}

/// A control plane over its journal, with a cluster `default` and a definition `job:1` of 128 MiB.
pub(crate) struct World {
    pub(crate) control: Control,
    journal: MemoryJournal,
    hands: Arc<Hands>,
}

impl World {
    fn open(journal: MemoryJournal, hands: Arc<Hands>) -> Self {
        let store = Store::open_inline(journal.clone()).unwrap();
        let owner = Owner { region: "us-east-1".into(), account: "123456789012".into() };
        let control = Control::new(store, hands.clone(), hands.clone(), owner);
        Self { control, journal, hands }
    }

    pub(crate) async fn new() -> Self {
        let world = Self::open(MemoryJournal::default(), Arc::default());
        world.control.create_cluster(cluster(), Tags::default()).await.unwrap();
        let containers = vec![container("main")];
        let registration = task_definitions::Registration::new("job".parse().unwrap(), containers);
        world.control.register_task_definition(registration).await.unwrap();
        world
    }

    /// Registers an instance, whose agent is away unless it is said to be there.
    pub(crate) async fn register(&self, memory_mib: u32, connected: bool) -> InstanceId {
        self.register_as(Caller::Root, memory_mib, connected).await
    }

    /// The same with another's signature.
    pub(crate) async fn register_as(
        &self,
        caller: Caller,
        memory_mib: u32,
        connected: bool,
    ) -> InstanceId {
        let registration = registration(None, memory_mib);
        let instance =
            self.control.register_container_instance(registration, caller).await.unwrap();
        self.control.set_agent_connected(instance.id, connected, None).await.unwrap();
        instance.id
    }

    /// The agent of an instance of 4096 MiB registers it again.
    pub(crate) async fn register_again(&self, instance: InstanceId) {
        let registration = registration(Some(instance), 4096);
        self.control.register_container_instance(registration, Caller::Root).await.unwrap();
    }

    /// The same after a restart.
    pub(crate) fn restarted(self) -> Self {
        Self::open(self.journal, self.hands)
    }

    /// Runs two of `job` in this group.
    pub(crate) async fn run(
        &self,
        group: &str,
        token: Option<&str>,
    ) -> Result<Launched, LaunchError> {
        let token = token.map(|token| ClientToken {
            token: token.into(),
            parameters: "digest".into(),
            failures: Box::default(),
        });
        let launch = Launch {
            cluster: cluster(),
            definition: DefinitionReference { family: "job".parse().unwrap(), revision: None },
            overrides: None,
            started_by: Some("cron".into()),
            group: Some(group.into()),
            tags: Default::default(),
        };
        let (constraints, strategies) = (vec![], vec![]);
        let on = Default::default();
        let request =
            RunTask { launch, client_token: token, on, count: 2, constraints, strategies };
        self.control.run_task(request).await
    }

    /// Somebody sets the clock.
    pub(crate) fn set_clock(&self, by_seconds: i64) {
        self.hands.set_by.fetch_add(by_seconds * 1000, Ordering::Relaxed);
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.hands.millis.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

fn registration(container_instance: Option<InstanceId>, memory_mib: u32) -> Registration {
    Registration {
        cluster: cluster(),
        container_instance,
        resources: Resources { cpu_units: 1024, memory_mib },
        reserved_ports_tcp: Default::default(),
        reserved_ports_udp: Default::default(),
        attributes: vec![Attribute::named("com.amazonaws.ecs.capability.docker-remote-api.1.21")],
        ec2_instance_id: None,
        version_info: VersionInfo::default(),
        tags: Tags::default(),
    }
}
