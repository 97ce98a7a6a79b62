//! Records as bytes. A key is a table's letter and the record's identity in its own order; a value
//! is a schema version and JSON.

use std::collections::HashSet;
use std::sync::Arc;

use longshore_model::{
    AccountSettings, Cluster, ClusterName, ContainerInstance, DefinitionKey, DeletedRevisions,
    Family, InstanceKey, JoinToken, PlacementFailure, Tags, Task, TaskDefinition,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::change::Change;
use crate::error::StoreError;
use crate::state::State;

/// The version that values are written in. A reader of a later one migrates what it finds.
const SCHEMA_VERSION: u8 = 1;

/// Room for a task of one container.
const USUAL_BYTES: usize = 640;

/// The letters sort so that what a record refers to is read before it.
const ACCOUNT_SETTINGS: u8 = b'a';
const CLUSTER: u8 = b'c';
const DEFINITION: u8 = b'd';
const DELETED_REVISIONS: u8 = b'f';
const INSTANCE: u8 = b'i';
const JOIN_TOKEN: u8 = b'j';
const INSTANCE_KEY: u8 = b'k';
const PLACEMENT_FAILURE: u8 = b'p';
const TASK: u8 = b't';

/// The key of the record that a change is about.
pub(crate) fn key(change: &Change) -> Vec<u8> {
    match change {
        Change::AccountSettings { .. } => vec![ACCOUNT_SETTINGS],
        Change::Cluster { before, after } => of_either(before, after, |it| cluster_key(&it.name)),
        Change::Definition { before, after } => {
            of_either(before, after, |it| definition_key(&it.key))
        }
        Change::DeletedRevisions { before, after } => {
            of_either(before, after, |it| deleted_revisions_key(&it.family))
        }
        Change::Instance { before, after } => {
            of_either(before, after, |it| id_key(INSTANCE, it.id.bits()))
        }
        Change::InstanceKey { before, after } => {
            of_either(before, after, |it| id_key(INSTANCE_KEY, it.id.bits()))
        }
        Change::JoinToken { before, after } => {
            of_either(before, after, |it| id_key(JOIN_TOKEN, it.id.bits()))
        }
        Change::PlacementFailure { before, after } => {
            of_either(before, after, |it| placement_failure_key(&it.cluster, it.fingerprint))
        }
        Change::Task { before, after } => of_either(before, after, |it| id_key(TASK, it.id.bits())),
    }
}

fn of_either<T>(
    before: &Option<Arc<T>>,
    after: &Option<Arc<T>>,
    key: impl FnOnce(&T) -> Vec<u8>,
) -> Vec<u8> {
    after.as_ref().or(before.as_ref()).map(|it| key(it)).unwrap_or_default()
}

fn cluster_key(name: &ClusterName) -> Vec<u8> {
    [&[CLUSTER], name.as_str().as_bytes()].concat()
}

/// The byte between family and revision is below all that a name may have, so that a family lies
/// before those that it begins.
fn definition_key(key: &DefinitionKey) -> Vec<u8> {
    [&[DEFINITION], key.family.as_str().as_bytes(), &[0], &key.revision.to_be_bytes()].concat()
}

fn deleted_revisions_key(family: &Family) -> Vec<u8> {
    [&[DELETED_REVISIONS], family.as_str().as_bytes()].concat()
}

/// The byte between is below all that a name may have, so that those of a cluster lie together.
fn placement_failure_key(cluster: &ClusterName, fingerprint: u64) -> Vec<u8> {
    let name = cluster.as_str().as_bytes();
    [&[PLACEMENT_FAILURE], name, &[0], fingerprint.to_be_bytes().as_slice()].concat()
}

fn id_key(table: u8, bits: u128) -> Vec<u8> {
    [&[table], bits.to_be_bytes().as_slice()].concat()
}

/// The value that a change leaves; `None` where it leaves nothing.
pub(crate) fn value(change: &Change) -> Result<Option<Vec<u8>>, StoreError> {
    match change {
        Change::AccountSettings { after, .. } => encode(after),
        Change::Cluster { after, .. } => encode(after),
        Change::Definition { after, .. } => encode(after),
        Change::DeletedRevisions { after, .. } => encode(after),
        Change::Instance { after, .. } => encode(after),
        Change::InstanceKey { after, .. } => encode(after),
        Change::JoinToken { after, .. } => encode(after),
        Change::PlacementFailure { after, .. } => encode(after),
        Change::Task { after, .. } => encode(after),
    }
}

fn encode<T: Serialize>(record: &Option<Arc<T>>) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(record) = record else { return Ok(None) };
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(SCHEMA_VERSION);
    serde_json::to_writer(&mut bytes, record)
        .map_err(|error| StoreError::Journal(format!("a record cannot be written: {error}")))?;
    Ok(Some(bytes))
}

/// Reads a value of any version that was ever written: a change of the schema adds a case here
/// that turns the older form into the newer.
fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T, String> {
    match value.split_first() {
        Some((&SCHEMA_VERSION, json)) => {
            serde_json::from_slice(json).map_err(|error| error.to_string())
        }
        Some((version, _)) => Err(format!(
            "its schema version is {version}, and {SCHEMA_VERSION} is the newest known"
        )),
        None => Err("it is empty".into()),
    }
}

