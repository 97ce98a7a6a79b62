//! DescribeTasks and ListTasks: reading what is durable.

use std::sync::Arc;

use longshore_model::{ClusterName, DesiredStatus, Family, InstanceId, Task, TaskId};
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
    /// Of this group, which is how a service's tasks are known.
    pub group: Option<String>,
    /// `None` is the legal `PENDING`, which no task ever desires.
    pub desired_status: Option<DesiredStatus>,
}

impl ListTasks {
    fn wants(&self, task: &Task) -> bool {
        Some(task.desired_status) == self.desired_status
            && self.container_instance.is_none_or(|it| it == task.container_instance)
            && self.family.as_ref().is_none_or(|it| *it == task.definition.family)
            && self.started_by.as_ref().is_none_or(|it| task.started_by.as_deref() == Some(it))
            && self.group.as_ref().is_none_or(|it| *it == *task.group)
    }
}

/// At most `limit` of the tasks asked for, in the order of their creation, after the one given.
pub fn list<'a>(
    state: &'a State,
    request: &ListTasks,
    after: Option<TaskId>,
    limit: usize,
) -> Vec<&'a Arc<Task>> {
    let wanted = |it: &&Arc<Task>| request.wants(it);
    match after {
        Some(after) => {
            state.tasks_after(&request.cluster, after).filter(wanted).take(limit).collect()
        }
        None => state.tasks(&request.cluster).filter(wanted).take(limit).collect(),
    }
}
