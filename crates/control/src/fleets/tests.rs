use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use longshore_model::{ContainerInstance, Demand, InstanceStatus, Resources, Timestamp};
use longshore_store::{MemoryJournal, Store, StoreError, Tx};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_500_000_000_000);

fn cluster() -> ClusterName {
    "default".parse().unwrap()
}

fn id(number: u128) -> InstanceId {
    InstanceId::new(NOW, number)
}

/// Has room for two tasks.
fn instance(number: u128, status: InstanceStatus) -> ContainerInstance {
    ContainerInstance {
        id: id(number),
        arn_form: Default::default(),
        cluster: cluster(),
        status,
        agent_connected: true,
        connected_at: None,
        away_since: None,
        version: 1,
        registered: Resources { cpu_units: 1024, memory_mib: 256 },
        reserved_ports_tcp: [].into(),
        reserved_ports_udp: [].into(),
        attributes: vec![],
        ec2_instance_id: None,
        version_info: Default::default(),
        registered_at: NOW,
        deregistered_at: None,
        tags: Default::default(),
    }
}

/// An inline store's updates are ready at once.
fn update<T>(
    store: &Store,
    change: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut updated = Box::pin(store.update(change));
    match updated.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("an inline store let its caller wait"),
    }
}

/// A store with two instances, and fleets that have seen them.
fn world() -> (Store, Fleets) {
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    put(&store, instance(1, InstanceStatus::Active));
    put(&store, instance(2, InstanceStatus::Active));
    let fleets = Fleets::default();
    assert_eq!(place(&fleets, &store.view()), 4);
    (store, fleets)
}

fn put(store: &Store, instance: ContainerInstance) {
    update(store, |tx| {
        tx.put_instance(instance);
        Ok(())
    })
    .unwrap();
}

/// How many of ten tasks find a place.
fn place(fleets: &Fleets, state: &State) -> usize {
    let resources = Resources { cpu_units: 0, memory_mib: 128 };
    let request = Request {
        kind: None,
        demand: &Demand { resources, ..Demand::default() },
        requires: &[],
        group: &Arc::from("family:web"),
        constraints: &[],
        strategies: &[],
        count: 10,
    };
    fleets.place(state, &cluster(), &request, 7).placed.len()
}

#[test]
fn what_was_placed_takes_nothing_unless_it_is_put_into_the_state() {
    let (store, fleets) = world();
    for _ in 0..3 {
        let failed = update(&store, |tx| {
            assert_eq!(place(&fleets, tx), 4);
            Err::<(), _>(StoreError::Closed { reason: "changed its mind".into() })
        });
        assert!(failed.is_err());
    }
    let transaction = || {
        update(&store, |tx| -> Result<(), _> {
            assert_eq!(place(&fleets, tx), 4);
            panic!("after the placement")
        })
    };
    assert!(catch_unwind(AssertUnwindSafe(transaction)).is_err());
    assert_eq!(place(&fleets, &store.view()), 4);
}

#[test]
fn what_a_failed_transaction_changed_is_read_again() {
    let (store, fleets) = world();
    let failed = update(&store, |tx| {
        tx.put_instance(instance(1, InstanceStatus::Draining));
        tx.remove_instance(id(2));
        tx.put_instance(instance(3, InstanceStatus::Active));
        assert_eq!(place(&fleets, tx), 2);
        Err::<(), _>(StoreError::Closed { reason: "changed its mind".into() })
    });
    assert!(failed.is_err());
    assert_eq!(place(&fleets, &store.view()), 4);
    // The next transaction has the failed one's revision.
    put(&store, instance(1, InstanceStatus::Draining));
    assert_eq!(place(&fleets, &store.view()), 2);
    fleets.check(&store.view()).unwrap();
}

#[test]
fn a_fleet_follows_what_changed_while_nothing_was_placed() {
    let (store, fleets) = world();
    put(&store, instance(2, InstanceStatus::Draining));
    assert_eq!(place(&fleets, &store.view()), 2);
    // More than the state remembers.
    for number in 3..400 {
        put(&store, instance(number, InstanceStatus::Active));
    }
    update(&store, |tx| {
        (3..400).for_each(|it| tx.remove_instance(id(it)));
        Ok(())
    })
    .unwrap();
    assert_eq!(place(&fleets, &store.view()), 2);
    fleets.check(&store.view()).unwrap();
}

#[test]
fn a_fleet_that_a_panic_left_half_changed_is_made_anew() {
    let (store, fleets) = world();
    let half = || {
        let mut all = fleets.lock();
        all.get_mut(&cluster()).unwrap().fleet.follow(id(1), None);
        panic!("half way");
    };
    assert!(catch_unwind(AssertUnwindSafe(half)).is_err());
    assert_eq!(place(&fleets, &store.view()), 4);
    assert!(!fleets.known.is_poisoned());
}

#[test]
fn an_older_state_is_followed_as_well() {
    let (store, fleets) = world();
    let older = store.view();
    put(&store, instance(1, InstanceStatus::Draining));
    assert_eq!(place(&fleets, &store.view()), 2);
    assert_eq!(place(&fleets, &older), 4);
    assert_eq!(place(&fleets, &store.view()), 2);
    fleets.forget(&cluster());
    assert!(fleets.lock().is_empty());
    assert_eq!(place(&fleets, &older), 4);
}
