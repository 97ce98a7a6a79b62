//! All that should run on an instance, in one message, and what its agent asks about it.
//!
//! Agents that announce `ecs.capability.full-sync` get it on each new connection. Of what runs there
//! and is not in it they ask whether that is to be stopped, and the answer is by the state at that
//! moment. Longshore's own agent says also what it lacks, so it need not be told again what it has.

use longshore_control::reference;
use longshore_model::{ClusterName, DesiredStatus, InstanceId, LastStatus, Owner, Task, TaskId};
use longshore_store::State;
use longshore_wire::acs::{ManifestTask, TaskManifestMessage};

/// Of agents since 1.33.
const FULL_SYNC: &str = "ecs.capability.full-sync";

/// Of Longshore's own agent, which asks for the tasks of a manifest that it lacks.
const TASK_RESEND: &str = "io.longshore.capability.task-resend";

/// What an agent makes of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It does not know it.
    Not,
    /// It asks about what runs there and is not listed.
    AsksForStops,
    /// It asks for what is listed and is not there also.
    AsksForBoth,
}

/// Which of them this instance's agent does, by what it has announced.
pub(super) fn taken_by(state: &State, instance: InstanceId) -> Taken {
    let Some(instance) = state.instance(instance) else { return Taken::Not };
    let has = |name: &str| instance.attributes.iter().any(|it| &*it.name == name);
    match (has(FULL_SYNC), has(TASK_RESEND)) {
        (false, _) => Taken::Not,
        (true, false) => Taken::AsksForStops,
        (true, true) => Taken::AsksForBoth,
    }
}

/// The tasks that are to run on the instance.
pub(super) fn listed(state: &State, instance: InstanceId) -> impl Iterator<Item = &Task> {
    let tasks = state.occupancy(instance).tasks.iter().copied().collect::<Vec<_>>();
    let tasks = tasks.into_iter().filter_map(|it| state.task(it).map(|it| &**it));
    tasks.filter(|it| it.desired_status == DesiredStatus::Running)
}

/// The manifest of those.
pub(super) fn message<'a>(
    tasks: impl Iterator<Item = &'a Task>,
    owner: &Owner,
    cluster: &ClusterName,
) -> TaskManifestMessage {
    let cluster_arn = owner.cluster_arn(cluster);
    let entry = |task: &Task| ManifestTask {
        task_arn: task.arn(owner),
        desired_status: task.desired_status.as_str().into(),
        task_cluster_arn: Some(cluster_arn.clone()),
    };
    TaskManifestMessage {
        tasks: tasks.map(entry).collect(),
        cluster_arn: cluster_arn.clone(),
        ..TaskManifestMessage::default()
    }
}

/// Those of the candidates that really are to be stopped: of which the state says that they ended,
/// or are to end, or run elsewhere, or that there is no such task. What is no task of this control
/// plane's is not its to stop.
pub(super) fn to_be_stopped(
    candidates: Vec<ManifestTask>,
    state: &State,
    owner: &Owner,
    cluster: &ClusterName,
    instance: InstanceId,
) -> Vec<ManifestTask> {
    let stopped = || DesiredStatus::Stopped.as_str().to_owned();
    candidates
        .into_iter()
        .filter(|it| match named(&it.task_arn, owner, cluster) {
            Some(id) => !is_to_run(state, id, instance),
            None => false,
        })
        .map(|it| ManifestTask { desired_status: stopped(), ..it })
        .collect()
}

/// The task of this ARN. An id alone names a task in requests, but is no ARN.
pub(super) fn named(arn: &str, owner: &Owner, cluster: &ClusterName) -> Option<TaskId> {
    let id = reference::task(arn, cluster, owner).ok();
    id.filter(|_| arn.starts_with("arn:"))
}

fn is_to_run(state: &State, id: TaskId, instance: InstanceId) -> bool {
    state.task(id).is_some_and(|it| {
        it.container_instance == instance
            && it.desired_status == DesiredStatus::Running
            && it.last_status != LastStatus::Stopped
    })
}
