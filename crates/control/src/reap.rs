//! What is forgotten, and when: ECS describes what has ended for at least an hour.

use longshore_model::{
    ClusterName, DefinitionKey, InstanceId, InstanceKeyId, JoinTokenId, PlacementFailure, TaskId,
    Timestamp,
};
use longshore_store::{State, StoreError, Tx};

use crate::{Control, joining, placement_failures, task_definitions};

/// How long what has ended can still be described, in seconds, unless the control plane was made
/// otherwise. Source: Amazon ECS API Reference, DescribeTasks.
pub const KEEP_SECS: i64 = 3600;

/// The most records that one transaction forgets.
const BATCH: usize = 500;

/// What is to be forgotten.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Overdue {
    /// STOPPED tasks whose time is over.
    pub tasks: Vec<TaskId>,
    /// INACTIVE container instances whose time is over.
    pub container_instances: Vec<InstanceId>,
    /// INACTIVE clusters whose time is over.
    pub clusters: Vec<ClusterName>,
    /// Placement failures that did not happen again for long, or whose cluster is forgotten too;
    /// by cluster and fingerprint.
    pub placement_failures: Vec<(ClusterName, u64)>,
    /// Keys that were revoked long ago, or whose instance is forgotten.
    pub instance_keys: Vec<InstanceKeyId>,
    /// Tokens that have been no good for long.
    pub join_tokens: Vec<JoinTokenId>,
    /// Task definitions in deletion that no task is left of.
    pub definitions: Vec<DefinitionKey>,
}

impl Overdue {
    /// What there is to be forgotten now of what ended so many seconds ago or earlier. What refers
    /// to another record is forgotten before it. Tasks that are not due are not looked at.
    pub fn of(state: &State, now: Timestamp, keep_secs: i64) -> Self {
        let ended_before = now.plus_secs(-keep_secs);
        let is_over = |ended_at: Option<Timestamp>| is_before(ended_at, ended_before);
        let tasks = state.tasks_ended_before(ended_before);
        let instances = state.all_instances().filter(|it| is_over(it.deregistered_at));
        let failures = state.all_placement_failures();
        let failures = failures.filter(|it| is_failure_over(it, state, now, ended_before));
        let keys = state.instance_keys();
        let keys = keys.filter(|it| joining::is_key_over(it, state, now, ended_before));
        let tokens = state.join_tokens().filter(|it| joining::is_token_over(it, now));
        let clusters = state.clusters().filter(|it| is_over(it.deleted_at));
        Self {
            tasks: tasks.map(|it| it.id).collect(),
            container_instances: instances.map(|it| it.id).collect(),
            placement_failures: failures.map(|it| (it.cluster.clone(), it.fingerprint)).collect(),
            instance_keys: keys.map(|it| it.id).collect(),
            join_tokens: tokens.map(|it| it.id).collect(),
            clusters: clusters.map(|it| it.name.clone()).collect(),
            definitions: task_definitions::deletable(state),
        }
    }

    /// How many records there are of it.
    pub fn len(&self) -> usize {
        let Self { tasks, container_instances, placement_failures, clusters, definitions, .. } =
            self;
        let records = tasks.len() + container_instances.len() + placement_failures.len();
        let keys = self.instance_keys.len() + self.join_tokens.len();
        records + keys + clusters.len() + definitions.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Control {
    /// Forgets everything whose time is over, and says what it was.
    pub async fn reap(&self) -> Result<Overdue, StoreError> {
        let now = self.now();
        let ended_before = now.plus_secs(-self.keep_secs);
        let overdue = Overdue::of(&self.view(), now, self.keep_secs);
        self.forget(&overdue.tasks, |tx, it| tx.remove_task(*it)).await?;
        self.forget(&overdue.container_instances, |tx, it| tx.remove_instance(*it)).await?;
        self.forget(&overdue.placement_failures, |tx, (cluster, fingerprint)| {
            // It may have happened again meanwhile.
            let failure = tx.placement_failure(cluster, *fingerprint);
            if failure.is_some_and(|it| is_failure_over(it, tx, now, ended_before)) {
                tx.remove_placement_failure(cluster, *fingerprint);
            }
        })
        .await?;
        self.forget(&overdue.instance_keys, |tx, it| tx.remove_instance_key(*it)).await?;
        self.forget(&overdue.join_tokens, |tx, it| tx.remove_join_token(*it)).await?;
        self.forget(&overdue.definitions, |tx, it| tx.remove_definition(it)).await?;
        self.forget(&overdue.clusters, |tx, it| {
            // It may have come to life again meanwhile.
            if tx.cluster(it).is_some_and(|it| is_before(it.deleted_at, ended_before)) {
                tx.remove_cluster(it);
            }
        })
        .await?;
        Ok(overdue)
    }

    async fn forget<T>(
        &self,
        records: &[T],
        forget: impl Fn(&mut Tx<'_>, &T),
    ) -> Result<(), StoreError> {
        for batch in records.chunks(BATCH) {
            self.store
                .update(|tx| {
                    batch.iter().for_each(|it| forget(tx, it));
                    Ok::<_, StoreError>(())
                })
                .await?;
        }
        Ok(())
    }
}

/// Whether a placement failure, or its cluster, has been remembered for long enough.
fn is_failure_over(
    failure: &PlacementFailure,
    state: &State,
    now: Timestamp,
    ended_before: Timestamp,
) -> bool {
    let cluster = state.cluster(&failure.cluster);
    let is_alone = || cluster.is_none_or(|it| is_before(it.deleted_at, ended_before));
    placement_failures::is_over(failure, now) || is_alone()
}

/// Whether it ended, and before that time.
pub(crate) fn is_before(ended_at: Option<Timestamp>, time: Timestamp) -> bool {
    ended_at.is_some_and(|it| it < time)
}

#[cfg(test)]
mod tests;
