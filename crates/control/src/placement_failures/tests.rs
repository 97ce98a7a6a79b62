use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use longshore_model::container_instance::VersionInfo;
use longshore_model::{ClientToken, Clock, Ids, Owner, Resources, Tags};
use longshore_store::{MemoryJournal, Store};

use super::*;
use crate::Control;
use crate::container_instances::Registration;
use crate::reference::DefinitionReference;
use crate::task_definitions;
use crate::tasks::{Launch, LaunchError, Launched, RunTask};
use crate::testing::container;

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

/// A cluster `default` and a definition `job:1` of 128 MiB.
struct World {
    control: Control,
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

    async fn new() -> Self {
        let world = Self::open(MemoryJournal::default(), Arc::default());
        world.control.create_cluster(cluster(), Tags::default()).await.unwrap();
        let containers = vec![container("main")];
        let registration = task_definitions::Registration::new("job".parse().unwrap(), containers);
        world.control.register_task_definition(registration).await.unwrap();
        world
    }

    /// Registers an instance, whose agent is away unless it is said to be there.
    async fn register(&self, memory_mib: u32, connected: bool) {
        let registration = Registration {
            cluster: cluster(),
            container_instance: None,
            resources: Resources { cpu_units: 1024, memory_mib },
            reserved_ports_tcp: Default::default(),
            reserved_ports_udp: Default::default(),
            attributes: vec![longshore_model::Attribute::named(
                "com.amazonaws.ecs.capability.docker-remote-api.1.21",
            )],
            ec2_instance_id: None,
            version_info: VersionInfo::default(),
            tags: Tags::default(),
        };
        let instance = self.control.register_container_instance(registration).await.unwrap();
        self.control.set_agent_connected(instance.id, connected, None).await.unwrap();
    }

