//! What the store promises to callers, readers and watchers.

use std::future::Future;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::change::Change;
use crate::journal::disk::Disk;
use crate::journal::{Batch, EmbeddedJournal, JournalError, MemoryJournal, Take};
use crate::testing::{cluster, instance, instance_id, prepare, put_task, task, task_id};
use crate::watch::Lagged;

/// A journal whose commits wait until the test says what becomes of each, and which tells the test
/// of each batch that it is given.
struct Gated {
    kept: MemoryJournal,
    batches: mpsc::Sender<Vec<Vec<u8>>>,
    verdicts: mpsc::Receiver<Verdict>,
}

enum Verdict {
    Succeed,
    Fail,
    Panic,
}

struct Gate {
    batches: mpsc::Receiver<Vec<Vec<u8>>>,
    verdicts: mpsc::Sender<Verdict>,
}

impl Gate {
    /// The keys of the next batch that is being committed.
    fn batch(&self) -> Vec<Vec<u8>> {
        self.batches.recv().unwrap()
    }

    fn say(&self, verdict: Verdict) {
        self.verdicts.send(verdict).unwrap();
    }
}

impl Journal for Gated {
    fn load(&mut self, take: Take<'_>) -> Result<u64, StoreError> {
        self.kept.load(take)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), JournalError> {
        let keys = batch.records.iter().map(|(key, _)| key.clone()).collect();
        self.batches.send(keys).unwrap();
        match self.verdicts.recv().unwrap_or(Verdict::Fail) {
            Verdict::Succeed => self.kept.commit(batch),
            Verdict::Fail => {
                Err(JournalError::File { path: "journal".into(), reason: "no space".into() })
            }
            Verdict::Panic => panic!("a test's journal panics"),
        }
    }
}

/// A store with a cluster, a definition and an instance, whose further commits wait for the test.
async fn gated() -> (Store, Gate) {
    let kept = MemoryJournal::default();
    prepare(&Store::open_inline(kept.clone()).unwrap()).await.unwrap();
    let ((batch, batches), (verdict, verdicts)) = (mpsc::channel(), mpsc::channel());
    let store = Store::open(Gated { kept, batches: batch, verdicts }).unwrap();
    (store, Gate { batches, verdicts: verdict })
}

/// Lets a future run as far as it gets without waiting.
fn begin<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(poll(&mut future).is_pending());
    future
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn no_space() -> StoreError {
    StoreError::Journal("journal: no space".into())
}

#[tokio::test]
async fn a_transaction_reads_its_own_writes() {
    for open in [|it| Store::open(it), |it| Store::open_inline(it)] {
        let store: Store = open(MemoryJournal::default()).unwrap();
        prepare(&store).await.unwrap();
        let seen = store.update(|tx| {
            tx.put_task(task(1, "default", 1));
            tx.put_task(task(2, "default", 1));
            tx.remove_task(task_id(1));
            Ok::<_, StoreError>((tx.tasks(&cluster("default").name).count(), tx.revision()))
        });
        assert_eq!(seen.await, Ok((1, 1)));
        assert_eq!(store.view().revision(), 2);
        assert_eq!(store.view().all_tasks().count(), 1);
    }
}

#[tokio::test]
async fn an_error_undoes_what_its_transaction_wrote() {
    let store = Store::open(MemoryJournal::default()).unwrap();
    prepare(&store).await.unwrap();
    let refused = store.update(|tx| {
        tx.put_task(task(1, "default", 1));
        Err::<(), _>(no_space())
    });
    assert_eq!(refused.await, Err(no_space()));
    put_task(&store, 2).await.unwrap();
    assert!(store.view().task(task_id(1)).is_none());
    assert_eq!(store.view().revision(), 2);
}

#[tokio::test]
async fn a_panic_undoes_what_its_transaction_wrote_and_the_store_goes_on() {
    let store = Store::open(MemoryJournal::default()).unwrap();
    prepare(&store).await.unwrap();
    let panicking = tokio::spawn({
        let store = store.clone();
        async move {
            let transaction = |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                tx.put_task(task(1, "default", 1));
                panic!("a test's transaction panics")
            };
            store.update(transaction).await
        }
    });
    assert!(panicking.await.unwrap_err().is_panic());
    put_task(&store, 2).await.unwrap();
    assert!(store.view().task(task_id(1)).is_none());
    store.view().check_derived().unwrap();
}

