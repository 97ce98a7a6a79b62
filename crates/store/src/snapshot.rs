//! What placement looks at, in a file: clusters, container instances, the tasks that take something
//! of them (live, or given up and perhaps still running) and the task definitions that can be run, so that what could be placed can be worked out elsewhere and later.
//!
//! ```text
//! longshore-snapshot 1
//! 5f0b2c1e {"taken_at":1511524800000,"region":"us-east-1","account":"123456789012"}
//! 93a8e6d0 c1 {"name":"default",...}
//! 0c7715ab end 1
//! ```
//!
//! The file is lines of text. After the first, each begins with the CRC-32 of all that is before
//! it, checks left out, and the rest of itself: a line that was changed, lost or moved is found
//! where that happened. A record has the letter of its table and the version of its schema, as in
//! the journal, and records are in the order of their keys. The last line counts them, so that a
//! file that was cut is known as one.

mod error;
mod lines;

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use longshore_model::{
    ClusterName, DefinitionKey, DefinitionStatus, Owner, Task, TaskDefinition, Timestamp,
};
use serde::{Deserialize, Serialize};

pub use error::SnapshotError;
use lines::{LineReader, LineWriter};

use crate::change::Change;
use crate::codec::{Loader, key, value};
use crate::state::State;

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The instant of the state.
    pub taken_at: Timestamp,
    /// Whose resources they are.
    pub owner: Owner,
    /// Whether the control plane runs FARGATE tasks on the instances that there are.
    pub has_fargate: bool,
    /// The one cluster that it holds; all if `None`.
    pub cluster: Option<ClusterName>,
}

/// A header as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    taken_at: Timestamp,
    region: String,
    account: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fargate_on_instances: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<ClusterName>,
}

impl From<&Header> for HeaderLine {
    fn from(header: &Header) -> Self {
        Self {
            taken_at: header.taken_at,
            region: header.owner.region.clone(),
            account: header.owner.account.clone(),
            fargate_on_instances: header.has_fargate,
            cluster: header.cluster.clone(),
        }
    }
}

impl From<HeaderLine> for Header {
    fn from(line: HeaderLine) -> Self {
        Self {
            taken_at: line.taken_at,
            owner: Owner { region: line.region, account: line.account },
            has_fargate: line.fargate_on_instances,
            cluster: line.cluster,
        }
    }
}

/// Writes what a state has of the header's cluster, or of all. Nothing is kept in memory but the
/// record that is being written.
///
/// # Errors
/// The writer's own.
pub fn write(state: &State, header: &Header, output: &mut impl Write) -> io::Result<()> {
    let mut lines = LineWriter::begin(output)?;
    lines.write(&serde_json::to_vec(&HeaderLine::from(header))?)?;
    let mut records: u64 = 0;
    for change in records_of(state, header.cluster.as_ref()) {
        let table = key(&change).first().copied().unwrap_or_default();
        let value = value(&change).map_err(io::Error::other)?.unwrap_or_default();
        let (version, json) = value.split_first().unwrap_or((&0, &[]));
        lines.write(&[&[table], version.to_string().as_bytes(), b" ", json].concat())?;
        records += 1;
    }
    lines.write(format!("end {records}").as_bytes())?;
    lines.flush()
}

/// The records, each as the change that makes it, in the order of their keys.
fn records_of(state: &State, cluster: Option<&ClusterName>) -> impl Iterator<Item = Change> {
    let is_of = move |name: &ClusterName| cluster.is_none_or(|it| it == name);
    let tasks = move || {
        let is_there = move |it: &&Arc<Task>| it.takes_resources();
        state.all_tasks().filter(is_there).filter(move |it| is_of(&it.cluster))
    };
    let used: BTreeSet<&DefinitionKey> = tasks().map(|it| &it.definition).collect();
    let is_wanted = move |it: &&Arc<TaskDefinition>| {
        it.status == DefinitionStatus::Active || used.contains(&it.key)
    };
    let clusters = state.clusters().filter(move |it| is_of(&it.name));
    let definitions = state.definitions().filter(is_wanted);
    let instances = state.all_instances().filter(move |it| is_of(&it.cluster));
    clusters
        .map(|it| Change::Cluster { before: None, after: Some(Arc::clone(it)) })
        .chain(definitions.map(|it| Change::Definition { before: None, after: Some(it.clone()) }))
        .chain(instances.map(|it| Change::Instance { before: None, after: Some(it.clone()) }))
        .chain(tasks().map(|it| Change::Task { before: None, after: Some(it.clone()) }))
}

/// A snapshot that was read.
pub struct Snapshot {
    /// What it is of.
    pub header: Header,
    /// What was written of the state, and what follows from that.
    pub state: State,
}

/// Reads a snapshot.
///
/// # Errors
/// [`SnapshotError`] where the file is damaged, cut, none, or of another version; it says at which
/// byte.
pub fn read(input: impl BufRead) -> Result<Snapshot, SnapshotError> {
    let mut lines = LineReader::begin(input)?;
    let header = lines.next()?;
    let header: HeaderLine = serde_json::from_slice(header.text).map_err(|error| {
        SnapshotError::Record { offset: header.offset, reason: error.to_string() }
    })?;
    let (mut loader, mut last, mut records) = (Loader::default(), Vec::new(), 0_u64);
    loop {
        let line = lines.next()?;
        let refused = |reason: String| SnapshotError::Record { offset: line.offset, reason };
        if let Some(count) = line.text.strip_prefix(b"end ") {
            if count != records.to_string().as_bytes() {
                return Err(refused(format!("{records} records are before it")));
            }
            break;
        }
        let (table, value) = record(line.text).ok_or_else(|| refused("it is no record".into()))?;
        loader.take_next(table, &value, &mut last).map_err(refused)?;
        records += 1;
    }
    lines.end()?;
    Ok(Snapshot { header: header.into(), state: loader.finish(0) })
}

/// The letter of a record's table, and its value as the journal has it.
fn record(text: &[u8]) -> Option<(u8, Vec<u8>)> {
    let space = text.iter().position(|it| *it == b' ')?;
    let (head, json) = (&text[..space], &text[space + 1..]);
    let (table, version) = head.split_first()?;
    let version: u8 = std::str::from_utf8(version).ok()?.parse().ok()?;
    Some((*table, [&[version], json].concat()))
}

#[cfg(test)]
pub(crate) mod tests;