    async fn run(&self, group: &str, token: Option<&str>) -> Result<Launched, LaunchError> {
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

    fn wait(&self, seconds: i64) {
        self.hands.millis.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    fn total(&self) -> u64 {
        self.control.view().cluster(&cluster()).unwrap().placement_failures
    }

    fn failures(&self) -> Vec<Arc<PlacementFailure>> {
        self.control.view().placement_failures(&cluster()).map(Arc::clone).collect()
    }
}

fn cluster() -> ClusterName {
    "default".parse().unwrap()
}

#[tokio::test]
async fn a_call_that_places_nothing_is_recorded_for_good() {
    let world = World::new().await;
    world.register(100, true).await;
    world.register(100, true).await;
    world.register(4096, false).await;
    let launched = world.run("reports", None).await.unwrap();
    assert!(launched.tasks.is_empty());
    let expected = PlacementFailure {
        cluster: cluster(),
        fingerprint: world.failures()[0].last.fingerprint(),
        last: Unplaced {
            definition: "job:1".parse().unwrap(),
            group: "reports".into(),
            started_by: Some("cron".into()),
            asked: 2,
            reasons: [("AGENT".into(), 1), ("RESOURCE:MEMORY".into(), 2)].into(),
        },
        calls: 1,
        first_at: Timestamp::from_millis(0),
        last_at: Timestamp::from_millis(0),
    };
    assert_eq!(*world.failures()[0], expected);
    let again = World::open(world.journal, world.hands);
    assert_eq!(*again.failures()[0], expected);
    assert_eq!((again.failures().len(), again.total()), (1, 1));
}

#[tokio::test]
async fn a_call_that_places_some_is_none() {
    let world = World::new().await;
    world.register(200, true).await;
    let launched = world.run("reports", None).await.unwrap();
    assert_eq!((launched.tasks.len(), launched.failures.len()), (1, 1));
    assert_eq!((world.failures().len(), world.total()), (0, 0));
}

#[tokio::test]
async fn a_cluster_without_instances_is_one() {
    let world = World::new().await;
    let error = world.run("reports", None).await.unwrap_err();
    assert!(matches!(error, LaunchError::NoContainerInstances));
    assert_eq!(world.failures()[0].last.instances(), 0);
    assert_eq!((world.failures()[0].calls, world.total()), (1, 1));
}

#[tokio::test]
async fn a_storm_of_calls_that_are_alike_overwrites_one_record() {
    let world = World::new().await;
    world.register(100, true).await;
    for _ in 0..250 {
        world.wait(1);
        world.run("reports", None).await.unwrap();
    }
    let failures = world.failures();
    assert_eq!((failures.len(), failures[0].calls, world.total()), (1, 250, 250));
    assert_eq!(failures[0].first_at, Timestamp::from_millis(1_000));
    assert_eq!(failures[0].last_at, Timestamp::from_millis(250_000));
}

#[tokio::test]
async fn of_calls_that_differ_the_latest_hundred_stay() {
    let world = World::new().await;
    world.register(100, true).await;
    for number in 0..MAX_RECORDS + 50 {
        world.wait(1);
        world.run("again-and-again", None).await.unwrap();
        world.run(&format!("group-{number}"), None).await.unwrap();
    }
    let failures = world.failures();
    let has = |group: &str| failures.iter().any(|it| &*it.last.group == group);
    assert_eq!(failures.len(), MAX_RECORDS);
    assert!(has("again-and-again"), "it goes on");
    assert!(!has("group-50") && has("group-51") && has("group-149"));
    assert_eq!(world.total(), 300);
}

#[tokio::test]
async fn each_call_with_a_token_that_places_nothing_counts() {
    let world = World::new().await;
    world.register(100, true).await;
    world.run("reports", Some("one")).await.unwrap();
    world.run("reports", Some("one")).await.unwrap();
    assert_eq!((world.failures()[0].calls, world.total()), (2, 2));
    world.register(4096, true).await;
    world.run("reports", Some("one")).await.unwrap();
    world.run("reports", Some("one")).await.unwrap();
    assert_eq!(world.total(), 2, "a call that is known by its tasks is no failure");
}

#[tokio::test]
async fn what_does_not_happen_again_for_a_week_is_forgotten_and_stays_counted() {
    let world = World::new().await;
    world.register(100, true).await;
    world.run("once", None).await.unwrap();
    world.run("twice", None).await.unwrap();
    world.wait(KEEP_SECS);
    world.run("twice", None).await.unwrap();
    world.control.reap().await.unwrap();
    assert_eq!(world.failures().len(), 2, "the week is not over");
    world.wait(1);
    world.control.reap().await.unwrap();
    let failures = world.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!((&*failures[0].last.group, failures[0].calls, world.total()), ("twice", 2, 3));
}

#[tokio::test]
async fn the_failures_of_a_cluster_go_with_it() {
    let world = World::new().await;
    world.run("reports", None).await.unwrap_err();
    world.control.delete_cluster(cluster()).await.unwrap();
    world.control.create_cluster(cluster(), Tags::default()).await.unwrap();
    assert_eq!((world.failures().len(), world.total()), (1, 1), "it was not forgotten yet");
    world.control.delete_cluster(cluster()).await.unwrap();
    world.wait(crate::reap::KEEP_SECS + 1);
    world.control.reap().await.unwrap();
    assert_eq!(world.control.view().all_placement_failures().count(), 0);
    world.control.create_cluster(cluster(), Tags::default()).await.unwrap();
    assert_eq!(world.total(), 0);
}

#[tokio::test]
async fn only_the_first_of_calls_that_are_alike_is_news() {
    let world = World::new().await;
    let unplaced = |asked| Unplaced {
        definition: "job:1".parse().unwrap(),
        group: "reports".into(),
        started_by: None,
        asked,
        reasons: BTreeMap::new(),
    };
    let (now, store) = (world.control.now(), world.control.store());
    let recorded = store
        .update(|tx| {
            let first = record(tx, &cluster(), unplaced(1), now);
            let second = record(tx, &cluster(), unplaced(7), now);
            Ok::<_, longshore_store::StoreError>([first, second])
        })
        .await
        .unwrap();
    assert_eq!(recorded, [Recorded::New, Recorded::Repeated]);
    assert_eq!(world.failures()[0].last.asked, 7);
}
