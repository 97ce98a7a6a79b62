//! What is computed from the records, kept as each of them changes and rebuilt at the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_model::{
    ClusterName, ContainerInstance, DefinitionKey, Demand, InstanceId, InstanceStatus, LastStatus,
    LaunchKind, Occupancy, Task, TaskDefinition,
};
use rpds::RedBlackTreeMapSync as Map;

use super::State;
use super::changed::Changed;
use super::tokens::Tokens;
use crate::table::{ByEnd, ById, Order, Table};

/// How much of what a cluster has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterCounts {
    /// Tasks whose last status is RUNNING.
    pub running_tasks: u32,
    /// Tasks whose last status is PENDING.
    pub pending_tasks: u32,
    /// Of the running ones, those that were launched as EXTERNAL and as FARGATE.
    pub running_elsewhere: Elsewhere,
    /// Of the pending ones, likewise.
    pub pending_elsewhere: Elsewhere,
    /// ACTIVE and DRAINING instances, connected or not.
    pub registered_instances: u32,
}

/// Tasks that were not launched as EC2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// EXTERNAL.
    pub external: u32,
    /// FARGATE.
    pub fargate: u32,
}

impl Elsewhere {
    fn of(&mut self, kind: LaunchKind) -> Option<&mut u32> {
        match kind {
            LaunchKind::Ec2 => None,
            LaunchKind::External => Some(&mut self.external),
            LaunchKind::Fargate => Some(&mut self.fargate),
        }
    }
}

/// The records of one cluster.
#[derive(Clone)]
pub(super) struct Members {
    pub(super) instances: Table<ContainerInstance>,
    pub(super) tasks: Table<Task>,
    pub(super) counts: ClusterCounts,
    pub(super) changed: Changed,
}

#[derive(Clone, Default)]
pub(super) struct Derived {
    /// STOPPED tasks of all clusters, but those that may still run.
    pub(super) ended: Table<Task, ByEnd>,
    /// How many tasks there are of a definition, STOPPED ones too; never 0.
    tasks_of_definition: Map<DefinitionKey, u32>,
    /// Clusters without instances and tasks have no entry.
    members: Map<ClusterName, Members>,
    /// Instances of which nothing is taken have no entry.
    occupancy: Map<InstanceId, Arc<Occupancy>>,
    pub(super) tokens: Tokens,
}

impl Derived {
    pub(super) fn members(&self, cluster: &ClusterName) -> Option<&Members> {
        self.members.get(cluster)
    }

    pub(super) fn occupancy(&self, id: InstanceId) -> Arc<Occupancy> {
        self.occupancy.get(&id).map(Arc::clone).unwrap_or_default()
    }

    /// How many tasks there are of a definition, STOPPED ones too.
    pub(super) fn tasks_of_definition(&self, key: &DefinitionKey) -> u32 {
        self.tasks_of_definition.get(key).copied().unwrap_or(0)
    }

    pub(super) fn follow_instance(
        &mut self,
        before: Option<&Arc<ContainerInstance>>,
        after: Option<&Arc<ContainerInstance>>,
        revision: u64,
    ) {
        if let (Some(was), Some(is)) = (before, after)
            && was.cluster != is.cluster
        {
            self.follow_instance(before, None, revision);
            return self.follow_instance(None, after, revision);
        }
        let Some(instance) = after.or(before) else { return };
        self.change_members(&instance.cluster, revision, |members| {
            follow(&mut members.instances, before, after);
            members.counts.follow_instance(before, after);
            members.changed.note(revision, instance.id, members.instances.len());
        });
    }

    pub(super) fn follow_task(
        &mut self,
        before: Option<&Arc<Task>>,
        after: Option<&Arc<Task>>,
        definitions: &Map<DefinitionKey, Arc<TaskDefinition>>,
        revision: u64,
    ) {
        if let (Some(was), Some(is)) = (before, after)
            && !is_in_the_same_place(was, is)
        {
            self.follow_task(before, None, definitions, revision);
            return self.follow_task(None, after, definitions, revision);
        }
        self.tokens.follow(before.map(Arc::as_ref), after.map(Arc::as_ref));
        self.follow_end(before, after);
        self.follow_definition(before, after);
        let Some(task) = after.or(before) else { return };
        let is_occupied_otherwise = counts_as(before) != counts_as(after);
        self.change_members(&task.cluster, revision, |members| {
            follow(&mut members.tasks, before, after);
            members.counts.follow_task(before, after);
            if is_occupied_otherwise {
                members.changed.note(revision, task.container_instance, members.instances.len());
            }
        });
        if !is_occupied_otherwise {
            return;
        }
        self.change_occupancy(task.container_instance, |occupancy| {
            let demand = || demand(task, definitions);
            occupancy.follow(before.map(Arc::as_ref), after.map(Arc::as_ref), demand);
        });
    }