#[tokio::test]
async fn putting_what_is_there_changes_nothing() {
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    prepare(&store).await.unwrap();
    prepare(&store).await.unwrap();
    assert_eq!(store.view().revision(), 1);
}

#[tokio::test]
async fn nobody_sees_an_update_before_it_is_durable() {
    let (store, gate) = gated().await;
    let mut watch = store.watch();
    let update = begin(put_task(&store, 1));
    gate.batch();
    assert!(store.view().task(task_id(1)).is_none());
    assert!(poll(&mut Box::pin(watch.next())).is_pending());
    let look = begin(store.update(|tx| Ok::<_, StoreError>(tx.task(task_id(1)).is_some())));
    let complain = begin(store.update(|tx| {
        let found = tx.task(task_id(1)).is_some();
        Err::<(), _>(StoreError::Closed { reason: format!("found: {found}") })
    }));
    gate.say(Verdict::Succeed);
    update.await.unwrap();
    assert!(store.view().task(task_id(1)).is_some());
    assert_eq!(look.await, Ok(true));
    assert_eq!(complain.await, Err(StoreError::Closed { reason: "found: true".into() }));
    let commit = watch.next().await.unwrap();
    assert_eq!(commit.revision, 2);
    let [Change::Task { before: None, after: Some(after) }] = &*commit.changes else {
        panic!("{commit:?}");
    };
    assert_eq!(**after, task(1, "default", 1));
}

#[tokio::test]
async fn updates_that_come_during_a_commit_become_one_batch_and_a_record_is_in_it_once() {
    let (store, gate) = gated().await;
    let mut watch = store.watch();
    let first = begin(put_task(&store, 1));
    assert_eq!(gate.batch().len(), 1);
    let rest: Vec<_> = (2..8).map(|it| begin(put_task(&store, it))).collect();
    let connect = begin(store.update(|tx| {
        let mut once = instance(1, "default");
        once.version = 2;
        tx.put_instance(once.clone());
        once.version = 3;
        tx.put_instance(once);
        Ok::<_, StoreError>(())
    }));
    gate.say(Verdict::Succeed);
    assert_eq!(gate.batch().len(), 7);
    gate.say(Verdict::Succeed);
    first.await.unwrap();
    for update in rest {
        update.await.unwrap();
    }
    connect.await.unwrap();
    assert_eq!(store.view().instance(instance_id(1)).unwrap().version, 3);
    assert_eq!(watch.next().await.unwrap().changes.len(), 1);
    assert_eq!(watch.next().await.unwrap().changes.len(), 8);
}

