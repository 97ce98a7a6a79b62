//! Why an instance cannot take a task: the first of the checks that fails, in ECS's order.

use std::collections::BTreeSet;

use longshore_model::container_instance::MAX_USED_PORTS;
use longshore_model::{Attribute, Demand, InstanceStatus};

use crate::candidate::Candidate;
use crate::constraint::Constraint;
use crate::port::Port;

/// Why an instance cannot take a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It is DRAINING or was deregistered.
    Inactive,
    /// Its agent is not connected.
    Agent,
    /// It lacks an attribute that the task requires.
    Attribute,
    /// Too few CPU units are left.
    Cpu,
    /// Too little memory is left.
    Memory,
    /// A host port is taken, of TCP or UDP, or too many are.
    Ports,
    /// An expression is false for it.
    MemberOf,
    /// It has a task of the group already.
    DistinctInstance,
}

impl Refusal {
    /// As ECS says it in `failures`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Inactive => "INACTIVE",
            Self::Agent => "AGENT",
            Self::Attribute => "ATTRIBUTE",
            Self::Cpu => "RESOURCE:CPU",
            Self::Memory => "RESOURCE:MEMORY",
            Self::Ports => "RESOURCE:PORTS",
            Self::MemberOf => "MemberOf placement constraint unsatisfied.",
            Self::DistinctInstance => "DistinctInstance placement constraint unsatisfied.",
        }
    }
}

/// What an instance must have to take one task of a call.
pub struct Filter<'a> {
    pub(crate) demand: &'a Demand,
    pub(crate) requires: &'a [Attribute],
    pub(crate) group: &'a str,
    pub(crate) constraints: &'a [Constraint],
    /// How many host ports the task takes; `None` when it wants one twice, which none can give.
    pub(crate) ports: Option<usize>,
}

impl<'a> Filter<'a> {
    /// What a task of this demand, these required attributes, this group and these constraints
    /// needs.
    pub fn new(
        demand: &'a Demand,
        requires: &'a [Attribute],
        group: &'a str,
        constraints: &'a [Constraint],
    ) -> Self {
        Self { demand, requires, group, constraints, ports: count_different_ports(demand) }
    }

    /// The first check that fails.
    pub fn refusal(&self, candidate: &Candidate) -> Option<Refusal> {
        self.refusal_of_record(candidate)
            .or_else(|| self.refusal_of_room(candidate))
            .or_else(|| self.constraints.iter().find_map(|it| self.unsatisfied(it, candidate)))
    }

    fn refusal_of_record(&self, candidate: &Candidate) -> Option<Refusal> {
        let instance = &candidate.instance;
        if instance.status != InstanceStatus::Active {
            Some(Refusal::Inactive)
        } else if !instance.agent_connected {
            Some(Refusal::Agent)
        } else if !self.requires.iter().all(|it| it.is_met_by(&instance.attributes)) {
            Some(Refusal::Attribute)
        } else {
            None
        }
    }

    fn refusal_of_room(&self, candidate: &Candidate) -> Option<Refusal> {
        let (wanted, remaining) = (self.demand.resources, candidate.remaining());
        if wanted.cpu_units > remaining.cpu_units {
            Some(Refusal::Cpu)
        } else if wanted.memory_mib > remaining.memory_mib {
            Some(Refusal::Memory)
        } else if !self.has_ports(candidate) {
            Some(Refusal::Ports)
        } else {
            None
        }
    }

    fn has_ports(&self, candidate: &Candidate) -> bool {
        match self.ports {
            None => false,
            Some(0) => true,
            Some(wanted) => {
                Port::of(self.demand)
                    .all(|it| !it.is_reserved(candidate) && !it.is_taken(candidate))
                    && MAX_USED_PORTS
                        .checked_sub(wanted)
                        .is_some_and(|others| candidate.uses_at_most(others))
            }
        }
    }

    fn unsatisfied(&self, constraint: &Constraint, candidate: &Candidate) -> Option<Refusal> {
        match constraint {
            Constraint::DistinctInstance => {
                (candidate.tasks_of(self.group) > 0).then_some(Refusal::DistinctInstance)
            }
            Constraint::MemberOf(query) => (!query.matches(candidate)).then_some(Refusal::MemberOf),
        }
    }
}

fn count_different_ports(demand: &Demand) -> Option<usize> {
    let are_different = |ports: &[u16]| ports.iter().collect::<BTreeSet<_>>().len() == ports.len();
    (are_different(&demand.ports_tcp) && are_different(&demand.ports_udp))
        .then(|| demand.ports_tcp.len() + demand.ports_udp.len())
}
