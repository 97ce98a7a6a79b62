//! Each change that becomes durable, and what a restart may change: nothing.

use std::collections::BTreeSet;

use longshore_model::{
    ContainerInstance, DesiredStatus, InstanceId, InstanceStatus, LastStatus, Owner, StopCode, Task,
};
use longshore_store::{Change, Commit, State};

use super::ended::check_ended;
use super::lost::check_lost;
use super::{Checks, Violation, hold};
use crate::machine::Machine;

impl Checks {
    /// Everything about one commit.
    pub(crate) fn commit(
        &mut self,
        commit: &Commit,
        machines: &[Machine],
        owner: &Owner,
        state: &State,
    ) -> Result<(), Violation> {
        self.note_lost(commit);
        self.counted_once(commit)?;
        for change in &commit.changes {
            match change {
                Change::Task { before, after } => {
                    self.task(before.as_deref(), after.as_deref(), machines, owner, state)?;
                }
                Change::Instance { before: Some(before), after: Some(after) } => {
                    check_instance(before, after)?;
                }
                Change::Instance { before: Some(before), after: None } => {
                    hold(before.status == InstanceStatus::Inactive, || {
                        format!("instance {} is forgotten while it is in use", before.id)
                    })?;
                }
                Change::Definition { before, after } => {
                    self.definition(before.as_deref(), after.as_deref())?;
                }
                Change::Instance { before: None, .. }
                | Change::AccountSettings { .. }
                | Change::Cluster { .. }
                | Change::DeletedRevisions { .. }
                | Change::InstanceKey { .. }
                | Change::JoinToken { .. }
                | Change::PlacementFailure { .. } => {}
            }
        }
        Ok(())
    }

    /// Remembers the tasks that stopped because their instance was deregistered.
    fn note_lost(&mut self, commit: &Commit) {
        let retired = |change: &Change| match change {
            Change::Instance { after: Some(after), .. } => {
                Some(after.id).filter(|_| after.status == InstanceStatus::Inactive)
            }
            _ => None,
        };
        let retired: BTreeSet<InstanceId> = commit.changes.iter().filter_map(retired).collect();
        for change in commit.changes.iter().filter(|_| !retired.is_empty()) {
            if let Change::Task { after: Some(task), .. } = change
                && task.last_status == LastStatus::Stopped
                && retired.contains(&task.container_instance)
            {
                self.lost.insert(task.id);
            }
        }
    }

    fn task(
        &mut self,
        before: Option<&Task>,
        after: Option<&Task>,
        machines: &[Machine],
        owner: &Owner,
        state: &State,
    ) -> Result<(), Violation> {
        match (before, after) {
            (None, None) => Ok(()),
            (None, Some(task)) => {
                hold(self.born.insert(task.id), || format!("{} is there a second time", task.id))?;
                let is_new = task.version == 1
                    && task.last_status == LastStatus::Pending
                    && task.desired_status == DesiredStatus::Running;
                hold(is_new, || format!("{} does not begin at the beginning: {task:?}", task.id))
            }
            (Some(task), None) => {
                self.acknowledged.remove(&task.id);
                hold(!task.takes_resources(), || {
                    format!("{} is forgotten before it stopped", task.id)
                })
            }
            (Some(before), Some(after)) => {
                self.note_stop(before, after);
                check_task(before, after)?;
                hold(after.version == before.version + 1, || {
                    let (from, to) = (before.version, after.version);
                    format!("the version of {} goes from {from} to {to}", after.id)
                })?;
                if self.lost.contains(&after.id) {
                    return Ok(());
                }
                if after.lost.is_some() {
                    return check_lost(before, after, machines, owner, state);
                }
                if after.last_status == LastStatus::Stopped {
                    let by_user = self.stopped_by_user.get(&after.id);
                    check_ended(after, by_user, machines, owner, state)?;
                }
                Ok(())
            }
        }
    }

    /// Remembers who stopped a task first.
    fn note_stop(&mut self, before: &Task, after: &Task) {
        if before.desired_status == after.desired_status {
            return;
        }
        if let Some((task, reason)) = &self.stopping
            && *task == after.id
        {
            self.stopped_by_user.insert(after.id, reason.clone());
        }
    }