#[tokio::test]
async fn a_failed_commit_closes_the_store_for_all_that_was_built_on_it() {
    for (verdict, error) in [
        (Verdict::Fail, no_space()),
        (Verdict::Panic, StoreError::Journal("the journal panicked".into())),
    ] {
        let (store, gate) = gated().await;
        let before = store.view().revision();
        let first = begin(put_task(&store, 1));
        gate.batch();
        let built_on_it = begin(put_task(&store, 2));
        let looked = begin(store.update(|tx| Ok::<_, StoreError>(tx.revision())));
        let closed = begin(store.closed());
        gate.say(verdict);
        assert_eq!(first.await, Err(error.clone()));
        assert_eq!(built_on_it.await, Err(error.clone()));
        assert_eq!(looked.await, Err(error.clone()));
        assert_eq!(closed.await, error);
        let later = put_task(&store, 3).await;
        assert_eq!(later, Err(StoreError::Closed { reason: error.to_string() }));
        assert_eq!(store.view().revision(), before);
        assert_eq!(store.closed().await, error);
        store.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_updates_each_build_on_the_one_before() {
    let store = Store::open(MemoryJournal::default()).unwrap();
    prepare(&store).await.unwrap();
    let mut watch = store.watch();
    let count = |store: Store| async move {
        for _ in 0..100 {
            let counted = store.update(|tx| {
                let mut instance = instance(1, "default");
                instance.version = tx.instance(instance.id).unwrap().version + 1;
                tx.put_instance(instance.clone());
                Ok::<_, StoreError>((instance.version, tx.revision() + 1))
            });
            let (version, revision) = counted.await.unwrap();
            let view = store.view();
            assert!(view.instance(instance_id(1)).unwrap().version >= version);
            assert!(view.revision() >= revision);
        }
    };
    let counters: Vec<_> = (0..8).map(|_| tokio::spawn(count(store.clone()))).collect();
    let (mut version, mut revision) = (1, 1);
    while version < 801 {
        let commit = watch.next().await.unwrap();
        assert!(commit.revision > revision);
        revision = commit.revision;
        for change in &commit.changes {
            let Change::Instance { before: Some(before), after: Some(after) } = change else {
                panic!("{change:?}");
            };
            assert_eq!((before.version, after.version), (version, version + 1));
            version += 1;
        }
    }
    for counter in counters {
        counter.await.unwrap();
    }
    assert_eq!(store.view().revision(), 801);
}

#[tokio::test]
async fn an_update_whose_caller_has_gone_becomes_durable_all_the_same() {
    let (store, gate) = gated().await;
    drop(begin(put_task(&store, 1)));
    gate.say(Verdict::Succeed);
    store.shutdown().await;
    assert!(store.view().task(task_id(1)).is_some());
}

#[tokio::test]
async fn a_watcher_that_is_too_slow_is_told_and_then_goes_on() {
    let store = Store::open_inline(MemoryJournal::default()).unwrap();
    prepare(&store).await.unwrap();
    let mut watch = store.watch();
    for number in 0..1_100 {
        put_task(&store, number).await.unwrap();
    }
    assert_eq!(watch.next().await.err(), Some(Lagged));
    let seen = store.view().revision();
    put_task(&store, 2_000).await.unwrap();
    assert_eq!(watch.next().await.unwrap().revision, seen + 1);
}

#[tokio::test]
async fn shutdown_waits_for_what_was_taken_and_lets_go_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let ways = [|it| Store::open(it), |it| Store::open_inline(it)];
    for (number, open) in ways.into_iter().enumerate() {
        let store: Store = open(EmbeddedJournal::open(&path).unwrap()).unwrap();
        prepare(&store).await.unwrap();
        let taken = tokio::spawn({
            let store = store.clone();
            async move { put_task(&store, u32::try_from(number).unwrap()).await }
        });
        tokio::task::yield_now().await;
        store.shutdown().await;
        taken.await.unwrap().unwrap();
        let late = put_task(&store, 9).await;
        assert_eq!(late, Err(StoreError::Closed { reason: "it was shut down".into() }));
        let reopened = Store::open(EmbeddedJournal::open(&path).unwrap()).unwrap();
        assert_eq!(reopened.view().all_tasks().count(), number + 1);
        reopened.view().check_derived().unwrap();
    }
}

#[tokio::test]
async fn the_last_handle_to_go_lets_go_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let store = Store::open(EmbeddedJournal::open(&path).unwrap()).unwrap();
    prepare(&store.clone()).await.unwrap();
    drop(store);
    assert!(EmbeddedJournal::open(&path).is_ok());
}

#[tokio::test]
async fn a_full_disk_closes_the_store_and_loses_nothing_that_was_acknowledged() {
    let disk = Disk::default();
    let store = Store::open(EmbeddedJournal::on(disk.clone()).unwrap()).unwrap();
    prepare(&store).await.unwrap();
    disk.limit(300_000);
    let mut acknowledged = 0;
    let error = loop {
        match put_task(&store, acknowledged).await {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(acknowledged > 0);
    assert!(matches!(error, StoreError::Journal(_)), "{error}");
    assert!(matches!(put_task(&store, 0).await, Err(StoreError::Closed { .. })));
    assert_eq!(store.closed().await, error);
    assert_eq!(store.view().all_tasks().count(), usize::try_from(acknowledged).unwrap());
    drop(store);
    let reopened = Store::open(EmbeddedJournal::on(disk.restarted()).unwrap()).unwrap();
    let found = u32::try_from(reopened.view().all_tasks().count()).unwrap();
    assert!(found == acknowledged || found == acknowledged + 1);
    assert!((0..acknowledged).all(|it| reopened.view().task(task_id(it)).is_some()));
    put_task(&reopened, acknowledged + 1).await.unwrap();
}
