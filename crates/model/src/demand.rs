//! What one task takes of a container instance.

use crate::container_definition::Protocol;
use crate::overrides::{Overrides, effective, effective_size};
use crate::resources::Resources;
use crate::task_definition::{NetworkMode, TaskDefinition};

/// CPU, memory and static host ports of one task.
/// Source: Amazon ECS Developer Guide, task definition parameters (`memoryReservation` counts
/// before `memory`; dynamic host ports count nothing).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The task's own size, or else the sum over the containers.
    pub resources: Resources,
    /// Static TCP host ports.
    pub ports_tcp: Vec<u16>,
    /// Static UDP host ports.
    pub ports_udp: Vec<u16>,
}

impl Demand {
    /// The demand of a task of this definition with these overrides.
    pub fn of(definition: &TaskDefinition, overrides: Option<&Overrides>) -> Self {
        let mut demand = Self::default();
        for container in &definition.containers {
            let settings = effective(container, overrides);
            demand.resources = demand.resources.plus(Resources {
                cpu_units: settings.cpu_units,
                memory_mib: settings.reserved_memory_mib(),
            });
            for mapping in &container.port_mappings {
                let port = match definition.network() {
                    NetworkMode::Bridge => mapping.host_port,
                    NetworkMode::Host => mapping.container_port,
                    NetworkMode::None => 0,
                };
                match mapping.protocol {
                    _ if port == 0 => {}
                    Protocol::Tcp => demand.ports_tcp.push(port),
                    Protocol::Udp => demand.ports_udp.push(port),
                }
            }
        }
        let size = effective_size(definition, overrides);
        let Resources { cpu_units, memory_mib } = &mut demand.resources;
        *cpu_units = size.cpu_units.unwrap_or(*cpu_units);
        *memory_mib = size.memory_mib.unwrap_or(*memory_mib);
        demand
    }
}

#[cfg(test)]
mod tests;
