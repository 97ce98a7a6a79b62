//! The state as a whole: nothing promised twice, nothing acknowledged lost.

use std::collections::{BTreeMap, BTreeSet};

use longshore_model::container_definition::Protocol;
use longshore_model::overrides::effective;
use longshore_model::task_definition::NetworkMode;
use longshore_model::{
    ClusterStatus, InstanceId, InstanceStatus, LastStatus, Task, TaskDefinition,
};
use longshore_store::State;

use super::{Checks, Violation, hold};

/// What the live tasks of an instance take, added up anew.
#[derive(Default)]
struct Taken {
    cpu_units: u64,
    memory_mib: u64,
    ports: BTreeSet<(Protocol, u16)>,
}

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
    for task in state.all_tasks().filter(|it| it.last_status != LastStatus::Stopped) {
        let definition = state.definition(&task.definition);
        let definition = definition.ok_or_else(|| Violation::new("a definition is gone"))?;
        add(all.entry(task.container_instance).or_default(), task, definition)?;
    }
    for (id, taken) in &all {
        let instance = state.instance(*id).ok_or_else(|| Violation::new("an instance is gone"))?;
        let fits = taken.cpu_units <= u64::from(instance.registered.cpu_units)
            && taken.memory_mib <= u64::from(instance.registered.memory_mib);
        hold(fits, || {
            let (cpu, memory) = (taken.cpu_units, taken.memory_mib);
            format!("instance {id} is over-committed: {cpu} units and {memory} MiB are taken")
        })?;
        let is_reserved = |it: &&(Protocol, u16)| match it.0 {
            Protocol::Tcp => instance.reserved_ports_tcp.contains(&it.1),
            Protocol::Udp => instance.reserved_ports_udp.contains(&it.1),
        };
        let reserved = taken.ports.iter().find(is_reserved);
        hold(reserved.is_none(), || format!("instance {id} gives a reserved port: {reserved:?}"))?;
    }
    Ok(())
}

fn add(taken: &mut Taken, task: &Task, definition: &TaskDefinition) -> Result<(), Violation> {
    for container in &definition.containers {
        let settings = effective(container, task.overrides.as_deref());
        let memory_mib =
            settings.memory_reservation_mib.filter(|it| *it > 0).or(settings.memory_mib);
        taken.cpu_units += u64::from(settings.cpu_units);
        taken.memory_mib += u64::from(memory_mib.unwrap_or(0));
        for mapping in &container.port_mappings {
            let port = match definition.network_mode {
                Some(NetworkMode::Host) => mapping.container_port,
                _ => mapping.host_port,
            };
            hold(port == 0 || taken.ports.insert((mapping.protocol, port)), || {
                format!("port {port} of instance {} is given twice", task.container_instance)
            })?;
        }
    }
    Ok(())
}