    fn follow_end(&mut self, before: Option<&Arc<Task>>, after: Option<&Arc<Task>>) {
        let key = |it: Option<&Arc<Task>>| it.filter(has_ended).map(|it| ByEnd::key(it));
        if let Some(was) = key(before).filter(|it| Some(*it) != key(after)) {
            self.ended.remove(was);
        }
        if let Some(after) = after.filter(has_ended) {
            self.ended.put(Arc::clone(after));
        }
    }

    fn follow_definition(&mut self, before: Option<&Arc<Task>>, after: Option<&Arc<Task>>) {
        let counts = &mut self.tasks_of_definition;
        match (before, after) {
            (None, Some(task)) => match counts.get_mut(&task.definition) {
                Some(count) => *count += 1,
                None => counts.insert_mut(task.definition.clone(), 1),
            },
            (Some(task), None) => match counts.get_mut(&task.definition) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(counts.remove_mut(&task.definition)),
            },
            // A task that changes its definition is one that goes and one that comes.
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// Counts every change so far as one of this revision or an earlier one.
    pub(super) fn forget_changes(&mut self, revision: u64) {
        let clusters: Vec<_> = self.members.keys().cloned().collect();
        for cluster in clusters {
            let members = self.members.get_mut(&cluster);
            members.into_iter().for_each(|it| it.changed = Changed::after(revision));
        }
    }

    fn change_members(
        &mut self,
        cluster: &ClusterName,
        revision: u64,
        change: impl FnOnce(&mut Members),
    ) {
        if !self.members.contains_key(cluster) {
            self.members.insert_mut(cluster.clone(), Members::new(revision));
        }
        if let Some(members) = self.members.get_mut(cluster) {
            change(members);
            if members.instances.len() == 0 && members.tasks.len() == 0 {
                self.members.remove_mut(cluster);
            }
        }
    }

    fn change_occupancy(&mut self, instance: InstanceId, change: impl FnOnce(&mut Occupancy)) {
        if !self.occupancy.contains_key(&instance) {
            self.occupancy.insert_mut(instance, Arc::default());
        }
        if let Some(occupancy) = self.occupancy.get_mut(&instance) {
            let occupancy = Arc::make_mut(occupancy);
            change(occupancy);
            if occupancy.is_empty() {
                self.occupancy.remove_mut(&instance);
            }
        }
    }
}

impl Members {
    /// Those of a cluster that gets its first in this revision. It may have lost its last in the
    /// same, and the log with it, so nothing is known of that revision's changes.
    fn new(revision: u64) -> Self {
        Self {
            instances: Table::default(),
            tasks: Table::default(),
            counts: ClusterCounts::default(),
            changed: Changed::after(revision),
        }
    }
}

impl ClusterCounts {
    fn follow_instance(
        &mut self,
        before: Option<&Arc<ContainerInstance>>,
        after: Option<&Arc<ContainerInstance>>,
    ) {
        let registered = |it: &&Arc<ContainerInstance>| it.status != InstanceStatus::Inactive;
        let count = &mut self.registered_instances;
        *count = count.saturating_sub(before.filter(registered).is_some().into());
        *count = count.saturating_add(after.filter(registered).is_some().into());
    }

    fn follow_task(&mut self, before: Option<&Arc<Task>>, after: Option<&Arc<Task>>) {
        before.into_iter().for_each(|it| self.count(it, u32::saturating_sub));
        after.into_iter().for_each(|it| self.count(it, u32::saturating_add));
    }

