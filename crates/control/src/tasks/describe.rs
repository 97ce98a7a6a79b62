//! DescribeTasks and ListTasks: reading what is durable.

use std::ops::Bound;
use std::sync::Arc;

use longshore_model::{ClusterName, DesiredStatus, Family, InstanceId, LaunchKind, Task, TaskId};
use longshore_store::State;

/// Which tasks a ListTasks request asks for.
#[derive(Clone, Debug)]
pub struct ListTasks {
    /// In this cluster.
    pub cluster: ClusterName,
    /// On this instance.
    pub container_instance: Option<InstanceId>,
    /// Of this family.
    pub family: Option<Family>,
    /// With this mark.
    pub started_by: Option<String>,
    /// Launched as this.
    pub launch_type: Option<LaunchKind>,
    /// `None` is the legal `PENDING`, which no task ever desires.
    pub desired_status: Option<DesiredStatus>,
}

impl ListTasks {
    fn wants(&self, task: &Task) -> bool {
        Some(task.desired_status) == self.desired_status
            && self.container_instance.is_none_or(|it| it == task.container_instance)
            && self.launch_type.is_none_or(|it| it == task.launch_type.kind())
            && self.family.as_ref().is_none_or(|it| *it == task.definition.family)
            && self.started_by.as_ref().is_none_or(|it| task.started_by.as_deref() == Some(it))
    }
}

/// The tasks asked for, in the order of their creation, after the one given.
pub fn list<'a>(
    state: &'a State,
    request: &'a ListTasks,
    after: Option<TaskId>,
) -> impl Iterator<Item = &'a Arc<Task>> {
    let of_instance = request.container_instance.filter(|_| {
        // What is to run is live, and so among what occupies its instance.
        request.desired_status == Some(DesiredStatus::Running)
    });
    let (some, all) = match of_instance {
        Some(id) => (Some(live_on(state, request, id, after)), None),
        None => (None, Some(state.tasks_after(&request.cluster, after))),
    };
    let candidates = some.into_iter().flatten().chain(all.into_iter().flatten());
    candidates.filter(|it| request.wants(it))
}

/// The live tasks of an instance of the cluster, in the order of their creation, after the one
/// given. Not every task of the cluster is looked at.
fn live_on<'a>(
    state: &'a State,
    request: &'a ListTasks,
    id: InstanceId,
    after: Option<TaskId>,
) -> impl Iterator<Item = &'a Arc<Task>> {
    let occupancy = state.occupancy(id);
    let first = after.map_or(Bound::Unbounded, Bound::Excluded);
    let ids: Vec<TaskId> = occupancy.tasks.range((first, Bound::Unbounded)).copied().collect();
    let tasks = ids.into_iter().filter_map(|it| state.task(it));
    tasks.filter(|it| it.cluster == request.cluster)
}
