//! Task definitions out of use: listed, deregistered, deleted.

use longshore_store::{MemoryJournal, Store};
use longshore_wire::Operation::{
    self, DeleteTaskDefinitions, DeregisterTaskDefinition, DescribeTaskDefinition, DescribeTasks,
    ListTaskDefinitionFamilies, ListTaskDefinitions, RunTask, StartTask,
};
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine, World};

async fn define(world: &World, family: &str, revisions: usize) {
    for _ in 0..revisions {
        world.define(family, json!({"memory": 4})).await;
    }
}

async fn deregister(world: &World, definition: &str) {
    world.ask(DeregisterTaskDefinition, json!({"taskDefinition": definition})).await;
}

/// Deregisters and deletes.
async fn delete(world: &World, definition: &str) {
    deregister(world, definition).await;
    let answer = world.ask(DeleteTaskDefinitions, json!({"taskDefinitions": [definition]})).await;
    assert_eq!(answer["failures"], json!([]));
    assert_eq!(answer["taskDefinitions"][0]["status"], "DELETE_IN_PROGRESS");
}

/// What the reaper does while the server runs.
async fn reap(world: &World) {
    world.control.reap().await.unwrap();
}

/// Every page of a list in turn, joined: families, or definitions without what all ARNs share.
async fn listed(world: &World, operation: Operation, body: Value) -> String {
    let mut all = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut body = body.clone();
        body["nextToken"] = token;
        let answer = world.ask(operation, body).await;
        let list = answer.get("families").unwrap_or(&answer["taskDefinitionArns"]).clone();
        let names = list.as_array().unwrap().iter();
        all.extend(names.map(|it| it.as_str().unwrap().rsplit('/').next().unwrap().to_owned()));
        token = answer["nextToken"].clone();
        if token.is_null() {
            return all.join(" ");
        }
    }
}

#[tokio::test]
async fn revisions_are_listed_as_numbers_and_families_by_name() {
    let world = World::start().await;
    define(&world, "web", 11).await;
    define(&world, "a", 2).await;
    define(&world, "web-1", 1).await;
    define(&world, "Zebra", 1).await;
    deregister(&world, "web:1").await;
    deregister(&world, "web:10").await;
    let ascending =
        "Zebra:1 a:1 a:2 web:2 web:3 web:4 web:5 web:6 web:7 web:8 web:9 web:11 web-1:1";
    let mut descending: Vec<&str> = ascending.split(' ').collect();
    descending.reverse();
    let descending = descending.join(" ");
    for size in [1, 3, 100] {
        for (body, expected) in [
            (json!({}), ascending),
            (json!({"sort": "ASC", "status": "ACTIVE"}), ascending),
            (json!({"sort": "DESC"}), &descending),
            (json!({"status": "INACTIVE"}), "web:1 web:10"),
            (json!({"status": "INACTIVE", "sort": "DESC"}), "web:10 web:1"),
            (json!({"familyPrefix": "a"}), "a:1 a:2"),
            (json!({"familyPrefix": "a", "sort": "DESC"}), "a:2 a:1"),
            (json!({"familyPrefix": "we"}), ""),
            (json!({"familyPrefix": "web-1"}), "web-1:1"),
            (json!({"status": "DELETE_IN_PROGRESS"}), ""),
        ] {
            let mut sized = body.clone();
            sized["maxResults"] = json!(size);
            assert_eq!(listed(&world, ListTaskDefinitions, sized).await, expected, "{body} {size}");
        }
    }
}

#[tokio::test]
async fn families_are_listed_by_prefix_and_by_whether_they_can_be_used() {
    let world = World::start().await;
    for (family, revisions) in [("web", 2), ("web-1", 1), ("we", 1), ("a", 1), ("gone", 2)] {
        define(&world, family, revisions).await;
    }
    for definition in ["gone:1", "gone:2", "web:2"] {
        deregister(&world, definition).await;
    }
    for size in [1, 2, 100] {
        for (body, expected) in [
            (json!({}), "a gone we web web-1"),
            (json!({"status": "ALL"}), "a gone we web web-1"),
            (json!({"status": "ACTIVE"}), "a we web web-1"),
            (json!({"status": "INACTIVE"}), "gone"),
            (json!({"familyPrefix": "we"}), "we web web-1"),
            (json!({"familyPrefix": "web", "status": "ACTIVE"}), "web web-1"),
            (json!({"familyPrefix": "webs"}), ""),
            (json!({"familyPrefix": "zz"}), ""),
        ] {
            let mut sized = body.clone();
            sized["maxResults"] = json!(size);
            let seen = listed(&world, ListTaskDefinitionFamilies, sized).await;
            assert_eq!(seen, expected, "{body} {size}");
        }
    }
    delete(&world, "a:1").await;
    reap(&world).await;
    assert_eq!(listed(&world, ListTaskDefinitionFamilies, json!({})).await, "gone we web web-1");
}