    fn count(&mut self, task: &Task, change: fn(u32, u32) -> u32) {
        let (all, elsewhere) = match task.last_status {
            LastStatus::Pending => (&mut self.pending_tasks, &mut self.pending_elsewhere),
            LastStatus::Running => (&mut self.running_tasks, &mut self.running_elsewhere),
            LastStatus::Stopped => return,
        };
        *all = change(*all, 1);
        if let Some(count) = elsewhere.of(task.launch_type.kind()) {
            *count = change(*count, 1);
        }
    }
}

fn has_ended(task: &&Arc<Task>) -> bool {
    !task.takes_resources()
}

/// Whether both take the same of the same instance for as long as they live.
fn is_in_the_same_place(was: &Task, is: &Task) -> bool {
    was.cluster == is.cluster
        && was.container_instance == is.container_instance
        && was.group == is.group
        && was.definition == is.definition
        && was.overrides == is.overrides
}

/// What of a task its instance's occupancy depends on, while it stays in its place.
fn counts_as(task: Option<&Arc<Task>>) -> Option<LastStatus> {
    task.filter(|it| it.takes_resources()).map(|it| it.last_status)
}

/// A task whose definition is missing takes nothing; loading refuses such a task.
fn demand(task: &Task, definitions: &Map<DefinitionKey, Arc<TaskDefinition>>) -> Demand {
    let definition = definitions.get(&task.definition);
    definition.map(|it| Demand::of(it, task.overrides.as_deref())).unwrap_or_default()
}

fn follow<R>(table: &mut Table<R>, before: Option<&Arc<R>>, after: Option<&Arc<R>>)
where
    ById: Order<R>,
{
    match (before, after) {
        (_, Some(after)) => table.put(Arc::clone(after)),
        (Some(before), None) => table.remove(ById::key(before)),
        (None, None) => {}
    }
}

/// Compares what `state` has derived with a fresh computation.
pub(super) fn check(state: &State) -> Result<(), String> {
    check_occupancy(state)?;
    if !state.derived.tokens.are_those_of(state.tasks.iter().map(Arc::as_ref)) {
        return Err("the tasks by client token are not those kept".into());
    }
    let mut ended: Vec<_> = state.tasks.iter().filter(has_ended).collect();
    ended.sort_by_key(|it| ByEnd::key(it));
    if !state.derived.ended.iter().eq(ended) {
        return Err("the tasks that have stopped are not those kept".into());
    }
    let mut of_definition: BTreeMap<&DefinitionKey, u32> = BTreeMap::new();
    state.tasks.iter().for_each(|it| *of_definition.entry(&it.definition).or_default() += 1);
    if !state
        .derived
        .tasks_of_definition
        .iter()
        .eq(of_definition.iter().map(|(key, it)| (*key, it)))
    {
        return Err("the tasks by definition are not those counted".into());
    }
    let mut members: BTreeMap<&ClusterName, Found<'_>> = BTreeMap::new();
    for instance in state.instances.iter() {
        members.entry(&instance.cluster).or_default().instances.push(instance);
    }
    for task in state.tasks.iter() {
        members.entry(&task.cluster).or_default().tasks.push(task);
    }
    let kept = state.derived.members.size();
    if kept != members.len() {
        return Err(format!("{kept} clusters have members, not {}", members.len()));
    }
    members.into_iter().try_for_each(|(cluster, found)| found.check(state, cluster))
}

/// What one cluster has when everything is looked at.
#[derive(Default)]
struct Found<'a> {
    instances: Vec<&'a Arc<ContainerInstance>>,
    tasks: Vec<&'a Arc<Task>>,
}

impl Found<'_> {
    fn check(&self, state: &State, cluster: &ClusterName) -> Result<(), String> {
        let of = |status| self.tasks.iter().filter(|it| it.last_status == status).count();
        let registered = |it: &&&Arc<_>| {
            let it: &ContainerInstance = it;
            it.status != InstanceStatus::Inactive
        };
        let elsewhere = |status| {
            let mut found = Elsewhere::default();
            for task in self.tasks.iter().filter(|it| it.last_status == status) {
                found.of(task.launch_type.kind()).into_iter().for_each(|it| *it += 1);
            }
            found
        };
        let counts = ClusterCounts {
            running_elsewhere: elsewhere(LastStatus::Running),
            pending_elsewhere: elsewhere(LastStatus::Pending),
            running_tasks: u32::try_from(of(LastStatus::Running)).unwrap_or(u32::MAX),
            pending_tasks: u32::try_from(of(LastStatus::Pending)).unwrap_or(u32::MAX),
            registered_instances: u32::try_from(self.instances.iter().filter(registered).count())
                .unwrap_or(u32::MAX),
        };
        if state.counts(cluster) != counts {
            return Err(format!("{cluster}: {:?} kept, {counts:?} found", state.counts(cluster)));
        }
        if !state.tasks(cluster).eq(self.tasks.iter().copied()) {
            return Err(format!("{cluster}: its tasks are not those kept for it"));
        }
        if !state.instances(cluster).eq(self.instances.iter().copied()) {
            return Err(format!("{cluster}: its instances are not those kept for it"));
        }
        let log = state.derived.members(cluster).map(|it| &it.changed);
        if !log.is_some_and(|it| it.is_in_order(state.revision() + 1)) {
            return Err(format!("{cluster}: the log of its changed instances is out of order"));
        }
        Ok(())
    }
}

fn check_occupancy(state: &State) -> Result<(), String> {
    let mut fresh: BTreeMap<InstanceId, Occupancy> = BTreeMap::new();
    for task in state.tasks.iter() {
        let occupancy = fresh.entry(task.container_instance).or_default();
        occupancy.follow(None, Some(task), || demand(task, &state.definitions));
    }
    fresh.retain(|_, it| !it.is_empty());
    let kept = state.derived.occupancy.size();
    if kept != fresh.len() {
        return Err(format!("{kept} instances are occupied, not {}", fresh.len()));
    }
    for (id, found) in &fresh {
        let kept = state.occupancy(*id);
        if *kept != *found {
            return Err(format!("instance {id}: {kept:?} kept, {found:?} found"));
        }
    }
    Ok(())
}
