//! A container instance as placement sees it.

use std::sync::Arc;

use longshore_model::container_instance::MAX_USED_PORTS;
use longshore_model::{ContainerInstance, Demand, Occupancy, Resources};

/// A container instance and what its live tasks take of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As registered.
    pub instance: Arc<ContainerInstance>,
    /// What is taken.
    pub occupancy: Arc<Occupancy>,
}

impl Candidate {
    /// What is left.
    pub fn remaining(&self) -> Resources {
        self.instance.registered.minus(self.occupancy.taken)
    }

    /// How many live tasks of a group there are.
    pub fn tasks_of(&self, group: &str) -> u32 {
        self.occupancy.groups.get(group).copied().unwrap_or(0)
    }

    /// Whether every static port of a demand is free, and not too many are used with them.
    pub(crate) fn has_ports_for(&self, demand: &Demand) -> bool {
        let (instance, occupancy) = (&self.instance, &self.occupancy);
        let tcp_free = |port: &u16| {
            !instance.reserved_ports_tcp.contains(port) && !occupancy.ports_tcp.contains(port)
        };
        let udp_free = |port: &u16| {
            !instance.reserved_ports_udp.contains(port) && !occupancy.ports_udp.contains(port)
        };
        let wanted = demand.ports_tcp.len() + demand.ports_udp.len();
        if wanted == 0 {
            return true;
        }
        let used = instance.reserved_ports_tcp.len()
            + instance.reserved_ports_udp.len()
            + occupancy.ports_tcp.size()
            + occupancy.ports_udp.size();
        demand.ports_tcp.iter().all(tcp_free)
            && demand.ports_udp.iter().all(udp_free)
            && are_different(&demand.ports_tcp)
            && are_different(&demand.ports_udp)
            && used + wanted <= MAX_USED_PORTS
    }
}

fn are_different(ports: &[u16]) -> bool {
    ports.iter().enumerate().all(|(at, port)| !ports.iter().skip(at + 1).any(|it| it == port))
}
