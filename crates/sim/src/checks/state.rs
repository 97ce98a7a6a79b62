//! The state as a whole: nothing promised twice, nothing acknowledged lost.

use std::collections::BTreeMap;

use longshore_model::{ClusterStatus, InstanceId, InstanceStatus, LastStatus};
use longshore_store::State;

use super::taken::{Taken, definition};
use super::{Checks, Violation, hold};

impl Checks {
    /// Everything about a state that has become durable.
    pub(crate) fn state(&self, state: &State) -> Result<(), Violation> {
        state.check_derived().map_err(Violation::new)?;
        for task in &self.acknowledged {
            hold(state.task(*task).is_some(), || format!("{task} was acknowledged and is lost"))?;
        }
        self.placement_failures(state)?;
        check_clusters(state)?;
        check_instances(state)
    }
}

/// Counts are what tasks and instances say, and a deleted cluster is empty.
fn check_clusters(state: &State) -> Result<(), Violation> {
    for cluster in state.clusters() {
        let name = &cluster.name;
        let tasks = state.all_tasks().filter(|it| it.cluster == *name);
        let (mut running, mut pending) = (0, 0);
        for task in tasks {
            running += u32::from(task.last_status == LastStatus::Running);
            pending += u32::from(task.last_status == LastStatus::Pending);
        }
        let instances = state.all_instances().filter(|it| it.cluster == *name);
        let in_use = instances.filter(|it| it.status != InstanceStatus::Inactive).count();
        let counts = state.counts(name);
        let are_right = (counts.running_tasks, counts.pending_tasks) == (running, pending)
            && counts.registered_instances as usize == in_use;
        hold(are_right, || format!("cluster {name} counts {counts:?}"))?;
        let is_empty = (running, pending, in_use) == (0, 0, 0);
        hold(is_empty || cluster.status == ClusterStatus::Active, || {
            format!("cluster {name} is deleted, and has {counts:?}")
        })?;
    }
    Ok(())
}

/// No instance is over-committed, and no port is given twice.
fn check_instances(state: &State) -> Result<(), Violation> {
    let mut all: BTreeMap<InstanceId, Taken> = BTreeMap::new();
    for task in state.all_tasks().filter(|it| it.takes_resources()) {
        let taken = all.entry(task.container_instance).or_default();
        let definition = definition(task, state)?;
        taken.add(definition, task.overrides.as_deref()).map_err(|port| {
            let instance = task.container_instance;
            Violation::new(format!("port {port} of instance {instance} is given twice"))
        })?;
    }
    for (id, taken) in &all {
        let instance = state.instance(*id).ok_or_else(|| Violation::new("an instance is gone"))?;
        taken.check(instance)?;
    }
    Ok(())
}