    /// A control plane that starts again knows what was durable: exactly that, unless the last
    /// batch had an outcome that nobody knew.
    pub(crate) fn restarted(
        &mut self,
        before: &State,
        after: &State,
        is_last_batch_doubtful: bool,
    ) -> Result<(), Violation> {
        for task in before.all_tasks() {
            let now = after.task(task.id);
            if now == Some(task) {
                continue;
            }
            hold(is_last_batch_doubtful, || format!("the restart changed {}", task.id))?;
            match now {
                None => {
                    hold(task.last_status == LastStatus::Stopped, || {
                        format!("{} is lost", task.id)
                    })?;
                    self.acknowledged.remove(&task.id);
                }
                Some(now) => {
                    check_task(task, now)?;
                    let instance = after.instance(now.container_instance);
                    if now.last_status == LastStatus::Stopped
                        && instance.is_none_or(|it| it.status == InstanceStatus::Inactive)
                    {
                        self.lost.insert(task.id);
                    }
                    if task.stop_code != now.stop_code
                        && now.stop_code == Some(StopCode::UserInitiated)
                    {
                        let reason = now.stopped_reason.as_deref().map(str::to_owned);
                        self.stopped_by_user.insert(task.id, reason);
                    }
                }
            }
        }
        for task in after.all_tasks().filter(|it| before.task(it.id).is_none()) {
            hold(is_last_batch_doubtful, || format!("{} came with the restart", task.id))?;
            self.born.insert(task.id);
        }
        for instance in before.all_instances() {
            let may_be_gone = is_last_batch_doubtful && instance.status == InstanceStatus::Inactive;
            let is_there = after.instance(instance.id).is_some();
            hold(is_there || may_be_gone, || format!("instance {} is lost", instance.id))?;
        }
        self.note_revisions(after);
        self.note_forgotten_clusters(after);
        self.placement_failures(after)?;
        let counts = |it: &State| (it.clusters().count(), it.definitions().count());
        hold(is_last_batch_doubtful || counts(before) == counts(after), || {
            "clusters or definitions are lost".to_owned()
        })
    }
}

/// What no change of a task may do.
fn check_task(before: &Task, after: &Task) -> Result<(), Violation> {
    let id = after.id;
    hold(before.takes_resources(), || {
        format!("{id} changes after it stopped: {before:?} to {after:?}")
    })?;
    hold(before.last_status <= after.last_status, || format!("{id}: its last status went back"))?;
    hold(before.desired_status <= after.desired_status, || {
        format!("{id}: its desired status went back")
    })?;
    let is_same_task = before.id == after.id
        && before.cluster == after.cluster
        && before.definition == after.definition
        && before.container_instance == after.container_instance
        && before.overrides == after.overrides
        && before.group == after.group
        && before.started_by == after.started_by
        && before.client_token == after.client_token
        && before.created_at == after.created_at
        && before.containers.len() == after.containers.len();
    hold(is_same_task, || format!("{id} became another: {before:?} to {after:?}"))?;
    for (had, has) in before.containers.iter().zip(&after.containers) {
        let name = &has.name;
        hold(had.id == has.id && had.name == has.name, || format!("{id}: {name} became another"))?;
        hold(had.last_status <= has.last_status, || format!("{id}: {name} went back"))?;
        let may_be_told = had.last_status != LastStatus::Stopped || before.is_at_large();
        hold(may_be_told || had == has, || {
            format!("{id}: {name} changes after it stopped: {had:?} to {has:?}")
        })?;
    }
    let stays = kept(&before.stopped_reason, &after.stopped_reason)
        && kept(&before.stop_code, &after.stop_code)
        && kept(&before.started_at, &after.started_at)
        && kept(&before.stopping_at, &after.stopping_at)
        && kept(&before.pull_started_at, &after.pull_started_at)
        && kept(&before.execution_stopped_at, &after.execution_stopped_at);
    hold(stays, || format!("{id}: what was known was replaced: {before:?} to {after:?}"))
}

/// What is known stays.
fn kept<T: PartialEq>(before: &Option<T>, after: &Option<T>) -> bool {
    before.is_none() || before == after
}

fn check_instance(before: &ContainerInstance, after: &ContainerInstance) -> Result<(), Violation> {
    // Since when it is away is no event.
    let only_waits =
        ContainerInstance { away_since: before.away_since, ..after.clone() } == *before;
    hold(only_waits || after.version == before.version + 1, || {
        let (from, to) = (before.version, after.version);
        format!("the version of instance {} goes from {from} to {to}", after.id)
    })?;
    let is_same = before.id == after.id
        && before.cluster == after.cluster
        && before.registered_at == after.registered_at;
    hold(is_same, || format!("instance {} became another", after.id))?;
    hold(before.status != InstanceStatus::Inactive, || {
        format!("instance {} changes after it was deregistered", after.id)
    })
}
