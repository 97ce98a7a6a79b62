//! Which tasks a RunTask call made that its caller had marked with a client token.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use longshore_model::{ClusterName, Task, TaskId};
use rpds::RedBlackTreeMapSync as Map;

/// Derived from the tasks. Tokens are a cluster's own.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Tokens {
    /// By a hash of cluster and token, which takes far less room than the two; a reader looks at
    /// the tasks again.
    tasks: Map<u64, Arc<[TaskId]>>,
}

impl Tokens {
    /// The tasks that may be of this call, in the order of their ids.
    pub(super) fn candidates(&self, cluster: &ClusterName, token: &str) -> &[TaskId] {
        self.tasks.get(&hash(cluster, token)).map(|it| &**it).unwrap_or_default()
    }

    /// A task came, went, or neither.
    pub(super) fn follow(&mut self, before: Option<&Task>, after: Option<&Task>) {
        let same = |was: &Task, is: &Task| was.client_token == is.client_token;
        if before.zip(after).is_some_and(|(was, is)| same(was, is)) {
            return;
        }
        if let Some((key, task)) = before.and_then(entry) {
            let left = self.tasks.get(&key).into_iter().flat_map(|it| it.iter());
            let left: Arc<[_]> = left.copied().filter(|it| *it != task).collect();
            if left.is_empty() {
                self.tasks.remove_mut(&key);
            } else {
                self.tasks.insert_mut(key, left);
            }
        }
        if let Some((key, task)) = after.and_then(entry) {
            let known = self.tasks.get(&key).map(|it| &**it).unwrap_or_default();
            let mut all = [known, &[task]].concat();
            all.sort_unstable();
            self.tasks.insert_mut(key, all.into());
        }
    }

    /// Whether a fresh computation gives the same.
    pub(super) fn are_those_of<'a>(&self, tasks: impl Iterator<Item = &'a Task>) -> bool {
        let mut found: BTreeMap<u64, Vec<TaskId>> = BTreeMap::new();
        for (key, task) in tasks.filter_map(entry) {
            found.entry(key).or_default().push(task);
        }
        let kept = self.tasks.iter().map(|(key, tasks)| (key, &**tasks));
        kept.eq(found.iter().map(|(key, tasks)| (key, &**tasks)))
    }
}

fn entry(task: &Task) -> Option<(u64, TaskId)> {
    let client_token = task.client_token.as_ref()?;
    Some((hash(&task.cluster, &client_token.token), task.id))
}

fn hash(cluster: &ClusterName, token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (cluster, token).hash(&mut hasher);
    hasher.finish()
}
