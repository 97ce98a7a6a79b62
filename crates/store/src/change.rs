//! What an update changed.

use std::sync::Arc;

use longshore_model::{
    AccountSettings, Cluster, ContainerInstance, DeletedRevisions, InstanceKey, JoinToken,
    PlacementFailure, Task, TaskDefinition,
};

/// One record before and after an update; `None` where there is none.
#[derive(Clone, Debug)]
pub enum Change {
    /// The account's settings.
    AccountSettings {
        /// As they were.
        before: Option<Arc<AccountSettings>>,
        /// As they are.
        after: Option<Arc<AccountSettings>>,
    },
    /// A cluster.
    Cluster {
        /// As it was.
        before: Option<Arc<Cluster>>,
        /// As it is.
        after: Option<Arc<Cluster>>,
    },
    /// A task definition.
    Definition {
        /// As it was.
        before: Option<Arc<TaskDefinition>>,
        /// As it is.
        after: Option<Arc<TaskDefinition>>,
    },
    /// What is remembered of a family's deleted revisions.
    DeletedRevisions {
        /// As it was.
        before: Option<Arc<DeletedRevisions>>,
        /// As it is.
        after: Option<Arc<DeletedRevisions>>,
    },
    /// A container instance.
    Instance {
        /// As it was.
        before: Option<Arc<ContainerInstance>>,
        /// As it is.
        after: Option<Arc<ContainerInstance>>,
    },
    /// The key of one machine's agent.
    InstanceKey {
        /// As it was.
        before: Option<Arc<InstanceKey>>,
        /// As it is.
        after: Option<Arc<InstanceKey>>,
    },
    /// What lets machines join.
    JoinToken {
        /// As it was.
        before: Option<Arc<JoinToken>>,
        /// As it is.
        after: Option<Arc<JoinToken>>,
    },
    /// What is remembered of RunTask calls that could place nothing.
    PlacementFailure {
        /// As it was.
        before: Option<Arc<PlacementFailure>>,
        /// As it is.
        after: Option<Arc<PlacementFailure>>,
    },
    /// A task.
    Task {
        /// As it was.
        before: Option<Arc<Task>>,
        /// As it is.
        after: Option<Arc<Task>>,
    },
}

/// A batch of updates that became durable together.
#[derive(Debug)]
pub struct Commit {
    /// The state's revision with it.
    pub revision: u64,
    /// In the order in which they were made.
    pub changes: Vec<Change>,
}
