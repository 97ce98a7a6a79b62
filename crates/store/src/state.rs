//! The state: copy-on-write tables of shared records, and what is derived from them.
//!
//! A clone is a few counters raised. [`State::apply`] is the only way in, for a transaction and
//! for the records read at the start alike, so that what is derived cannot differ between them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use longshore_model::{
    Cluster, ClusterName, ContainerInstance, DefinitionKey, Demand, Family, InstanceId,
    InstanceStatus, Occupancy, Task, TaskDefinition, TaskId,
};
use rpds::RedBlackTreeMapSync as Map;

use crate::change::Change;

/// Everything that the control plane knows.
#[derive(Clone, Default)]
pub struct State {
    pub(crate) revision: u64,
    clusters: Map<ClusterName, Arc<Cluster>>,
    definitions: Map<DefinitionKey, Arc<TaskDefinition>>,
    instances: Map<InstanceId, Arc<ContainerInstance>>,
    tasks: Map<TaskId, Arc<Task>>,
    /// Derived from `tasks`: those that one marked call made.
    by_token: Map<TokenKey, Arc<Vec<TaskId>>>,
    /// Derived from `tasks` and `definitions`; instances without live tasks have no entry.
    occupancy: Map<InstanceId, Arc<Occupancy>>,
}

/// Tokens are a cluster's own.
type TokenKey = (ClusterName, Box<str>);

/// How much of what a cluster has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterCounts {
    /// Tasks whose last status is RUNNING.
    pub running_tasks: u32,
    /// Tasks whose last status is PENDING.
    pub pending_tasks: u32,
    /// ACTIVE and DRAINING instances, connected or not.
    pub registered_instances: u32,
}

impl State {
    /// Rises by one with every update that changed something.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// A cluster by its name.
    pub fn cluster(&self, name: &ClusterName) -> Option<&Arc<Cluster>> {
        self.clusters.get(name)
    }

    /// All clusters, by name.
    pub fn clusters(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.clusters.values()
    }

    /// A task definition by family and revision.
    pub fn definition(&self, key: &DefinitionKey) -> Option<&Arc<TaskDefinition>> {
        self.definitions.get(key)
    }

