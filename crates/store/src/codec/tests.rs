use longshore_model::account_settings::SettingName;

use super::*;
use crate::testing::{
    cluster, definition, instance, instance_key, join_token, placement_failure, task,
};

fn put<T>(record: T, change: impl FnOnce(Option<Arc<T>>) -> Change) -> (Vec<u8>, Vec<u8>) {
    let change = change(Some(Arc::new(record)));
    (key(&change), value(&change).unwrap().unwrap())
}

fn settings() -> AccountSettings {
    let mut settings = AccountSettings::default();
    settings.set(SettingName::TaskLongArnFormat, "disabled");
    settings
}

fn deleted() -> DeletedRevisions {
    DeletedRevisions { family: "web".parse().unwrap(), highest: 7 }
}

fn failure() -> PlacementFailure {
    placement_failure("default", 1, 7)
}

fn key_record() -> InstanceKey {
    instance_key(7, "default", Some(1))
}

fn records() -> Vec<(Vec<u8>, Vec<u8>)> {
    vec![
        put(settings(), |after| Change::AccountSettings { before: None, after }),
        put(cluster("default"), |after| Change::Cluster { before: None, after }),
        put(definition("web", 1), |after| Change::Definition { before: None, after }),
        put(deleted(), |after| Change::DeletedRevisions { before: None, after }),
        put(instance(1, "default"), |after| Change::Instance { before: None, after }),
        put(join_token(1, "default", 3), |after| Change::JoinToken { before: None, after }),
        put(key_record(), |after| Change::InstanceKey { before: None, after }),
        put(failure(), |after| Change::PlacementFailure { before: None, after }),
        put(task(1, "default", 1), |after| Change::Task { before: None, after }),
        put(task(2, "default", 1), |after| Change::Task { before: None, after }),
    ]
}

/// Where among the records they are.
const FAILURE_AT: usize = 7;
const TASK_AT: usize = 8;

/// Loads the records with one of them altered, and gives the error's text.
#[track_caller]
fn refused(at: usize, alter: impl FnOnce(&mut (Vec<u8>, Vec<u8>))) -> String {
    let mut records = records();
    alter(&mut records[at]);
    let mut loader = Loader::default();
    let error = records.iter().try_for_each(|(key, value)| loader.take(key, value)).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }));
    error.to_string()
}

#[test]
fn what_is_written_is_read_back() {
    let mut loader = Loader::default();
    let records = records();
    assert!(records.is_sorted(), "what a record refers to is read before it");
    records.iter().for_each(|(key, value)| loader.take(key, value).unwrap());
    let state = loader.finish(7);
    assert_eq!(state.revision(), 7);
    assert_eq!(**state.account_settings(), settings());
    assert_eq!(**state.clusters().next().unwrap(), cluster("default"));
    assert_eq!(**state.definitions().next().unwrap(), definition("web", 1));
    assert_eq!(**state.deleted_revisions(&deleted().family).unwrap(), deleted());
    assert_eq!(**state.all_instances().next().unwrap(), instance(1, "default"));
    assert_eq!(**state.join_tokens().next().unwrap(), join_token(1, "default", 3));
    assert_eq!(**state.instance_keys().next().unwrap(), key_record());
    assert_eq!(**state.placement_failures(&failure().cluster).next().unwrap(), failure());
    assert_eq!(**state.all_tasks().next().unwrap(), task(1, "default", 1));
}

#[test]
fn tasks_that_are_read_share_their_names() {
    let mut loader = Loader::default();
    records().iter().for_each(|(key, value)| loader.take(key, value).unwrap());
    let state = loader.finish(1);
    let tasks: Vec<_> = state.all_tasks().collect();
    let same = |one: &str, other: &str| std::ptr::eq(one, other);
    assert!(Arc::ptr_eq(&tasks[0].group, &tasks[1].group));
    assert!(same(tasks[0].cluster.as_str(), tasks[1].cluster.as_str()));
    assert!(same(tasks[0].containers[0].name.as_str(), tasks[1].containers[0].name.as_str()));
    assert!(same(tasks[0].definition.family.as_str(), tasks[1].definition.family.as_str()));
}

#[test]
fn a_family_lies_before_those_that_it_begins() {
    let keys = [("web", 1), ("web", 2), ("web", 300), ("web-1", 1), ("web1", 1)]
        .map(|(family, revision)| definition_key(&definition(family, revision).key));
    assert!(keys.is_sorted());
}

#[test]
fn a_record_of_a_newer_schema_is_refused_by_its_version() {
    let text = refused(TASK_AT, |it| it.1[0] = 2);
    assert!(text.contains("schema version is 2, and 1 is the newest known"), "{text}");
}

#[test]
fn a_record_that_cannot_be_read_is_refused_with_its_key() {
    let text = refused(1, |it| it.1.truncate(9));
    assert!(text.contains("cdefault"), "{text}");
    refused(4, |it| it.1.clear());
    refused(5, |it| it.1.truncate(9));
    refused(FAILURE_AT, |it| it.1.truncate(9));
    refused(TASK_AT, |it| it.1.truncate(1));
}

#[test]
fn a_record_under_another_key_or_in_no_table_is_refused() {
    for at in [5, 6, FAILURE_AT, TASK_AT] {
        assert!(refused(at, |it| it.0[16] ^= 1).contains("another's key"));
    }
    assert!(refused(1, |it| it.0[0] = b'z').contains("table"));
    assert!(refused(1, |it| it.0.clear()).contains("table"));
}

#[test]
fn a_task_whose_definition_is_gone_is_refused() {
    let (key, value) = &records()[TASK_AT];
    let text = Loader::default().take(key, value).unwrap_err().to_string();
    assert!(text.contains("web:1 is gone"), "{text}");
}

#[test]
fn a_cluster_that_was_written_before_failures_were_counted_has_none() {
    let (key, value) = &records()[1];
    assert!(!String::from_utf8_lossy(value).contains("placement_failures"));
    let mut loader = Loader::default();
    loader.take(key, value).unwrap();
    let state = loader.finish(1);
    assert_eq!(state.clusters().next().unwrap().placement_failures, 0);
    assert_eq!(state.all_placement_failures().count(), 0);
}
