//! Why an instance cannot take a task: the first of the checks that fails, in ECS's order.

use longshore_model::{Attribute, Demand, InstanceStatus};

use crate::candidate::Candidate;
use crate::constraint::Constraint;

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
    /// A host port is taken, or too many are.
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

/// Why an instance cannot take a task, constraints aside: what StartTask checks.
pub fn refusal(candidate: &Candidate, demand: &Demand, requires: &[Attribute]) -> Option<Refusal> {
    let instance = &candidate.instance;
    let remaining = candidate.remaining();
    if instance.status != InstanceStatus::Active {
        Some(Refusal::Inactive)
    } else if !instance.agent_connected {
        Some(Refusal::Agent)
    } else if !requires.iter().all(|it| it.is_met_by(&instance.attributes)) {
        Some(Refusal::Attribute)
    } else if demand.resources.cpu_units > remaining.cpu_units {
        Some(Refusal::Cpu)
    } else if demand.resources.memory_mib > remaining.memory_mib {
        Some(Refusal::Memory)
    } else if !candidate.has_ports_for(demand) {
        Some(Refusal::Ports)
    } else {
        None
    }
}

/// Why an instance cannot take a task of a group under these constraints.
pub(crate) fn constraint_refusal(
    candidate: &Candidate,
    group: &str,
    constraints: &[Constraint],
) -> Option<Refusal> {
    constraints.iter().find_map(|it| match it {
        Constraint::DistinctInstance if candidate.tasks_of(group) > 0 => {
            Some(Refusal::DistinctInstance)
        }
        Constraint::MemberOf(query) if !query.matches(candidate) => Some(Refusal::MemberOf),
        Constraint::DistinctInstance | Constraint::MemberOf(_) => None,
    })
}
