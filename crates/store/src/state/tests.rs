//! Random updates, with restarts between them.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use longshore_model::{ClientToken, ClusterStatus, DefinitionStatus, InstanceStatus, LastStatus};
use proptest::prelude::*;

use super::*;
use crate::error::StoreError;
use crate::journal::disk::Disk;
use crate::journal::{EmbeddedJournal, Journal, MemoryJournal};
use crate::snapshot::tests::check_round_trip;
use crate::store::Store;
use crate::testing::{
    cluster, definition, instance, instance_id, instance_key, join_token, placement_failure, task,
    task_id,
};
use crate::tx::Tx;

const CLUSTERS: [&str; 3] = ["default", "one", "other"];
const TOKENS: [Option<&str>; 3] = [None, Some("one-call"), Some("another-call")];

#[derive(Clone, Debug)]
enum Step {
    Cluster { name: usize, active: bool },
    RemoveCluster { name: usize },
    Deregister { revision: u32 },
    RemoveDefinition { revision: u32 },
    Instance { number: u32, status: usize },
    RemoveInstance { number: u32 },
    Token { number: u32, used: u32 },
    RemoveToken { number: u32 },
    Key { number: u32, instance: Option<u32> },
    RemoveKey { number: u32 },
    Fail { cluster: usize, group: u32, calls: u64 },
    ForgetFailure { cluster: usize, group: u32 },
    Run { number: u32, instance: u32, ported: bool, token: usize },
    Report { number: u32, status: usize },
    RemoveTask { number: u32 },
}

/// Some steps in one transaction, which may fail in the end, and whether there is a restart after.
type Update = (Vec<Step>, bool, bool);

fn step() -> impl Strategy<Value = Step> {
    let run = (0..80_u32, 0..6_u32, any::<bool>(), 0..TOKENS.len());
    let run = run.prop_map(|(number, instance, ported, token)| Step::Run {
        number,
        instance,
        ported,
        token,
    });
    prop_oneof![
        1 => (0..3_usize, any::<bool>()).prop_map(|(name, active)| Step::Cluster { name, active }),
        1 => (0..3_usize).prop_map(|name| Step::RemoveCluster { name }),
        1 => (1..4_u32).prop_map(|revision| Step::Deregister { revision }),
        1 => (2..4_u32).prop_map(|revision| Step::RemoveDefinition { revision }),
        2 => (0..6_u32, 0..3_usize).prop_map(|(number, status)| Step::Instance { number, status }),
        1 => (0..6_u32).prop_map(|number| Step::RemoveInstance { number }),
        1 => (0..3_u32, 0..10_u32).prop_map(|(number, used)| Step::Token { number, used }),
        1 => (0..3_u32).prop_map(|number| Step::RemoveToken { number }),
        1 => (0..6_u32, prop::option::of(0..6_u32))
            .prop_map(|(number, instance)| Step::Key { number, instance }),
        1 => (0..6_u32).prop_map(|number| Step::RemoveKey { number }),
        1 => (0..3_usize, 0..4_u32, 1..3_u64)
            .prop_map(|(cluster, group, calls)| Step::Fail { cluster, group, calls }),
        1 => (0..3_usize, 0..4_u32)
            .prop_map(|(cluster, group)| Step::ForgetFailure { cluster, group }),
        8 => run,
        8 => (0..80_u32, 0..3_usize).prop_map(|(number, status)| Step::Report { number, status }),
        4 => (0..80_u32).prop_map(|number| Step::RemoveTask { number }),
    ]
}

fn updates() -> impl Strategy<Value = Vec<Update>> {
    let update = (
        prop::collection::vec(step(), 0..12),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(update, 1..40)
}

/// Instances of even numbers are in one cluster, the others in another.
fn home(instance: u32) -> &'static str {
    CLUSTERS[usize::try_from(instance).unwrap() % 2]
}

