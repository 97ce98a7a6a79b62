//! All that is in the way of a task on one instance.

use longshore_model::container_instance::MAX_USED_PORTS;
use longshore_model::{Attribute, InstanceStatus, LaunchKind};

use crate::candidate::Candidate;
use crate::constraint::Constraint;
use crate::filter::{Filter, Refusal};
use crate::place::Request;
use crate::port::Port;
use crate::query::Query;

/// One thing in the way of a task. Two are equal when what would remove the one would remove the
/// other, so that instances can be counted by them; the figures of an instance are in
/// [`Filter::describe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause<'a> {
    /// The instance takes no tasks of the launch type, and RunTask passes over it.
    LaunchType(LaunchKind),
    /// The instance is not ACTIVE.
    Status(InstanceStatus),
    /// Its agent is not connected.
    Agent,
    /// It lacks an attribute that the task requires.
    Attribute(&'a Attribute),
    /// Too few CPU units are left.
    Cpu,
    /// Too little memory is left.
    Memory,
    /// The task wants a host port twice, which no instance can give.
    PortTwice(Port),
    /// A host port is taken or reserved.
    Port(Port),
    /// With the task's, too many host ports would be in use.
    TooManyPorts,
    /// An expression is false.
    MemberOf(&'a Query),
    /// It has a task of the group already.
    DistinctInstance,
}

impl Cause<'_> {
    /// What an instance is refused for because of it; `None` where it is not even asked.
    pub fn refusal(&self) -> Option<Refusal> {
        Some(match self {
            Self::LaunchType(_) => return None,
            Self::Status(_) => Refusal::Inactive,
            Self::Agent => Refusal::Agent,
            Self::Attribute(_) => Refusal::Attribute,
            Self::Cpu => Refusal::Cpu,
            Self::Memory => Refusal::Memory,
            Self::PortTwice(_) | Self::Port(_) | Self::TooManyPorts => Refusal::Ports,
            Self::MemberOf(_) => Refusal::MemberOf,
            Self::DistinctInstance => Refusal::DistinctInstance,
        })
    }

    /// What it is called: as in `failures` of RunTask, but for the two for which that passes over
    /// an instance in silence, `LAUNCH_TYPE` and the status.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Status(status) => status.as_str(),
            _ => self.refusal().map_or("LAUNCH_TYPE", Refusal::reason),
        }
    }
}

impl<'a> Request<'a> {
    /// All that keeps an instance out, in the order of the checks; nothing exactly where
    /// [`place`](crate::place) could choose it.
    pub fn causes(&self, candidate: &Candidate) -> Vec<Cause<'a>> {
        let unserved = self.kind.filter(|it| !candidate.instance.serves(*it));
        unserved.map(Cause::LaunchType).into_iter().chain(self.filter().causes(candidate)).collect()
    }
}

impl<'a> Filter<'a> {
    /// All that is in the way of the task on an instance, in ECS's order; nothing exactly where
    /// [`Filter::refusal`] is `None`.
    pub fn causes(&self, candidate: &Candidate) -> Vec<Cause<'a>> {
        let instance = &candidate.instance;
        let mut causes = Vec::new();
        if instance.status != InstanceStatus::Active {
            causes.push(Cause::Status(instance.status));
        }
        if !instance.agent_connected {
            causes.push(Cause::Agent);
        }
        let missing = self.requires.iter().filter(|it| !it.is_met_by(&instance.attributes));
        causes.extend(missing.map(Cause::Attribute));
        for cause in [Cause::Cpu, Cause::Memory] {
            if self.shortfall(&cause, candidate) > 0 {
                causes.push(cause);
            }
        }
        self.add_ports(candidate, &mut causes);
        for constraint in self.constraints {
            let cause = match constraint {
                Constraint::DistinctInstance => {
                    (candidate.tasks_of(self.group) > 0).then_some(Cause::DistinctInstance)
                }
                Constraint::MemberOf(query) => {
                    (!query.matches(candidate)).then_some(Cause::MemberOf(query))
                }
            };
            causes.extend(cause.filter(|it| !causes.contains(it)));
        }
        causes
    }

    /// By how much less of a resource the task would have to ask, in its unit, for this cause to
    /// be gone; 0 for a cause that is not one of amounts, and for one that is not there.
    pub fn shortfall(&self, cause: &Cause<'_>, candidate: &Candidate) -> u32 {
        let (wanted, remaining) = (self.demand.resources, candidate.remaining());
        match cause {
            Cause::Cpu => wanted.cpu_units.saturating_sub(remaining.cpu_units),
            Cause::Memory => wanted.memory_mib.saturating_sub(remaining.memory_mib),
            Cause::TooManyPorts => {
                let wanted = self.wanted_ports();
                let beyond = (candidate.used_ports() + wanted).saturating_sub(MAX_USED_PORTS);
                u32::try_from(beyond.min(wanted)).unwrap_or(u32::MAX)
            }
            _ => 0,
        }
    }

    /// How many host ports the task wants.
    pub(super) fn wanted_ports(&self) -> usize {
        self.demand.ports_tcp.len() + self.demand.ports_udp.len()
    }

    fn add_ports(&self, candidate: &Candidate, causes: &mut Vec<Cause<'a>>) {
        let mut wanted: Vec<Port> = Port::of(self.demand).collect();
        wanted.sort_unstable();
        let twice = wanted.iter().zip(wanted.iter().skip(1)).filter(|(one, next)| one == next);
        let twice: Vec<_> = twice.map(|(one, _)| Cause::PortTwice(*one)).collect();
        for cause in twice {
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        wanted.dedup();
        let used =
            wanted.into_iter().filter(|it| it.is_reserved(candidate) || it.is_taken(candidate));
        causes.extend(used.map(Cause::Port));
        if self.shortfall(&Cause::TooManyPorts, candidate) > 0 {
            causes.push(Cause::TooManyPorts);
        }
    }
}

#[cfg(test)]
mod tests;
