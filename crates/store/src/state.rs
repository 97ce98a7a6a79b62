//! The state: copy-on-write tables of shared records, and what is derived from them.
//!
//! A clone is a few counters raised. [`State::apply`] is the only way in, for a transaction and
//! for the records read at the start alike, so that what is derived cannot differ between them.

mod changed;
mod derived;
mod tokens;

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use longshore_model::{
    AccountSettings, Cluster, ClusterName, ContainerInstance, DefinitionKey, DeletedRevisions,
    Family, InstanceId, InstanceKey, InstanceKeyId, JoinToken, JoinTokenId, Occupancy,
    PlacementFailure, Task, TaskDefinition, TaskId, Timestamp,
};
use rpds::RedBlackTreeMapSync as Map;

pub use derived::ClusterCounts;
use derived::Derived;

use crate::change::Change;
use crate::table::Table;

/// Everything that the control plane knows.
#[derive(Clone, Default)]
pub struct State {
    revision: u64,
    account_settings: Arc<AccountSettings>,
    clusters: Map<ClusterName, Arc<Cluster>>,
    definitions: Map<DefinitionKey, Arc<TaskDefinition>>,
    deleted_revisions: Map<Family, Arc<DeletedRevisions>>,
    /// By cluster and fingerprint; few, for they are bounded for each cluster.
    placement_failures: Map<(ClusterName, u64), Arc<PlacementFailure>>,
    join_tokens: Map<JoinTokenId, Arc<JoinToken>>,
    instance_keys: Map<InstanceKeyId, Arc<InstanceKey>>,
    instances: Table<ContainerInstance>,
    tasks: Table<Task>,
    derived: Derived,
}

impl State {
    /// Rises by one with every update that changed something.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The account's settings.
    pub fn account_settings(&self) -> &Arc<AccountSettings> {
        &self.account_settings
    }

    /// A cluster by its name.
    pub fn cluster(&self, name: &ClusterName) -> Option<&Arc<Cluster>> {
        self.clusters.get(name)
    }

    /// All clusters, by name.
    pub fn clusters(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.clusters.values()
    }

    /// The clusters that come after the name given, which need not be there, by name.
    pub fn clusters_after(
        &self,
        after: Option<&ClusterName>,
    ) -> impl Iterator<Item = &Arc<Cluster>> {
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.clusters.range::<ClusterName, _>((first, Bound::Unbounded)).map(|(_, it)| it)
    }

    /// A task definition by family and revision.
    pub fn definition(&self, key: &DefinitionKey) -> Option<&Arc<TaskDefinition>> {
        self.definitions.get(key)
    }