#[tokio::test]
async fn what_is_deregistered_launches_nothing_and_leaves_what_runs() {
    let fleet = Fleet::of(&[Machine::default()]).await;
    define(&fleet.world, "job", 2).await;
    let running = fleet.start("job:2", "a").await.remove(0);
    deregister(&fleet.world, "job:2").await;
    assert_eq!(fleet.world.task(&running).await["desiredStatus"], "RUNNING");
    for operation in [RunTask, StartTask] {
        let body = json!({"taskDefinition": "job:2", "containerInstances": [fleet.arn('a')]});
        let body = if operation == RunTask { json!({"taskDefinition": "job:2"}) } else { body };
        let refusal = fleet.world.call(operation, body).await.refusal();
        let expected = (400, "ClientException".into(), "TaskDefinition is inactive".into());
        assert_eq!(refusal, expected);
    }
    fleet.check(RunTask, json!({"taskDefinition": "job"}), "a").await;
    let newest = fleet.world.ask(DescribeTaskDefinition, json!({"taskDefinition": "job"})).await;
    assert_eq!(newest["taskDefinition"]["revision"], 1);
    assert!(newest["taskDefinition"]["deregisteredAt"].is_null());
}

#[tokio::test]
async fn a_deleted_definition_stays_while_a_task_of_it_is_remembered() {
    let fleet = Fleet::of(&[Machine::default()]).await;
    define(&fleet.world, "job", 2).await;
    let task = fleet.start("job:1", "a").await.remove(0);
    delete(&fleet.world, "job:1").await;
    delete(&fleet.world, "job:1").await; // once more is no other thing
    let known = async || {
        let body = json!({"taskDefinition": "job:1"});
        fleet.world.call(DescribeTaskDefinition, body).await.status == 200
    };
    reap(&fleet.world).await;
    assert!(known().await);
    let in_progress = json!({"status": "DELETE_IN_PROGRESS"});
    assert_eq!(listed(&fleet.world, ListTaskDefinitions, in_progress).await, "job:1");
    fleet.world.report(&task, "STOPPED").await;
    reap(&fleet.world).await;
    assert!(known().await, "the stopped task can still be described");
    assert_eq!(fleet.world.task(&task).await["containers"][0]["image"], "busybox");
    fleet.world.clock.move_by_secs(3601);
    reap(&fleet.world).await; // the task
    reap(&fleet.world).await; // its definition
    assert!(!known().await);
    let answer = fleet.world.ask(DescribeTasks, json!({"tasks": [task]})).await;
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
    assert_eq!(listed(&fleet.world, ListTaskDefinitions, json!({})).await, "job:2");
}

#[tokio::test]
async fn a_revision_is_never_given_twice() {
    let journal = MemoryJournal::default();
    let world = World::over(Store::open(journal.clone()).unwrap()).await;
    define(&world, "job", 3).await;
    for definition in ["job:1", "job:3"] {
        delete(&world, definition).await;
    }
    reap(&world).await;
    define(&world, "job", 1).await;
    assert_eq!(listed(&world, ListTaskDefinitions, json!({})).await, "job:2 job:4");
    for definition in ["job:2", "job:4"] {
        delete(&world, definition).await;
    }
    reap(&world).await;
    assert_eq!(listed(&world, ListTaskDefinitionFamilies, json!({})).await, "");
    world.request_shutdown();
    world.end().await.unwrap();
    let world = World::over(Store::open(journal).unwrap()).await;
    define(&world, "job", 1).await;
    assert_eq!(listed(&world, ListTaskDefinitions, json!({})).await, "job:5");
}
