//! Host ports.

use longshore_model::Demand;

use crate::candidate::Candidate;

/// A host port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// Of TCP.
    Tcp(u16),
    /// Of UDP.
    Udp(u16),
}

impl Port {
    /// Those that a demand names, as often as it does.
    pub fn of(demand: &Demand) -> impl Iterator<Item = Self> {
        let tcp = demand.ports_tcp.iter().map(|it| Self::Tcp(*it));
        tcp.chain(demand.ports_udp.iter().map(|it| Self::Udp(*it)))
    }

    /// Whether the agent keeps it from tasks.
    pub(crate) fn is_reserved(self, candidate: &Candidate) -> bool {
        match self {
            Self::Tcp(port) => candidate.instance.reserved_ports_tcp.contains(&port),
            Self::Udp(port) => candidate.instance.reserved_ports_udp.contains(&port),
        }
    }

    /// Whether a task has it.
    pub(crate) fn is_taken(self, candidate: &Candidate) -> bool {
        match self {
            Self::Tcp(port) => candidate.occupancy.ports_tcp.contains(&port),
            Self::Udp(port) => candidate.occupancy.ports_udp.contains(&port),
        }
    }
}
