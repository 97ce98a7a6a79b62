//! What tasks take of an instance, added up plainly.

use std::collections::BTreeSet;

use longshore_model::container_definition::Protocol;
use longshore_model::overrides::effective;
use longshore_model::task_definition::NetworkMode;
use longshore_model::{ContainerInstance, Overrides, Task, TaskDefinition};
use longshore_store::State;

use super::{Violation, hold};

/// What some tasks take.
#[derive(Clone, Default)]
pub(super) struct Taken {
    pub(super) cpu_units: u64,
    pub(super) memory_mib: u64,
    ports: BTreeSet<(Protocol, u16)>,
}

impl Taken {
    /// Adds a task of a definition; the error is a host port that is taken already.
    pub(super) fn add(
        &mut self,
        definition: &TaskDefinition,
        overrides: Option<&Overrides>,
    ) -> Result<(), u16> {
        let (mut cpu_units, mut memory_mib) = (0, 0);
        for container in &definition.containers {
            let settings = effective(container, overrides);
            let soft = settings.memory_reservation_mib.filter(|it| *it > 0);
            cpu_units += u64::from(settings.cpu_units);
            memory_mib += u64::from(soft.or(settings.memory_mib).unwrap_or(0));
            for mapping in &container.port_mappings {
                let port = match definition.network_mode {
                    Some(NetworkMode::Host) => mapping.container_port,
                    _ => mapping.host_port,
                };
                if port != 0 && !self.ports.insert((mapping.protocol, port)) {
                    return Err(port);
                }
            }
        }
        // The size of the task as a whole is what counts where there is one; none is overridden.
        self.cpu_units += definition.size.cpu_units.map_or(cpu_units, u64::from);
        self.memory_mib += definition.size.memory_mib.map_or(memory_mib, u64::from);
        Ok(())
    }

    /// Fails where the instance does not have that much, or keeps a port for itself.
    pub(super) fn check(&self, instance: &ContainerInstance) -> Result<(), Violation> {
        let id = instance.id;
        let fits = self.cpu_units <= u64::from(instance.registered.cpu_units)
            && self.memory_mib <= u64::from(instance.registered.memory_mib);
        hold(fits, || {
            let (cpu, memory) = (self.cpu_units, self.memory_mib);
            format!("instance {id} is over-committed: {cpu} units and {memory} MiB are taken")
        })?;
        let is_reserved = |it: &&(Protocol, u16)| match it.0 {
            Protocol::Tcp => instance.reserved_ports_tcp.contains(&it.1),
            Protocol::Udp => instance.reserved_ports_udp.contains(&it.1),
        };
        let reserved = self.ports.iter().find(is_reserved);
        hold(reserved.is_none(), || format!("instance {id} gives a reserved port: {reserved:?}"))
    }
}

/// The definition of a task.
pub(super) fn definition<'a>(
    task: &Task,
    state: &'a State,
) -> Result<&'a TaskDefinition, Violation> {
    let definition = state.definition(&task.definition);
    definition.map(|it| &**it).ok_or_else(|| Violation::new("a definition is gone"))
}