fn take(tx: &mut Tx<'_>, step: &Step) {
    match *step {
        Step::Cluster { name, active } => {
            let mut cluster = cluster(CLUSTERS[name]);
            cluster.status = if active { ClusterStatus::Active } else { ClusterStatus::Inactive };
            tx.put_cluster(cluster);
        }
        Step::RemoveCluster { name } => tx.remove_cluster(&cluster(CLUSTERS[name]).name),
        Step::Deregister { revision } => {
            let mut definition = definition("web", revision);
            definition.status = DefinitionStatus::Inactive;
            tx.put_definition(definition);
        }
        // Tasks are of revision 1 alone.
        Step::RemoveDefinition { revision } => {
            tx.remove_definition(&definition("web", revision).key);
        }
        Step::Instance { number, status } => {
            let mut instance = instance(number, home(number));
            instance.status = InstanceStatus::ALL[status];
            tx.put_instance(instance);
        }
        Step::RemoveInstance { number } => tx.remove_instance(instance_id(number)),
        Step::Token { number, used } => tx.put_join_token(join_token(number, "default", used)),
        Step::RemoveToken { number } => tx.remove_join_token(join_token(number, "x", 0).id),
        Step::Key { number, instance } => {
            tx.put_instance_key(instance_key(number, "default", instance));
        }
        Step::RemoveKey { number } => tx.remove_instance_key(instance_key(number, "x", None).id),
        Step::Fail { cluster, group, calls } => {
            tx.put_placement_failure(placement_failure(CLUSTERS[cluster], group, calls));
        }
        Step::ForgetFailure { cluster, group } => {
            let failure = placement_failure(CLUSTERS[cluster], group, 1);
            tx.remove_placement_failure(&failure.cluster, failure.fingerprint);
        }
        Step::Run { number, instance, ported, token } => {
            let mut task = task(number, home(instance), instance);
            if ported && tx.occupancy(instance_id(instance)).ports_tcp.is_empty() {
                task.definition = definition("ported", 1).key;
            }
            task.client_token = TOKENS[token].map(client_token);
            tx.put_task(task);
        }
        Step::Report { number, status } => {
            if let Some(task) = tx.task(task_id(number)) {
                let mut task = Task::clone(task);
                task.last_status = task.last_status.max(LastStatus::ALL[status]);
                if task.last_status == LastStatus::Stopped {
                    // Ends need not come in the order of the records, nor have a time.
                    let seconds = (number % 8 > 0).then(|| i64::from(number * 7 % 40));
                    task.stopped_at = seconds.map(|it| task.created_at.plus_secs(it));
                }
                task.version += 1;
                tx.put_task(task);
            }
        }
        Step::RemoveTask { number } => tx.remove_task(task_id(number)),
    }
}

fn client_token(token: &str) -> Arc<ClientToken> {
    Arc::new(ClientToken {
        token: token.into(),
        parameters: "digest".into(),
        failures: Box::default(),
    })
}

type Records = (
    Vec<Cluster>,
    Vec<TaskDefinition>,
    u32,
    Vec<ContainerInstance>,
    (Vec<JoinToken>, Vec<InstanceKey>),
    Vec<PlacementFailure>,
    Vec<Task>,
    u64,
);

fn records(state: &State) -> Records {
    fn all<'a, T: Clone + 'a>(records: impl Iterator<Item = &'a Arc<T>>) -> Vec<T> {
        records.map(|it| T::clone(it)).collect()
    }
    (
        all(state.clusters()),
        all(state.definitions()),
        state.highest_revision(&definition("web", 1).key.family),
        all(state.all_instances()),
        (all(state.join_tokens()), all(state.instance_keys())),
        all(state.all_placement_failures()),
        all(state.all_tasks()),
        state.revision(),
    )
}

/// An inline store's updates are ready at once.
fn now<F: Future>(future: F) -> F::Output {
    match Box::pin(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("an inline store let its caller wait"),
    }
}

fn check<J: Journal>(updates: &[Update], reopen: impl Fn() -> J) -> Result<(), TestCaseError> {
    let mut store = Store::open_inline(reopen()).unwrap();
    now(store.update(|tx| {
        (1..4).for_each(|it| tx.put_definition(definition("web", it)));
        tx.put_definition(definition("ported", 1));
        Ok::<_, StoreError>(())
    }))
    .unwrap();
    let mut earlier = vec![store.view()];
    for (steps, fails, restarts) in updates {
        let before = records(&store.view());
        let outcome = now(store.update(|tx| {
            steps.iter().for_each(|it| take(tx, it));
            tx.check_derived().unwrap();
            earlier.iter().for_each(|it| check_changed(it, tx));
            check_stopped(tx);
            let refused = StoreError::Closed { reason: "refused".into() };
            if *fails { Err(refused) } else { Ok(()) }
        }));
        let after = records(&store.view());
        prop_assert_eq!(outcome.is_err(), *fails);
        prop_assert!(!*fails || before == after);
        prop_assert_eq!(store.view().check_derived(), Ok(()));
        earlier.iter().for_each(|it| check_changed(it, &store.view()));
        check_round_trip(&store.view());
        earlier.push(store.view());
        if *restarts {
            now(store.shutdown());
            drop(store);
            store = Store::open_inline(reopen()).unwrap();
            prop_assert_eq!(records(&store.view()), after);
            prop_assert_eq!(store.view().check_derived(), Ok(()));
            check_changed(earlier.last().unwrap(), &store.view());
            earlier = vec![store.view()];
        }
    }
    Ok(())
}

