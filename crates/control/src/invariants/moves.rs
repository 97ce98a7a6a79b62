//! What a step may make of a state.

use longshore_model::{
    Cluster, ClusterStatus, ContainerInstance, DefinitionStatus, InstanceStatus, LastStatus, Tags,
    Task, TaskDefinition,
};
use longshore_store::State;

use super::step::Step;

/// Fails unless the step was allowed to do what it did.
pub(super) fn check(step: &Step, before: &State, after: &State) {
    check_tasks(step, before, after);
    check_lost(step, before, after);
    check_instances(step, before, after);
    check_definitions(step, before, after);
    check_clusters(step, before, after);
    check_placement_failures(step, before, after);
    if matches!(step, Step::Restart) {
        check_restart(before, after);
    }
}

/// Only time makes anything be forgotten.
fn check_forgotten(step: &Step, has_ended: bool) {
    assert!(has_ended, "what goes on is forgotten");
    assert!(matches!(step, Step::Wait { .. }), "{step:?} forgets");
}

fn check_tasks(step: &Step, before: &State, after: &State) {
    for task in after.all_tasks() {
        match before.task(task.id) {
            Some(was) => check_task(was, task),
            None => check_new_task(task, step, before, after),
        }
        let stays = matches!(step, Step::Drain { .. }) && before.task(task.id) != Some(task);
        assert!(!stays, "draining leaves tasks alone that no service owns");
    }
    for task in before.all_tasks().filter(|it| after.task(it.id).is_none()) {
        check_forgotten(step, !task.takes_resources());
    }
}

/// Tasks are lost as time passes, of instances that are away, and found again by nobody.
fn check_lost(step: &Step, before: &State, after: &State) {
    for task in after.all_tasks().filter(|it| it.is_at_large()) {
        if before.task(task.id).is_some_and(|it| it.is_at_large()) {
            continue;
        }
        assert!(matches!(step, Step::Wait { .. }), "{step:?} loses tasks");
        let was = before.instance(task.container_instance).unwrap();
        assert!(!was.agent_connected, "a task is lost whose agent is there");
    }
}

fn check_new_task(task: &Task, step: &Step, before: &State, after: &State) {
    assert!(matches!(step, Step::Run { .. } | Step::Start { .. }), "{step:?} makes tasks");
    assert_eq!((task.version, task.last_status), (1, LastStatus::Pending));
    let cluster = before.cluster(&task.cluster).unwrap();
    assert_eq!(cluster.status, ClusterStatus::Active);
    let definition = before.definition(&task.definition).unwrap();
    assert_eq!(definition.status, DefinitionStatus::Active);
    let instance = before.instance(task.container_instance).unwrap();
    assert_eq!(instance.status, InstanceStatus::Active, "no new task is placed on it");
    assert!(instance.agent_connected, "a task is placed where an agent hears of it");
    let taken = after.occupancy(instance.id).taken;
    assert!(taken.cpu_units <= instance.registered.cpu_units, "CPU is given twice");
    assert!(taken.memory_mib <= instance.registered.memory_mib, "memory is given twice");
}

fn check_task(before: &Task, after: &Task) {
    assert!(before.last_status <= after.last_status);
    assert!(before.desired_status <= after.desired_status);
    assert!(before.stopped_reason.is_none() || before.stopped_reason == after.stopped_reason);
    for (before, after) in before.containers.iter().zip(&after.containers) {
        assert!(before.last_status <= after.last_status);
    }
    let untagged = |it: &Task| Task { tags: Tags::default(), ..it.clone() };
    let is_other = untagged(before) != untagged(after);
    assert_eq!(after.version > before.version, is_other, "{before:?} {after:?}");
    let has_stopped = before.last_status == LastStatus::Stopped;
    assert!(
        !has_stopped || before.is_at_large() || before == after,
        "{before:?} changes after it stopped"
    );
    assert!(!has_stopped || after.is_at_large() <= before.is_at_large());
    assert_eq!(before.stopped_at.is_some(), before.stopped_at == after.stopped_at && has_stopped);
}

