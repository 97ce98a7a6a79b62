//! A disk that fails: the call that it fails, and every later one, is a ServerException; nothing is
//! acknowledged that was not kept; the server ends with an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use longshore_store::{Batch, Journal, JournalError, MemoryJournal, Store, StoreError};
use longshore_wire::Operation::{
    self, CreateCluster, RegisterContainerInstance, RegisterTaskDefinition, RunTask, StartTask,
    StopTask, SubmitContainerStateChange, SubmitTaskStateChange,
};
use serde_json::json;

use crate::harness::{Machine, World, try_send};

type TakeRecord<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// Keeps batches until none are left that it may keep.
struct Fragile {
    kept: MemoryJournal,
    left: Arc<AtomicU32>,
}

impl Journal for Fragile {
    fn load(&mut self, take: TakeRecord<'_>) -> Result<u64, StoreError> {
        self.kept.load(take)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), JournalError> {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(JournalError::File { path: "disk".into(), reason: "broken".into() });
        }
        self.left.store(left - 1, Ordering::SeqCst);
        self.kept.commit(batch)
    }
}

/// A world, what its disk keeps, and how often that will do so.
async fn begin() -> (World, MemoryJournal, Arc<AtomicU32>) {
    let kept = MemoryJournal::default();
    let left = Arc::new(AtomicU32::new(u32::MAX));
    let journal = Fragile { kept: kept.clone(), left: Arc::clone(&left) };
    (World::over(Store::open(journal).unwrap()).await, kept, left)
}

#[tokio::test]
async fn every_operation_that_changes_something_fails() {
    for operation in [
        CreateCluster,
        RegisterContainerInstance,
        RegisterTaskDefinition,
        RunTask,
        StartTask,
        StopTask,
        SubmitTaskStateChange,
        SubmitContainerStateChange,
    ] {
        check(operation).await;
    }
}

async fn check(operation: Operation) {
    let (world, _, left) = begin().await;
    let agent = world.join(&Machine::default()).await;
    world.define("job", json!({"memory": 64})).await;
    let ran = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let task = &ran["tasks"][0]["taskArn"];
    let report = json!({
        "cluster": "default", "task": task, "containerName": "main", "status": "RUNNING"
    });
    let container = json!({"name": "main", "image": "busybox", "memory": 64});
    let body = match operation {
        CreateCluster => json!({"clusterName": "batch"}),
        RegisterContainerInstance => Machine::default().registration(),
        RegisterTaskDefinition => json!({"family": "f", "containerDefinitions": [container]}),
        StartTask => json!({"taskDefinition": "job", "containerInstances": [agent.instance]}),
        StopTask => json!({"task": task}),
        RunTask => json!({"taskDefinition": "job"}),
        _ => report,
    };
    left.store(0, Ordering::SeqCst);
    let before = world.state().revision();
    let answer = world.call(operation, body).await;
    let expected = (500, "ServerException".into(), "The state could not be saved.".into());
    assert_eq!(answer.refusal(), expected, "{operation}");
    assert_eq!(world.state().revision(), before, "{operation}");
    let error = world.end().await.unwrap_err().to_string();
    assert!(error.contains("broken"), "{error}");
}

#[tokio::test]
async fn what_was_acknowledged_is_what_was_kept() {
    for batches in 0..5 {
        let (world, kept, left) = begin().await;
        left.store(batches, Ordering::SeqCst);
        let calls = (0..40).map(|number| {
            let body = json!({"clusterName": format!("c{number}")}).to_string();
            let request = world.request(CreateCluster, body).signed();
            let address = world.address;
            async move { (format!("c{number}"), try_send(address, request).await) }
        });
        // The first four together, which may share a batch, and then one after another.
        let mut calls: Vec<_> = calls.collect();
        let later = calls.split_off(4);
        let mut outcomes = join_all(calls).await;
        for call in later {
            outcomes.push(call.await);
        }
        let mut acknowledged = vec!["default".to_owned()];
        for (name, answer) in outcomes {
            // A connection that came too late is closed without an answer.
            match answer.map(|it| it.status) {
                Ok(200) => acknowledged.push(name),
                Ok(status) => assert_eq!(status, 500),
                Err(_) => {}
            }
        }
        world.end().await.unwrap_err();
        let reopened = Store::open(kept).unwrap();
        let state = reopened.view();
        let mut found: Vec<String> = state.clusters().map(|it| it.name.to_string()).collect();
        found.sort();
        acknowledged.sort();
        assert_eq!(found, acknowledged);
    }
}

#[tokio::test]
async fn agents_are_sent_away() {
    let (world, _, left) = begin().await;
    let mut agent = world.join(&Machine::default()).await;
    left.store(0, Ordering::SeqCst);
    let answer = world.call(CreateCluster, json!({"clusterName": "batch"})).await;
    assert_eq!(answer.status, 500);
    assert_eq!(agent.frame().await, None);
    world.end().await.unwrap_err();
}