    /// All task definitions, by family and revision.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<TaskDefinition>> {
        self.definitions.values()
    }

    /// The task definitions of a range, by family and revision.
    pub fn definitions_in(
        &self,
        range: impl RangeBounds<DefinitionKey>,
    ) -> impl DoubleEndedIterator<Item = &Arc<TaskDefinition>> {
        self.definitions.range(range).map(|(_, it)| it)
    }

    /// The revisions of a family, the oldest first, whatever their status.
    pub fn revisions(
        &self,
        family: &Family,
    ) -> impl DoubleEndedIterator<Item = &Arc<TaskDefinition>> {
        let key = |revision| DefinitionKey { family: family.clone(), revision };
        self.definitions_in(key(0)..=key(u32::MAX))
    }

    /// The highest revision that a family has or ever had; 0 where there was none.
    pub fn highest_revision(&self, family: &Family) -> u32 {
        let newest = self.revisions(family).next_back().map_or(0, |it| it.key.revision);
        newest.max(self.deleted_revisions(family).map_or(0, |it| it.highest))
    }

    pub(crate) fn deleted_revisions(&self, family: &Family) -> Option<&Arc<DeletedRevisions>> {
        self.deleted_revisions.get(family)
    }

    /// What is remembered of the RunTask calls with this fingerprint that could place nothing.
    pub fn placement_failure(
        &self,
        cluster: &ClusterName,
        fingerprint: u64,
    ) -> Option<&Arc<PlacementFailure>> {
        self.placement_failures.get(&(cluster.clone(), fingerprint))
    }

    /// What is remembered of the RunTask calls in a cluster that could place nothing, in no order
    /// that means anything.
    pub fn placement_failures(
        &self,
        cluster: &ClusterName,
    ) -> impl Iterator<Item = &Arc<PlacementFailure>> {
        let key = |fingerprint| (cluster.clone(), fingerprint);
        self.placement_failures.range(key(0)..=key(u64::MAX)).map(|(_, it)| it)
    }

    /// What is remembered of all RunTask calls that could place nothing, by cluster.
    pub fn all_placement_failures(&self) -> impl Iterator<Item = &Arc<PlacementFailure>> {
        self.placement_failures.values()
    }

    /// What lets machines join.
    pub fn join_token(&self, id: JoinTokenId) -> Option<&Arc<JoinToken>> {
        self.join_tokens.get(&id)
    }

    /// All join tokens, in the order of their ids.
    pub fn join_tokens(&self) -> impl Iterator<Item = &Arc<JoinToken>> {
        self.join_tokens.values()
    }

    /// The key of one machine's agent.
    pub fn instance_key(&self, id: InstanceKeyId) -> Option<&Arc<InstanceKey>> {
        self.instance_keys.get(&id)
    }

    /// All instance keys, in the order of their ids, which is not that of their creation.
    pub fn instance_keys(&self) -> impl Iterator<Item = &Arc<InstanceKey>> {
        self.instance_keys.values()
    }

    /// A container instance.
    pub fn instance(&self, id: InstanceId) -> Option<&Arc<ContainerInstance>> {
        self.instances.get(id)
    }

    /// All container instances, in the order of their registration.
    pub fn all_instances(&self) -> impl Iterator<Item = &Arc<ContainerInstance>> {
        self.instances.iter()
    }

    /// The container instances of a cluster, whatever their status, in the order of their
    /// registration.
    pub fn instances<'a>(
        &'a self,
        cluster: &ClusterName,
    ) -> impl Iterator<Item = &'a Arc<ContainerInstance>> + use<'a> {
        self.derived.members(cluster).into_iter().flat_map(|it| it.instances.iter())
    }

    /// The container instances of a cluster that come after the one given, which need not be there,
    /// in the order of their registration.
    pub fn instances_after<'a>(
        &'a self,
        cluster: &ClusterName,
        after: Option<InstanceId>,
    ) -> impl Iterator<Item = &'a Arc<ContainerInstance>> + use<'a> {
        self.derived.members(cluster).into_iter().flat_map(move |it| it.instances.after(after))
    }

    /// The instances of a cluster whose record or occupancy changed in a later revision, each once,
    /// in the order of their ids. What a running transaction changed counts as of
    /// `revision() + 1`. Removed instances are among them, and [`State::instance`] does not find
    /// those.
    ///
    /// `None` where that is too long ago to be known, as it is of everything before a restart or
    /// since the cluster was empty: then all instances are to be read again.
    pub fn instances_changed_after(
        &self,
        cluster: &ClusterName,
        revision: u64,
    ) -> Option<Vec<InstanceId>> {
        self.derived.members(cluster)?.changed.since(revision)
    }

    /// What tasks take of an instance: the live ones, and those given up that may still run there.
    pub fn occupancy(&self, id: InstanceId) -> Arc<Occupancy> {
        self.derived.occupancy(id)
    }

    /// A task.
    pub fn task(&self, id: TaskId) -> Option<&Arc<Task>> {
        self.tasks.get(id)
    }

    /// All tasks, in the order of their creation.
    pub fn all_tasks(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.tasks.iter()
    }

    /// The tasks of a cluster, in the order of their creation.
    pub fn tasks<'a>(
        &'a self,
        cluster: &ClusterName,
    ) -> impl Iterator<Item = &'a Arc<Task>> + use<'a> {
        self.derived.members(cluster).into_iter().flat_map(|it| it.tasks.iter())
    }

    /// The tasks of a cluster that come after the one given, which need not be there, in the order
    /// of their creation.
    pub fn tasks_after<'a>(
        &'a self,
        cluster: &ClusterName,
        after: Option<TaskId>,
    ) -> impl Iterator<Item = &'a Arc<Task>> + use<'a> {
        self.derived.members(cluster).into_iter().flat_map(move |it| it.tasks.after(after))
    }

    /// The tasks that had ended before this time, the earliest first. One that was given up and may
    /// still run has not.
    pub fn tasks_ended_before(&self, time: Timestamp) -> impl Iterator<Item = &Arc<Task>> {
        let ended = self.derived.ended.below((Some(time), TaskId::from_bits(0)));
        ended.filter(|it| it.ended_at().is_some())
    }

    /// How many tasks there are of a definition, STOPPED ones too.
    pub fn tasks_of_definition(&self, key: &DefinitionKey) -> u32 {
        self.derived.tasks_of_definition(key)
    }

    /// The tasks that a RunTask call with this token made, as far as they are remembered, in the
    /// order of their creation.
    pub fn tasks_of_token(&self, cluster: &ClusterName, token: &str) -> Vec<&Arc<Task>> {
        let candidates = self.derived.tokens.candidates(cluster, token);
        let tasks = candidates.iter().filter_map(|it| self.task(*it));
        let has_it = |it: &&Arc<Task>| {
            it.cluster == *cluster && it.client_token.as_ref().is_some_and(|it| *it.token == *token)
        };
        tasks.filter(has_it).collect()
    }

    /// How much of what a cluster has.
    pub fn counts(&self, cluster: &ClusterName) -> ClusterCounts {
        self.derived.members(cluster).map(|it| it.counts).unwrap_or_default()
    }

    /// How many tasks a cluster has, STOPPED ones too.
    pub fn task_count(&self, cluster: &ClusterName) -> usize {
        self.derived.members(cluster).map_or(0, |it| it.tasks.len())
    }

    /// Compares what is derived with what a fresh computation gives; the error names the first
    /// difference. For tests and the simulation.
    pub fn check_derived(&self) -> Result<(), String> {
        derived::check(self)
    }

    pub(crate) fn set_revision(&mut self, revision: u64) {
        self.revision = revision;
    }

    /// Ends the loading of records: they are what this revision left.
    pub(crate) fn set_loaded(&mut self, revision: u64) {
        self.set_revision(revision);
        self.derived.forget_changes(revision);
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        let revision = self.revision + 1;
        match change {
            Change::AccountSettings { after, .. } => {
                self.account_settings = after.as_ref().map(Arc::clone).unwrap_or_default();
            }
            Change::Cluster { before, after } => {
                put(&mut self.clusters, before, after, |it| it.name.clone());
            }
            Change::Definition { before, after } => {
                put(&mut self.definitions, before, after, |it| it.key.clone());
            }
            Change::DeletedRevisions { before, after } => {
                put(&mut self.deleted_revisions, before, after, |it| it.family.clone());
            }
            Change::Instance { before, after } => {
                self.derived.follow_instance(before.as_ref(), after.as_ref(), revision);
                match (before, after) {
                    (_, Some(after)) => self.instances.put(Arc::clone(after)),
                    (Some(before), None) => self.instances.remove(before.id),
                    (None, None) => {}
                }
            }
            Change::InstanceKey { before, after } => {
                put(&mut self.instance_keys, before, after, |it| it.id);
            }
            Change::JoinToken { before, after } => {
                put(&mut self.join_tokens, before, after, |it| it.id);
            }
            Change::PlacementFailure { before, after } => {
                let key = |it: &PlacementFailure| (it.cluster.clone(), it.fingerprint);
                put(&mut self.placement_failures, before, after, key);
            }
            Change::Task { before, after } => {
                let (before, after) = (before.as_ref(), after.as_ref());
                self.derived.follow_task(before, after, &self.definitions, revision);
                match (before, after) {
                    (_, Some(after)) => self.tasks.put(Arc::clone(after)),
                    (Some(before), None) => self.tasks.remove(before.id),
                    (None, None) => {}
                }
            }
        }
    }
}

fn put<K: Ord, T>(
    table: &mut Map<K, Arc<T>>,
    before: &Option<Arc<T>>,
    after: &Option<Arc<T>>,
    key: impl Fn(&T) -> K,
) {
    match (before, after) {
        (_, Some(record)) => table.insert_mut(key(record), Arc::clone(record)),
        (Some(record), None) => {
            table.remove_mut(&key(record));
        }
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests;
