use std::sync::Arc;

use longshore_model::Tags;

use super::*;
use crate::tasks::LaunchError;
use crate::testing::{World, cluster};

fn total(world: &World) -> u64 {
    world.control.view().cluster(&cluster()).unwrap().placement_failures
}

fn failures(world: &World) -> Vec<Arc<PlacementFailure>> {
    world.control.view().placement_failures(&cluster()).map(Arc::clone).collect()
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
        fingerprint: failures(&world)[0].last.fingerprint(),
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
    assert_eq!(*failures(&world)[0], expected);
    let again = world.restarted();
    assert_eq!(*failures(&again)[0], expected);
    assert_eq!((failures(&again).len(), total(&again)), (1, 1));
}

#[tokio::test]
async fn a_call_that_places_some_is_none() {
    let world = World::new().await;
    world.register(200, true).await;
    let launched = world.run("reports", None).await.unwrap();
    assert_eq!((launched.tasks.len(), launched.failures.len()), (1, 1));
    assert_eq!((failures(&world).len(), total(&world)), (0, 0));
}

#[tokio::test]
async fn a_cluster_without_instances_is_one() {
    let world = World::new().await;
    let error = world.run("reports", None).await.unwrap_err();
    assert!(matches!(error, LaunchError::NoContainerInstances));
    assert!(failures(&world)[0].last.reasons.is_empty());
    assert_eq!((failures(&world)[0].calls, total(&world)), (1, 1));
}

#[tokio::test]
async fn a_storm_of_calls_that_are_alike_overwrites_one_record() {
    let world = World::new().await;
    world.register(100, true).await;
    for _ in 0..250 {
        world.wait(1);
        world.run("reports", None).await.unwrap();
    }
    let failures = failures(&world);
    assert_eq!((failures.len(), failures[0].calls, total(&world)), (1, 250, 250));
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
    let failures = failures(&world);
    let has = |group: &str| failures.iter().any(|it| &*it.last.group == group);
    assert_eq!(failures.len(), MAX_RECORDS);
    assert!(has("again-and-again"), "it goes on");
    assert!(!has("group-50") && has("group-51") && has("group-149"));
    assert_eq!(total(&world), 300);
}

#[tokio::test]
async fn each_call_with_a_token_that_places_nothing_counts() {
    let world = World::new().await;
    world.register(100, true).await;
    world.run("reports", Some("one")).await.unwrap();
    world.run("reports", Some("one")).await.unwrap();
    assert_eq!((failures(&world)[0].calls, total(&world)), (2, 2));
    world.register(4096, true).await;
    world.run("reports", Some("one")).await.unwrap();
    world.run("reports", Some("one")).await.unwrap();
    assert_eq!(total(&world), 2, "a call that is known by its tasks is no failure");
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
    assert_eq!(failures(&world).len(), 2, "the week is not over");
    world.wait(1);
    world.control.reap().await.unwrap();
    let failures = failures(&world);
    assert_eq!(failures.len(), 1);
    assert_eq!((&*failures[0].last.group, failures[0].calls, total(&world)), ("twice", 2, 3));
}

#[tokio::test]
async fn the_failures_of_a_cluster_go_with_it() {
    let world = World::new().await;
    world.run("reports", None).await.unwrap_err();
    world.control.delete_cluster(cluster()).await.unwrap();
    world.control.create_cluster(cluster(), Tags::default()).await.unwrap();
    assert_eq!((failures(&world).len(), total(&world)), (1, 1), "it was not forgotten yet");
    world.control.delete_cluster(cluster()).await.unwrap();
    world.wait(crate::reap::KEEP_SECS + 1);
    world.control.reap().await.unwrap();
    assert_eq!(world.control.view().all_placement_failures().count(), 0);
    world.control.create_cluster(cluster(), Tags::default()).await.unwrap();
    assert_eq!(total(&world), 0);
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
    assert_eq!(failures(&world)[0].last.asked, 7);
}
