//! A transaction: reads its own writes, collects changes, and touches nothing else.

use std::ops::Deref;
use std::sync::Arc;

use longshore_model::{
    AccountSettings, Cluster, ClusterName, ContainerInstance, DefinitionKey, DeletedRevisions,
    InstanceId, InstanceKey, InstanceKeyId, JoinToken, JoinTokenId, PlacementFailure, Task,
    TaskDefinition, TaskId,
};

use crate::change::Change;
use crate::state::State;

/// The state as this transaction has made it so far.
pub struct Tx<'a> {
    state: State,
    changes: &'a mut Vec<Change>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(state: State, changes: &'a mut Vec<Change>) -> Self {
        Self { state, changes }
    }

    pub(crate) fn into_state(self) -> State {
        self.state
    }

    /// Puts the account's settings in place of those it had.
    pub fn put_account_settings(&mut self, after: Arc<AccountSettings>) {
        let before = Arc::clone(self.state.account_settings());
        if before != after {
            self.record(Change::AccountSettings { before: Some(before), after: Some(after) });
        }
    }

    /// Puts a cluster in place of the one of its name.
    pub fn put_cluster(&mut self, cluster: impl Into<Arc<Cluster>>) {
        let after = cluster.into();
        let before = self.state.cluster(&after.name).map(Arc::clone);
        if before.as_ref() != Some(&after) {
            self.record(Change::Cluster { before, after: Some(after) });
        }
    }

    /// Puts a task definition in place of the one of its family and revision. Only its status,
    /// when it was deregistered, and its tags may differ from that one's.
    pub fn put_definition(&mut self, definition: impl Into<Arc<TaskDefinition>>) {
        let after = definition.into();
        let before = self.state.definition(&after.key).map(Arc::clone);
        if before.as_ref() != Some(&after) {
            self.record(Change::Definition { before, after: Some(after) });
        }
    }

    /// Puts a container instance in place of the one of its id.
    pub fn put_instance(&mut self, instance: impl Into<Arc<ContainerInstance>>) {
        let after = instance.into();
        let before = self.state.instance(after.id).map(Arc::clone);
        if before.as_ref() != Some(&after) {
            self.record(Change::Instance { before, after: Some(after) });
        }
    }

    /// Puts an instance key in place of the one of its id.
    pub fn put_instance_key(&mut self, key: impl Into<Arc<InstanceKey>>) {
        let after = key.into();
        let before = self.state.instance_key(after.id).map(Arc::clone);
        if before.as_ref() != Some(&after) {
            self.record(Change::InstanceKey { before, after: Some(after) });
        }
    }

    /// Puts a join token in place of the one of its id.
    pub fn put_join_token(&mut self, token: impl Into<Arc<JoinToken>>) {
        let after = token.into();
        let before = self.state.join_token(after.id).map(Arc::clone);
        if before.as_ref() != Some(&after) {
            self.record(Change::JoinToken { before, after: Some(after) });
        }
    }

    /// Puts what is remembered of calls that could place nothing in place of what had its cluster
    /// and fingerprint.
    pub fn put_placement_failure(&mut self, failure: impl Into<Arc<PlacementFailure>>) {
        let after = failure.into();
        let before = self.state.placement_failure(&after.cluster, after.fingerprint);
        let before = before.map(Arc::clone);
        if before.as_ref() != Some(&after) {
            self.record(Change::PlacementFailure { before, after: Some(after) });
        }
    }

    /// Puts a task in place of the one of its id. Its definition must be there.
    pub fn put_task(&mut self, task: impl Into<Arc<Task>>) {
        let after = task.into();
        let before = self.state.task(after.id).map(Arc::clone);
        if before.as_ref() != Some(&after) {
            self.record(Change::Task { before, after: Some(after) });
        }
    }

    /// Removes a cluster, if it is there.
    pub fn remove_cluster(&mut self, name: &ClusterName) {
        if let Some(before) = self.state.cluster(name).map(Arc::clone) {
            self.record(Change::Cluster { before: Some(before), after: None });
        }
    }

    /// Removes a task definition, if it is there. No task may be left of it. Its revision stays
    /// taken for ever.
    pub fn remove_definition(&mut self, key: &DefinitionKey) {
        let Some(definition) = self.state.definition(key).map(Arc::clone) else { return };
        let before = self.state.deleted_revisions(&key.family).map(Arc::clone);
        if before.as_ref().is_none_or(|it| it.highest < key.revision) {
            let after = DeletedRevisions { family: key.family.clone(), highest: key.revision };
            self.record(Change::DeletedRevisions { before, after: Some(Arc::new(after)) });
        }
        self.record(Change::Definition { before: Some(definition), after: None });
    }

    /// Removes a container instance, if it is there.
    pub fn remove_instance(&mut self, id: InstanceId) {
        if let Some(before) = self.state.instance(id).map(Arc::clone) {
            self.record(Change::Instance { before: Some(before), after: None });
        }
    }

    /// Removes an instance key, if it is there.
    pub fn remove_instance_key(&mut self, id: InstanceKeyId) {
        if let Some(before) = self.state.instance_key(id).map(Arc::clone) {
            self.record(Change::InstanceKey { before: Some(before), after: None });
        }
    }

    /// Removes a join token, if it is there.
    pub fn remove_join_token(&mut self, id: JoinTokenId) {
        if let Some(before) = self.state.join_token(id).map(Arc::clone) {
            self.record(Change::JoinToken { before: Some(before), after: None });
        }
    }

    /// Removes what is remembered of calls that could place nothing, if it is there.
    pub fn remove_placement_failure(&mut self, cluster: &ClusterName, fingerprint: u64) {
        if let Some(before) = self.state.placement_failure(cluster, fingerprint).map(Arc::clone) {
            self.record(Change::PlacementFailure { before: Some(before), after: None });
        }
    }

    /// Removes a task, if it is there.
    pub fn remove_task(&mut self, id: TaskId) {
        if let Some(before) = self.state.task(id).map(Arc::clone) {
            self.record(Change::Task { before: Some(before), after: None });
        }
    }

    fn record(&mut self, change: Change) {
        self.state.apply(&change);
        self.changes.push(change);
    }
}

impl Deref for Tx<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}