fn check_instances(step: &Step, before: &State, after: &State) {
    for instance in after.all_instances() {
        let Some(was) = before.instance(instance.id) else {
            assert!(matches!(step, Step::Register { .. }), "{step:?} makes instances");
            continue;
        };
        let neutral = |it: &ContainerInstance| ContainerInstance {
            tags: Tags::default(),
            away_since: None,
            version: 0,
            ..it.clone()
        };
        let rises = instance.version > was.version;
        assert!(rises || instance.version == was.version);
        assert!(rises || neutral(was) == neutral(instance), "{was:?} {instance:?}");
        let was_gone = was.status == InstanceStatus::Inactive;
        assert!(!was_gone || was == instance, "a deregistered instance stays as it was");
    }
    for instance in before.all_instances().filter(|it| after.instance(it.id).is_none()) {
        check_forgotten(step, instance.status == InstanceStatus::Inactive);
    }
}

/// Revisions only rise, and none is given out twice, though it be deleted.
fn check_definitions(step: &Step, before: &State, after: &State) {
    for definition in after.definitions() {
        let family = &definition.key.family;
        assert!(before.highest_revision(family) <= after.highest_revision(family));
        let Some(was) = before.definition(&definition.key) else {
            assert!(matches!(step, Step::Define { .. }), "{step:?} makes definitions");
            assert_eq!(definition.key.revision, before.highest_revision(family) + 1);
            continue;
        };
        let order = [
            DefinitionStatus::Active,
            DefinitionStatus::Inactive,
            DefinitionStatus::DeleteInProgress,
        ];
        let place = |it: &TaskDefinition| order.iter().position(|status| *status == it.status);
        assert!(place(was) <= place(definition), "a definition comes back");
        let content = |it: &TaskDefinition| TaskDefinition {
            status: DefinitionStatus::Active,
            deregistered_at: None,
            tags: Tags::default(),
            ..it.clone()
        };
        assert_eq!(content(was), content(definition), "a revision says what it always said");
    }
    for definition in before.definitions().filter(|it| after.definition(&it.key).is_none()) {
        check_forgotten(step, definition.status == DefinitionStatus::DeleteInProgress);
        let family = &definition.key.family;
        assert_eq!(before.highest_revision(family), after.highest_revision(family));
    }
}

fn check_clusters(step: &Step, before: &State, after: &State) {
    for cluster in after.clusters() {
        let status = |it: Option<&Cluster>| it.map(|it| it.status);
        let was = status(before.cluster(&cluster.name).map(|it| &**it));
        let is_allowed = match (was, cluster.status) {
            (None | Some(ClusterStatus::Inactive), ClusterStatus::Active) => {
                matches!(step, Step::CreateCluster { .. })
            }
            (Some(ClusterStatus::Active), ClusterStatus::Inactive) => {
                matches!(step, Step::DeleteCluster { .. })
            }
            (was, is) => was == Some(is),
        };
        assert!(is_allowed, "{step:?} makes {cluster:?}");
    }
    for cluster in before.clusters().filter(|it| after.cluster(&it.name).is_none()) {
        check_forgotten(step, cluster.status == ClusterStatus::Inactive);
    }
}

/// A call that places nothing is counted once, and nothing else is.
fn check_placement_failures(step: &Step, before: &State, after: &State) {
    let count = |state: &State| state.clusters().map(|it| it.placement_failures).sum::<u64>();
    let calls = |state: &State| state.all_placement_failures().map(|it| it.calls).sum::<u64>();
    if matches!(step, Step::Wait { .. }) {
        return assert!(count(after) <= count(before) && calls(after) <= calls(before));
    }
    let has_new_task = after.all_tasks().count() > before.all_tasks().count();
    let failed = matches!(step, Step::Run { .. }) && !has_new_task;
    let counted = count(after) - count(before);
    assert!(counted <= failed.into(), "{step:?} is counted as {counted} failures");
    assert_eq!(calls(after) - calls(before), counted, "each is recorded");
}

/// Nothing is forgotten, and nothing is otherwise, but that no agent is connected.
fn check_restart(before: &State, after: &State) {
    let instances = |state: &State| -> Vec<ContainerInstance> {
        let disconnected = |it: &ContainerInstance| ContainerInstance {
            agent_connected: false,
            away_since: None,
            version: 0,
            ..it.clone()
        };
        state.all_instances().map(|it| disconnected(it)).collect()
    };
    assert!(before.clusters().eq(after.clusters()));
    assert!(before.definitions().eq(after.definitions()));
    assert!(before.all_placement_failures().eq(after.all_placement_failures()));
    assert!(before.all_tasks().eq(after.all_tasks()));
    assert_eq!(instances(before), instances(after));
}
