//! May a container be created or started yet? Only links and `volumesFrom` hold it back.
//!
//! A target that has already ended holds nobody back: whether Docker still takes it is Docker's to
//! say, and its refusal is a better reason than any of ours.

use std::collections::BTreeSet;

use super::spec::{ContainerSpec, TaskSpec};
use super::task::{ContainerStatus, TaskState};

/// Whether every name is known and no container waits for itself, directly or by way of others.
pub(super) fn can_be_ordered(spec: &TaskSpec) -> bool {
    let mut ordered: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = ordered.len();
        for container in &spec.containers {
            if targets(container).all(|target| ordered.contains(target)) {
                ordered.insert(&container.name);
            }
        }
        if ordered.len() == before {
            return before == spec.containers.len();
        }
    }
}

/// Docker wants the targets of links and `volumesFrom` to exist.
pub(super) fn may_create(task: &TaskState, container: &ContainerSpec) -> bool {
    targets(container).all(|target| has_reached(task, target, ContainerStatus::Created))
}

/// Docker wants the targets of links to run.
pub(super) fn may_start(task: &TaskState, container: &ContainerSpec) -> bool {
    let mut links = container.links.iter().map(|link| link.container.as_str());
    links.all(|target| has_reached(task, target, ContainerStatus::Running))
}

fn targets(container: &ContainerSpec) -> impl Iterator<Item = &str> {
    let links = container.links.iter().map(|it| it.container.as_str());
    links.chain(container.volumes_from.iter().map(|it| it.container.as_str()))
}

fn has_reached(task: &TaskState, target: &str, status: ContainerStatus) -> bool {
    task.container(target).is_none_or(|it| it.known >= status)
}