/// Those that stopped before a time are those that a look at all of them finds.
fn check_stopped(state: &State) {
    for seconds in [-1, 0, 20, 40] {
        let time = task(0, CLUSTERS[0], 0).created_at.plus_secs(seconds);
        let is_before = |it: &&Arc<Task>| {
            it.last_status == LastStatus::Stopped && it.stopped_at.is_some_and(|it| it < time)
        };
        let mut found: Vec<_> = state.all_tasks().filter(is_before).collect();
        found.sort_by_key(|it| (it.stopped_at, it.id));
        assert!(state.tasks_ended_before(time).eq(found), "before {seconds}");
    }
}

/// Whatever differs between two states is told, and nothing of a cluster that is not.
fn check_changed(earlier: &State, later: &State) {
    for name in CLUSTERS.map(|it| cluster(it).name) {
        let told = later.instances_changed_after(&name, earlier.revision());
        let Some(told) = told else { continue }; // too long ago, or the cluster was empty since
        for number in (0..6).filter(|it| cluster(home(*it)).name == name) {
            let id = instance_id(number);
            let is_other = earlier.instance(id) != later.instance(id)
                || earlier.occupancy(id) != later.occupancy(id);
            assert!(!is_other || told.contains(&id), "{id} changed, and {told:?} are told");
        }
        let strange =
            told.iter().filter_map(|it| later.instance(*it)).find(|it| it.cluster != name);
        assert_eq!(strange, None);
        if earlier.revision() == later.revision() {
            // An uncommitted change counts as later.
            assert_eq!(later.instances_changed_after(&name, later.revision() + 1), Some(vec![]));
        }
    }
}

#[test]
fn after_a_restart_no_instance_has_changed() {
    let journal = MemoryJournal::default();
    let store = Store::open_inline(journal.clone()).unwrap();
    let name = cluster("default").name;
    for number in [4, 0, 2] {
        now(store.update(|tx| {
            tx.put_definition(definition("web", 1));
            tx.put_instance(instance(number, "default"));
            tx.put_task(task(number, "default", number));
            Ok::<_, StoreError>(())
        }))
        .unwrap();
    }
    let told = |store: &Store, revision| store.view().instances_changed_after(&name, revision);
    assert_eq!(told(&store, 0), None, "the cluster was empty");
    assert_eq!(told(&store, 1), Some(vec![instance_id(0), instance_id(2)]));
    assert_eq!(told(&store, 2), Some(vec![instance_id(2)]));
    drop(store);
    let store = Store::open_inline(journal).unwrap();
    assert_eq!(told(&store, 2), None, "before the restart, nothing is known");
    assert_eq!(told(&store, 3), Some(vec![]));
    now(store.update(|tx| {
        tx.remove_task(task_id(0));
        tx.remove_instance(instance_id(0));
        assert_eq!(tx.instances_changed_after(&name, 3), Some(vec![instance_id(0)]));
        Ok::<_, StoreError>(())
    }))
    .unwrap();
    assert_eq!(told(&store, 3), Some(vec![instance_id(0)]), "the removed are told");
    assert_eq!(store.view().instance(instance_id(0)), None);
    assert_eq!(told(&store, 4), Some(vec![]));
}