/// Builds the state from records in the order of their keys.
#[derive(Default)]
pub(crate) struct Loader {
    state: State,
    texts: HashSet<Arc<str>>,
    tags: HashSet<Tags>,
}

impl Loader {
    /// Takes one record in.
    pub(crate) fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let change = self.change(key.first().copied(), value).and_then(|it| {
            if self::key(&it) == key { Ok(it) } else { Err("it has another's key".into()) }
        });
        let change = change.map_err(|reason| StoreError::Corrupt {
            key: key.escape_ascii().to_string(),
            reason,
        })?;
        self.state.apply(&change);
        Ok(())
    }

    /// Takes one record of a table in, if its own key comes after the last one; `last` is then its.
    pub(crate) fn take_next(
        &mut self,
        table: u8,
        value: &[u8],
        last: &mut Vec<u8>,
    ) -> Result<(), String> {
        let change = self.change(Some(table), value)?;
        let key = key(&change);
        if key <= *last {
            return Err("it comes before the one that it follows, or is the same".into());
        }
        *last = key;
        self.state.apply(&change);
        Ok(())
    }

    /// The state of these records.
    pub(crate) fn finish(mut self, revision: u64) -> State {
        self.state.set_loaded(revision);
        self.state
    }

    fn change(&mut self, table: Option<u8>, value: &[u8]) -> Result<Change, String> {
        let change = match table {
            Some(ACCOUNT_SETTINGS) => {
                let settings = decode::<AccountSettings>(value)?;
                Change::AccountSettings { before: None, after: Some(Arc::new(settings)) }
            }
            Some(CLUSTER) => {
                Change::Cluster { before: None, after: Some(Arc::new(decode::<Cluster>(value)?)) }
            }
            Some(DEFINITION) => {
                let definition = decode::<TaskDefinition>(value)?;
                Change::Definition { before: None, after: Some(Arc::new(definition)) }
            }
            Some(DELETED_REVISIONS) => {
                let deleted = decode::<DeletedRevisions>(value)?;
                Change::DeletedRevisions { before: None, after: Some(Arc::new(deleted)) }
            }
            Some(INSTANCE) => {
                let mut instance = decode::<ContainerInstance>(value)?;
                self.share_cluster(&mut instance.cluster);
                for attribute in &mut instance.attributes {
                    self.share(&mut attribute.name);
                    attribute.value.as_mut().into_iter().for_each(|it| self.share(it));
                }
                Change::Instance { before: None, after: Some(Arc::new(instance)) }
            }
            Some(JOIN_TOKEN) => {
                let mut token = decode::<JoinToken>(value)?;
                self.share_cluster(&mut token.cluster);
                Change::JoinToken { before: None, after: Some(Arc::new(token)) }
            }
            Some(INSTANCE_KEY) => {
                let mut key = decode::<InstanceKey>(value)?;
                self.share_cluster(&mut key.cluster);
                Change::InstanceKey { before: None, after: Some(Arc::new(key)) }
            }
            Some(PLACEMENT_FAILURE) => {
                let mut failure = decode::<PlacementFailure>(value)?;
                self.share_cluster(&mut failure.cluster);
                Change::PlacementFailure { before: None, after: Some(Arc::new(failure)) }
            }
            Some(TASK) => {
                let mut task = decode::<Task>(value)?;
                self.share_names(&mut task)?;
                Change::Task { before: None, after: Some(Arc::new(task)) }
            }
            _ => return Err("its table is not known".into()),
        };
        Ok(change)
    }

    /// Makes a task's names the very ones of its definition and cluster, so that many tasks do not
    /// each hold a copy.
    fn share_names(&mut self, task: &mut Task) -> Result<(), String> {
        let definition = self.state.definition(&task.definition);
        let definition =
            definition.ok_or_else(|| format!("its task definition {} is gone", task.definition))?;
        task.definition.family = definition.key.family.clone();
        for container in &mut task.containers {
            if let Some(it) = definition.containers.iter().find(|it| it.name == container.name) {
                container.name = it.name.clone();
            }
        }
        self.share_cluster(&mut task.cluster);
        if let Some(mark) = &mut task.client_token
            && let Some(other) = self.state.tasks_of_token(&task.cluster, &mark.token).first()
            && let Some(known) = other.client_token.as_ref().filter(|it| *it == mark)
        {
            *mark = Arc::clone(known);
        }
        self.share_tags(&mut task.tags);
        self.share(&mut task.group);
        task.started_by.as_mut().into_iter().for_each(|it| self.share(it));
        Ok(())
    }

    fn share_cluster(&self, name: &mut ClusterName) {
        if let Some(cluster) = self.state.cluster(name) {
            *name = cluster.name.clone();
        }
    }

    fn share_tags(&mut self, tags: &mut Tags) {
        match self.tags.get(tags) {
            _ if tags.is_empty() => {}
            Some(known) => *tags = known.clone(),
            None => {
                self.tags.insert(tags.clone());
            }
        }
    }

    fn share(&mut self, text: &mut Arc<str>) {
        match self.texts.get(text) {
            Some(known) => *text = Arc::clone(known),
            None => {
                self.texts.insert(Arc::clone(text));
            }
        }
    }
}

#[cfg(test)]
mod tests;