    /// All task definitions, by family and revision.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<TaskDefinition>> {
        self.definitions.values()
    }

    /// The revisions of a family, the oldest first, whatever their status.
    pub fn revisions(
        &self,
        family: &Family,
    ) -> impl DoubleEndedIterator<Item = &Arc<TaskDefinition>> {
        let key = |revision| DefinitionKey { family: family.clone(), revision };
        self.definitions.range(key(0)..=key(u32::MAX)).map(|(_, it)| it)
    }

    /// A container instance.
    pub fn instance(&self, id: InstanceId) -> Option<&Arc<ContainerInstance>> {
        self.instances.get(&id)
    }

    /// All container instances, in the order of their registration.
    pub fn all_instances(&self) -> impl Iterator<Item = &Arc<ContainerInstance>> {
        self.instances.values()
    }

    /// The container instances of a cluster, whatever their status, in the order of their
    /// registration.
    pub fn instances<'a>(
        &'a self,
        cluster: &ClusterName,
    ) -> impl Iterator<Item = &'a Arc<ContainerInstance>> {
        let cluster = cluster.clone();
        self.instances.values().filter(move |it| it.cluster == cluster)
    }

    /// What the live tasks of an instance take of it.
    pub fn occupancy(&self, id: InstanceId) -> Arc<Occupancy> {
        self.occupancy.get(&id).map(Arc::clone).unwrap_or_default()
    }

    /// A task.
    pub fn task(&self, id: TaskId) -> Option<&Arc<Task>> {
        self.tasks.get(&id)
    }

    /// All tasks, in the order of their creation.
    pub fn all_tasks(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.tasks.values()
    }

    /// The tasks of a cluster, in the order of their creation.
    pub fn tasks<'a>(&'a self, cluster: &ClusterName) -> impl Iterator<Item = &'a Arc<Task>> {
        let cluster = cluster.clone();
        self.tasks.values().filter(move |it| it.cluster == cluster)
    }

    /// The tasks of a cluster that were created after the one given.
    pub fn tasks_after<'a>(
        &'a self,
        cluster: &ClusterName,
        after: TaskId,
    ) -> impl Iterator<Item = &'a Arc<Task>> {
        let cluster = cluster.clone();
        let range = (Bound::Excluded(after), Bound::Unbounded);
        self.tasks.range(range).map(|(_, it)| it).filter(move |it| it.cluster == cluster)
    }

    /// The tasks that a RunTask call with this token made, as far as they are remembered.
    pub fn tasks_of_token(&self, cluster: &ClusterName, token: &str) -> Vec<&Arc<Task>> {
        let ids = self.by_token.get(&(cluster.clone(), token.into()));
        ids.into_iter().flat_map(|it| it.iter()).filter_map(|it| self.tasks.get(it)).collect()
    }

    /// How much of what a cluster has, computed from its instances.
    pub fn counts(&self, cluster: &ClusterName) -> ClusterCounts {
        let mut counts = ClusterCounts::default();
        for instance in self.instances(cluster) {
            if instance.status != InstanceStatus::Inactive {
                counts.registered_instances += 1;
            }
            if let Some(occupancy) = self.occupancy.get(&instance.id) {
                counts.running_tasks += occupancy.running;
                counts.pending_tasks += occupancy.pending;
            }
        }
        counts
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Cluster { before, after } => {
                put(&mut self.clusters, before, after, |it| it.name.clone());
            }
            Change::Definition { before, after } => {
                put(&mut self.definitions, before, after, |it| it.key.clone());
            }
            Change::Instance { before, after } => {
                put(&mut self.instances, before, after, |it| it.id);
            }
            Change::Task { before, after } => {
                self.follow(before.as_deref(), after.as_deref());
                self.follow_token(before.as_deref(), after.as_deref());
                put(&mut self.tasks, before, after, |it| it.id);
            }
        }
    }

    /// Keeps the occupancy of the task's instance.
    fn follow(&mut self, before: Option<&Task>, after: Option<&Task>) {
        let Some(task) = after.or(before) else { return };
        let definition = self.definitions.get(&task.definition);
        let overrides = task.overrides.as_deref();
        let demand = || definition.map(|it| Demand::of(it, overrides)).unwrap_or_default();
        let instance = task.container_instance;
        let mut occupancy = self.occupancy(instance);
        self.occupancy.remove_mut(&instance);
        Arc::make_mut(&mut occupancy).follow(before, after, demand);
        if !occupancy.tasks.is_empty() {
            self.occupancy.insert_mut(instance, occupancy);
        }
    }

    /// Keeps the list of the tasks of one marked call.
    fn follow_token(&mut self, before: Option<&Task>, after: Option<&Task>) {
        let Some(task) = (match (before, after) {
            (None, Some(task)) | (Some(task), None) => Some(task),
            (Some(_), Some(_)) | (None, None) => None,
        }) else {
            return;
        };
        let Some(client_token) = &task.client_token else { return };
        let key = (task.cluster.clone(), client_token.token.clone());
        let mut ids = self.by_token.get(&key).map(Arc::clone).unwrap_or_default();
        let list = Arc::make_mut(&mut ids);
        match after {
            Some(_) => list.push(task.id),
            None => list.retain(|it| *it != task.id),
        }
        if list.is_empty() {
            self.by_token.remove_mut(&key);
        } else {
            self.by_token.insert_mut(key, ids);
        }
    }

    /// Compares what is derived with what a fresh computation gives; the error names the first
    /// difference. For tests and the simulation.
    pub fn check_derived(&self) -> Result<(), String> {
        let mut fresh: BTreeMap<InstanceId, Occupancy> = BTreeMap::new();
        for task in self.tasks.values() {
            let definition = self.definitions.get(&task.definition);
            let definition = definition.ok_or(format!("{} has no definition", task.id))?;
            let demand = || Demand::of(definition, task.overrides.as_deref());
            fresh.entry(task.container_instance).or_default().follow(None, Some(task), demand);
        }
        fresh.retain(|_, it| !it.tasks.is_empty());
        let marked = self.tasks.values().filter(|it| it.client_token.is_some()).count();
        let listed: usize = self.by_token.values().map(|it| it.len()).sum();
        if marked != listed {
            return Err(format!("{listed} tasks are listed by token, {marked} have one"));
        }
        if fresh.len() != self.occupancy.size() {
            return Err(format!("{} occupancies, not {}", self.occupancy.size(), fresh.len()));
        }
        for (id, expected) in &fresh {
            let kept = self.occupancy(*id);
            if *kept != *expected {
                return Err(format!("instance {id}: {kept:?} is kept, {expected:?} is so"));
            }
        }
        Ok(())
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
