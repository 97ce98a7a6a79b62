//! What is true of every state.

use longshore_model::tags::MAX_TAGS;
use longshore_model::{
    Cluster, ClusterStatus, ContainerInstance, DesiredStatus, InstanceStatus, LastStatus, Tags,
    Task,
};
use longshore_store::State;

use crate::placement_failures::MAX_RECORDS;

/// Fails unless all of it holds.
pub(super) fn check(state: &State) {
    state.check_derived().unwrap();
    check_clusters(state);
    for instance in state.all_instances() {
        check_instance(instance, state);
        check_tags(&instance.tags);
    }
    for definition in state.definitions() {
        let is_kept = definition.key.revision <= state.highest_revision(&definition.key.family);
        assert!(is_kept, "a revision counts as given out");
        check_tags(&definition.tags);
    }
    for task in state.all_tasks() {
        check_task(task, state);
        check_tags(&task.tags);
    }
}

/// Counts are what tasks and instances say, and what is deleted is empty.
fn check_clusters(state: &State) {
    for cluster in state.clusters() {
        let tasks = |status| {
            let of_cluster = state.all_tasks().filter(|it| it.cluster == cluster.name);
            of_cluster.filter(|it| it.last_status == status).count()
        };
        let registered = state
            .all_instances()
            .filter(|it| it.cluster == cluster.name && it.status != InstanceStatus::Inactive)
            .count();
        let counts = state.counts(&cluster.name);
        assert_eq!(counts.running_tasks as usize, tasks(LastStatus::Running));
        assert_eq!(counts.pending_tasks as usize, tasks(LastStatus::Pending));
        assert_eq!(counts.registered_instances as usize, registered);
        let is_deleted = cluster.status == ClusterStatus::Inactive;
        assert_eq!(cluster.deleted_at.is_some(), is_deleted);
        let is_empty = registered == 0 && counts.running_tasks == 0 && counts.pending_tasks == 0;
        assert!(is_empty || !is_deleted, "a deleted cluster has {counts:?}");
        check_tags(&cluster.tags);
        check_placement_failures(cluster, state);
    }
}

/// They are bounded, and no more than are counted.
fn check_placement_failures(cluster: &Cluster, state: &State) {
    let failures: Vec<_> = state.placement_failures(&cluster.name).collect();
    assert!(failures.len() <= MAX_RECORDS, "{} placement failures", failures.len());
    let calls: u64 = failures.iter().map(|it| it.calls).sum();
    assert!(calls <= cluster.placement_failures, "{calls} of {}", cluster.placement_failures);
    for failure in failures {
        assert_eq!(failure.fingerprint, failure.last.fingerprint());
        assert!(failure.first_at <= failure.last_at);
    }
}

fn check_instance(instance: &ContainerInstance, state: &State) {
    assert!(state.cluster(&instance.cluster).is_some(), "an instance is of a cluster");
    let occupancy = state.occupancy(instance.id);
    let with_port =
        occupancy.tasks.iter().chain(occupancy.at_large.keys()).filter_map(|it| state.task(*it));
    let with_port = with_port.filter(|it| it.definition.family.as_str() == "ports").count();
    assert_eq!(with_port, occupancy.ports_tcp.size(), "a port is given to one task");
    let is_gone = instance.status == InstanceStatus::Inactive;
    assert_eq!(instance.deregistered_at.is_some(), is_gone);
    assert!(!is_gone || occupancy.is_empty(), "a deregistered instance has no task");
    let is_away = !instance.agent_connected && !is_gone;
    assert_eq!(instance.away_since.is_some(), is_away, "who is away has been so since some time");
    assert!(!is_gone || !instance.agent_connected, "a deregistered instance has no agent");
    for (at, attribute) in instance.attributes.iter().enumerate() {
        let earlier = instance.attributes.iter().take(at);
        assert!(earlier.clone().all(|it| it.name != attribute.name), "a name is there once");
    }
    let custom = instance.attributes.iter().filter(|it| it.name.starts_with("custom-")).count();
    assert!(custom <= crate::container_instances::MAX_CUSTOM, "{custom} custom attributes");
}

fn check_task(task: &Task, state: &State) {
    assert!(state.definition(&task.definition).is_some(), "a task's definition is kept");
    let instance = state.instance(task.container_instance).expect("a task's instance is kept");
    assert_eq!(task.cluster, instance.cluster);
    let stopped = task.last_status == LastStatus::Stopped;
    let is_wished = task.desired_status == DesiredStatus::Stopped;
    assert!(is_wished || !stopped, "what has stopped was to stop");
    assert_eq!(task.stopped_at.is_some(), stopped);
    assert_eq!(task.stopping_at.is_some(), is_wished);
    assert_eq!(task.stopped_reason.is_some(), is_wished);
    assert_eq!(task.stop_code.is_some(), is_wished);
    assert!(stopped || task.lost.is_none(), "what is lost is STOPPED to clients");
    assert!(task.started_at.is_some() || task.last_status != LastStatus::Running);
    assert!(!stopped || task.containers.iter().all(|it| it.last_status == LastStatus::Stopped));
}

fn check_tags(tags: &Tags) {
    let own: Vec<&str> =
        tags.iter().map(|it| it.key()).filter(|it| !it.starts_with("aws:")).collect();
    assert!(own.len() <= MAX_TAGS, "{} tags", own.len());
    for (at, key) in own.iter().enumerate() {
        assert!(!own.iter().take(at).any(|it| it == key), "the tag {key} is there twice");
    }
}
