//! Records as bytes. A key is a table's letter and the record's identity in its own order; a value
//! is a schema version and JSON.

use std::collections::HashSet;
use std::sync::Arc;

use longshore_model::{
    Cluster, ClusterName, ContainerInstance, DefinitionKey, Family, Task, TaskDefinition,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::change::Change;
use crate::error::StoreError;
use crate::state::State;

/// The version that values are written in. A reader of a later one migrates what it finds.
const SCHEMA_VERSION: u8 = 1;

/// The letters sort so that what a record refers to is read before it.
const CLUSTER: u8 = b'c';
const DEFINITION: u8 = b'd';
const INSTANCE: u8 = b'i';
const TASK: u8 = b't';

/// The key of the record that a change is about.
pub(crate) fn key(change: &Change) -> Vec<u8> {
    match change {
        Change::Cluster { before, after } => {
            after.as_ref().or(before.as_ref()).map(|it| cluster_key(&it.name))
        }
        Change::Definition { before, after } => {
            after.as_ref().or(before.as_ref()).map(|it| definition_key(&it.key))
        }
        Change::Instance { before, after } => {
            after.as_ref().or(before.as_ref()).map(|it| id_key(INSTANCE, it.id.bits()))
        }
        Change::Task { before, after } => {
            after.as_ref().or(before.as_ref()).map(|it| id_key(TASK, it.id.bits()))
        }
    }
    .unwrap_or_default()
}

fn cluster_key(name: &ClusterName) -> Vec<u8> {
    [&[CLUSTER], name.as_str().as_bytes()].concat()
}

fn definition_key(key: &DefinitionKey) -> Vec<u8> {
    [&[DEFINITION], key.family.as_str().as_bytes(), &[0], &key.revision.to_be_bytes()].concat()
}

fn id_key(table: u8, bits: u128) -> Vec<u8> {
    [&[table], bits.to_be_bytes().as_slice()].concat()
}

/// The value that a change leaves; `None` where it leaves nothing.
pub(crate) fn value(change: &Change) -> Result<Option<Vec<u8>>, StoreError> {
    match change {
        Change::Cluster { after, .. } => encode(after),
        Change::Definition { after, .. } => encode(after),
        Change::Instance { after, .. } => encode(after),
        Change::Task { after, .. } => encode(after),
    }
}

fn encode<T: Serialize>(record: &Option<Arc<T>>) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(record) = record else { return Ok(None) };
    let mut bytes = vec![SCHEMA_VERSION];
    serde_json::to_writer(&mut bytes, record)
        .map_err(|error| StoreError::Journal(format!("a record cannot be written: {error}")))?;
    Ok(Some(bytes))
}

/// Builds the state from records in the order of their keys.
#[derive(Default)]
pub(crate) struct Loader {
    state: State,
    groups: HashSet<Arc<str>>,
}

impl Loader {
    /// Takes one record in.
    pub(crate) fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let change = self.decode(key, value).map_err(|reason| StoreError::Corrupt {
            key: key.escape_ascii().to_string(),
            reason,
        })?;
        self.state.apply(&change);
        Ok(())
    }

    fn decode(&mut self, key: &[u8], value: &[u8]) -> Result<Change, String> {
        match key.first() {
            Some(&CLUSTER) => {
                Ok(Change::Cluster { before: None, after: Some(read::<Cluster>(value)?) })
            }
            Some(&DEFINITION) => {
                Ok(Change::Definition { before: None, after: Some(read::<TaskDefinition>(value)?) })
            }
            Some(&INSTANCE) => {
                let mut instance: ContainerInstance = parse(value)?;
                if let Some(cluster) = self.state.cluster(&instance.cluster) {
                    instance.cluster = cluster.name.clone();
                }
                let instance = Arc::new(instance);
                Ok(Change::Instance { before: None, after: Some(instance) })
            }
            Some(&TASK) => {
                let mut task: Task = parse(value)?;
                self.share_names(&mut task)?;
                Ok(Change::Task { before: None, after: Some(Arc::new(task)) })
            }
            _ => Err("no such table".into()),
        }
    }

    pub(crate) fn finish(mut self, revision: u64) -> State {
        self.state.revision = revision;
        self.state
    }

    /// Makes a task's names the very ones of its definition and cluster, so that many tasks do not
    /// each hold a copy.
    fn share_names(&mut self, task: &mut Task) -> Result<(), String> {
        let definition = self.state.definition(&task.definition);
        let definition =
            definition.ok_or_else(|| format!("it is of {}, which is gone", task.definition))?;
        let family: Family = definition.key.family.clone();
        for container in &mut task.containers {
            if let Some(it) = definition.containers.iter().find(|it| it.name == container.name) {
                container.name = it.name.clone();
            }
        }
        task.definition.family = family;
        if let Some(cluster) = self.state.cluster(&task.cluster) {
            task.cluster = cluster.name.clone();
        }
        match self.groups.get(&task.group) {
            Some(group) => task.group = Arc::clone(group),
            None => {
                self.groups.insert(Arc::clone(&task.group));
            }
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<Arc<T>, String> {
    parse(value).map(Arc::new)
}

fn parse<T: DeserializeOwned>(value: &[u8]) -> Result<T, String> {
    match value.split_first() {
        Some((&SCHEMA_VERSION, json)) => {
            serde_json::from_slice(json).map_err(|error| error.to_string())
        }
        Some((version, _)) => {
            Err(format!("its schema version is {version}; {SCHEMA_VERSION} is known"))
        }
        None => Err("it is empty".into()),
    }
}
