//! A container instance as placement sees it.

use std::sync::Arc;

use longshore_model::{ContainerInstance, Demand, InstanceId, Occupancy, Resources, TaskId};

/// A container instance and what its live tasks take of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As registered.
    pub instance: Arc<ContainerInstance>,
    /// What is taken.
    pub occupancy: Arc<Occupancy>,
}

impl Candidate {
    /// Which instance it is.
    pub fn id(&self) -> InstanceId {
        self.instance.id
    }

    /// What is left.
    pub fn remaining(&self) -> Resources {
        self.instance.registered.minus(self.occupancy.taken)
    }

    /// How many live tasks of a group there are.
    pub fn tasks_of(&self, group: &str) -> u32 {
        self.occupancy.groups.get(group).copied().unwrap_or(0)
    }

    /// Whether at most so many host ports are reserved or taken.
    pub(crate) fn uses_at_most(&self, ports: usize) -> bool {
        let (instance, occupancy) = (&self.instance, &self.occupancy);
        let reserved = instance.reserved_ports_tcp.len() + instance.reserved_ports_udp.len();
        // Most instances are far from the limit, and need no closer look.
        if reserved + occupancy.ports_tcp.size() + occupancy.ports_udp.size() <= ports {
            return true;
        }
        self.used_ports() <= ports
    }

    /// How many host ports are reserved or taken.
    pub(crate) fn used_ports(&self) -> usize {
        let (instance, occupancy) = (&self.instance, &self.occupancy);
        let reserved = instance.reserved_ports_tcp.len() + instance.reserved_ports_udp.len();
        // The agent may have come to reserve a port that a task already had.
        let taken_tcp =
            occupancy.ports_tcp.iter().filter(|it| !instance.reserved_ports_tcp.contains(it));
        let taken_udp =
            occupancy.ports_udp.iter().filter(|it| !instance.reserved_ports_udp.contains(it));
        reserved + taken_tcp.count() + taken_udp.count()
    }

    /// Counts one more task as if it ran already; `number` tells it from other such tasks.
    pub fn take(&mut self, number: u128, group: &Arc<str>, demand: &Demand) {
        let stand_in = TaskId::from_bits(number);
        Arc::make_mut(&mut self.occupancy).enter(stand_in, group, demand);
    }
}