proptest! {
    #[test]
    fn a_restart_finds_what_random_updates_left_in_memory(updates in updates()) {
        let journal = MemoryJournal::default();
        check(&updates, || journal.clone())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_restart_finds_what_random_updates_left_on_disk(updates in updates()) {
        let disk = Disk::default();
        check(&updates, || EmbeddedJournal::on(disk.clone()).unwrap())?;
    }
}

#[test]
fn lists_are_of_one_cluster_and_in_order() {
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    now(store.update(|tx| {
        tx.put_definition(definition("web", 1));
        for number in (0..100).rev() {
            tx.put_instance(instance(number, home(number)));
            tx.put_task(task(number, home(number), number));
        }
        Ok::<_, StoreError>(())
    }))
    .unwrap();
    let state = store.view();
    let name = cluster("default").name;
    let numbers = |range: std::ops::Range<u32>| range.filter(|it| it % 2 == 0);
    assert!(state.tasks(&name).map(|it| it.id).eq(numbers(0..100).map(task_id)));
    assert!(state.instances(&name).map(|it| it.id).eq(numbers(0..100).map(instance_id)));
    let after = state.tasks_after(&name, Some(task_id(41)));
    assert!(after.map(|it| it.id).eq(numbers(42..100).map(task_id)));
    assert_eq!(state.counts(&name).pending_tasks, 50);
    assert_eq!(state.counts(&name).registered_instances, 50);
    assert_eq!(state.counts(&cluster("other").name), ClusterCounts::default());
}

#[test]
fn placement_failures_are_those_of_one_cluster() {
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    now(store.update(|tx| {
        for (cluster, group) in [("a", 1), ("a-b", 1), ("a", 2), ("b", 1)] {
            tx.put_placement_failure(placement_failure(cluster, group, 1));
        }
        Ok::<_, StoreError>(())
    }))
    .unwrap();
    let state = store.view();
    let count = |name: &str| state.placement_failures(&cluster(name).name).count();
    assert_eq!(["a", "a-b", "b", "c"].map(count), [2, 1, 1, 0]);
    assert_eq!(state.all_placement_failures().count(), 4);
}

#[test]
fn revisions_are_those_of_one_family() {
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    now(store.update(|tx| {
        for (family, revision) in [("web", 2), ("web-1", 1), ("web", 10), ("wea", 5), ("web", 1)] {
            tx.put_definition(definition(family, revision));
        }
        Ok::<_, StoreError>(())
    }))
    .unwrap();
    let state = store.view();
    let family = "web".parse().unwrap();
    let revisions: Vec<_> = state.revisions(&family).map(|it| it.key.revision).collect();
    assert_eq!(revisions, [1, 2, 10]);
    assert_eq!(state.revisions(&family).next_back().unwrap().key.revision, 10);
}

#[test]
fn a_revision_stays_taken_once_its_definition_is_removed() {
    let journal = MemoryJournal::default();
    let store = Store::open_inline(journal.clone()).unwrap();
    let key = |revision| definition("web", revision).key;
    now(store.update(|tx| {
        [1, 2, 3].into_iter().for_each(|it| tx.put_definition(definition("web", it)));
        tx.remove_definition(&key(3));
        tx.remove_definition(&key(1));
        tx.remove_definition(&key(7));
        Ok::<_, StoreError>(())
    }))
    .unwrap();
    drop(store);
    let state = Store::open_inline(journal).unwrap().view();
    assert!(state.definitions().map(|it| it.key.revision).eq([2]));
    assert_eq!(state.highest_revision(&key(1).family), 3);
    assert_eq!(state.highest_revision(&definition("other", 1).key.family), 0);
}

#[test]
fn a_list_can_begin_after_a_name_that_is_gone() {
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    now(store.update(|tx| {
        ["a", "c", "d"].into_iter().for_each(|it| tx.put_cluster(cluster(it)));
        Ok::<_, StoreError>(())
    }))
    .unwrap();
    let state = store.view();
    let after = |name: &str| -> Vec<String> {
        let name = cluster(name).name;
        let after = state.clusters_after(Some(&name));
        after.map(|it| it.name.to_string()).collect()
    };
    assert_eq!(after("b"), ["c", "d"]);
    assert_eq!(after("c"), ["d"]);
    assert!(state.clusters_after(None).eq(state.clusters()));
}

#[test]
fn tasks_of_a_token_are_those_of_one_call_in_one_cluster() {
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    now(store.update(|tx| {
        tx.put_definition(definition("web", 1));
        for (number, cluster, token) in
            [(3, "default", "a"), (1, "default", "a"), (2, "default", "b"), (4, "one", "a")]
        {
            let mut task = task(number, cluster, 1);
            task.client_token = Some(client_token(token));
            tx.put_task(task);
        }
        Ok::<_, StoreError>(())
    }))
    .unwrap();
    let state = store.view();
    let of = |name: &str, token| -> Vec<_> {
        let tasks = state.tasks_of_token(&cluster(name).name, token);
        tasks.into_iter().map(|it| it.id).collect()
    };
    assert_eq!(of("default", "a"), [task_id(1), task_id(3)]);
    assert_eq!(of("one", "a"), [task_id(4)]);
    assert_eq!(of("one", "b"), []);
}
