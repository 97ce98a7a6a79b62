//! What would have to change for an instance to take a task.

use std::fmt;

use longshore_model::{Attribute, InstanceStatus, LaunchKind};

use super::cause::Cause;
use super::grouped;
use crate::candidate::Candidate;
use crate::constraint::Constraint;
use crate::filter::Filter;
use crate::port::Port;
use crate::query::{Subject, Wish};

/// What would remove a cause from an instance.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// Launch the task as this instead, or name nothing.
    LaunchAs(Option<LaunchKind>),
    /// Set the instance ACTIVE.
    SetActive,
    /// Register it again.
    Register,
    /// Connect its agent, or let it stay connected.
    ConnectAgent,
    /// Give it this attribute.
    Attribute(&'a Attribute),
    /// End tasks that take so much.
    Free(Amount),
    /// It would have to have so much in all, which is more than it has.
    HaveInAll(Amount),
    /// End the task that has this host port.
    FreePort(Port),
    /// Let the agent not reserve this host port.
    GiveUpPort(Port),
    /// Ask for this host port once, and not twice.
    AskOnceFor(Port),
    /// What an expression wants.
    Satisfy(Wish<'a>),
    /// End this many tasks of the group; where there is none, let it stay so.
    EndTasksOf(&'a str, u32),
}

/// So much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// CPU units.
    Cpu(u32),
    /// Memory, in MiB.
    Memory(u32),
    /// Host ports, whichever.
    Ports(u32),
}

impl<'a> Filter<'a> {
    /// All that would have to be so for the instance to take the task, of which these are the
    /// causes: their changes, and what is as it should be but is about something that they change,
    /// such as an attribute that two constraints look at.
    pub fn changes(&self, causes: &[Cause<'a>], candidate: &Candidate) -> Vec<Change<'a>> {
        let is_of_expression = |it: &&Cause<'a>| matches!(it, Cause::MemberOf(_));
        let mut changes: Vec<Change<'a>> = causes
            .iter()
            .filter(|it| !is_of_expression(it))
            .map(|it| self.change(it, candidate))
            .collect();
        let mut to_change: Vec<Subject<'a>> = changes.iter().filter_map(Change::subject).collect();
        loop {
            let asked = self.constraints.iter().filter_map(|it| match it {
                Constraint::MemberOf(query) => query.wish(candidate, &to_change),
                Constraint::DistinctInstance => None,
            });
            let wishes: Vec<Wish<'a>> = asked.collect();
            let known = to_change.len();
            wishes.iter().for_each(|it| it.add_subjects(&mut to_change));
            if to_change.len() == known {
                self.add_what_must_stay(&to_change, candidate, &mut changes);
                changes.extend(wishes.into_iter().map(Change::Satisfy));
                return changes;
            }
        }
    }

    /// What is as the task itself needs it, among what is to change because of expressions.
    fn add_what_must_stay(
        &self,
        to_change: &[Subject<'_>],
        candidate: &Candidate,
        changes: &mut Vec<Change<'a>>,
    ) {
        let instance = &candidate.instance;
        let changes_attribute = |it: &&Attribute| to_change.contains(&Subject::Attribute(&it.name));
        let is_met = |it: &&Attribute| it.is_met_by(&instance.attributes);
        let required = self.requires.iter().filter(changes_attribute).filter(is_met);
        changes.extend(required.map(Change::Attribute));
        if instance.agent_connected && to_change.contains(&Subject::AgentConnected) {
            changes.push(Change::ConnectAgent);
        }
        let is_distinct = self.constraints.contains(&Constraint::DistinctInstance);
        let tasks = candidate.tasks_of(self.group);
        if is_distinct && tasks == 0 && to_change.contains(&Subject::TaskGroup) {
            changes.push(Change::EndTasksOf(self.group, tasks));
        }
    }

    /// What would remove a cause that [`Self::causes`] gives for this instance, nothing else
    /// changed.
    pub fn change(&self, cause: &Cause<'a>, candidate: &Candidate) -> Change<'a> {
        let instance = &candidate.instance;
        let (wanted, taken) = (self.demand.resources, candidate.occupancy.taken);
        let amount = |unit: fn(u32) -> Amount, wanted: u32, taken: u32, registered: u32| {
            match wanted <= registered {
                // More may be taken than there is, since an agent can register again with less.
                true => Change::Free(unit(taken.saturating_add(wanted).saturating_sub(registered))),
                false => Change::HaveInAll(unit(wanted)),
            }
        };
        match *cause {
            Cause::LaunchType(_) => {
                let mut kinds = [LaunchKind::Ec2, LaunchKind::External].into_iter();
                Change::LaunchAs(kinds.find(|it| instance.serves(*it)))
            }
            Cause::Status(InstanceStatus::Inactive) => Change::Register,
            Cause::Status(_) => Change::SetActive,
            Cause::Agent => Change::ConnectAgent,
            Cause::Attribute(attribute) => Change::Attribute(attribute),
            Cause::Cpu => {
                let registered = instance.registered.cpu_units;
                amount(Amount::Cpu, wanted.cpu_units, taken.cpu_units, registered)
            }
            Cause::Memory => {
                let registered = instance.registered.memory_mib;
                amount(Amount::Memory, wanted.memory_mib, taken.memory_mib, registered)
            }
            Cause::PortTwice(port) => Change::AskOnceFor(port),
            Cause::Port(port) if port.is_reserved(candidate) => Change::GiveUpPort(port),
            Cause::Port(port) => Change::FreePort(port),
            Cause::TooManyPorts => Change::Free(Amount::Ports(self.shortfall(cause, candidate))),
            Cause::MemberOf(query) => match query.wish(candidate, &[]) {
                Some(wish) => Change::Satisfy(wish),
                None => Change::Satisfy(Wish::All(Vec::new())),
            },
            Cause::DistinctInstance => {
                Change::EndTasksOf(self.group, candidate.tasks_of(self.group))
            }
        }
    }
}

impl<'a> Change<'a> {
    /// What it changes that expressions may look at. Which tasks end where something is to be freed
    /// is open, so that is not among it.
    pub(super) fn subject(&self) -> Option<Subject<'a>> {
        match self {
            Self::Attribute(attribute) => Some(Subject::Attribute(&attribute.name)),
            Self::ConnectAgent => Some(Subject::AgentConnected),
            Self::EndTasksOf(..) => Some(Subject::TaskGroup),
            _ => None,
        }
    }

    /// How many things it takes; `None` where nobody can bring it about: an instance does not grow.
    pub fn steps(&self) -> Option<u32> {
        match self {
            Self::HaveInAll(_) => None,
            Self::Satisfy(wish) => wish.steps(),
            _ => Some(1),
        }
    }

    /// Which part it is of all that a task asks for of the thing, from 0 to 1; 0 where it is not
    /// about an amount.
    pub(super) fn part_of(&self, filter: &Filter<'_>) -> f64 {
        let part = |lack: u32, wanted: u32| f64::from(lack.min(wanted)) / f64::from(wanted.max(1));
        let wanted = filter.demand.resources;
        match self {
            Self::Free(Amount::Cpu(lack)) => part(*lack, wanted.cpu_units),
            Self::Free(Amount::Memory(lack)) => part(*lack, wanted.memory_mib),
            Self::Free(Amount::Ports(lack)) => {
                part(*lack, u32::try_from(filter.wanted_ports()).unwrap_or(u32::MAX))
            }
            Self::HaveInAll(_) => 1.0,
            _ => 0.0,
        }
    }
}

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LaunchAs(Some(kind)) => write!(f, "launch the task as {}", kind.as_str()),
            Self::LaunchAs(None) => f.write_str("launch the task without a launch type"),
            Self::SetActive => f.write_str("set it ACTIVE"),
            Self::Register => f.write_str("register it again"),
            Self::ConnectAgent => f.write_str("connect its agent"),
            Self::Attribute(Attribute { name, value: Some(value), .. }) => {
                write!(f, "attribute:{name} would have to be {value}")
            }
            Self::Attribute(Attribute { name, .. }) => {
                write!(f, "attribute:{name} would have to be there")
            }
            Self::Free(amount) => write!(f, "free {amount}"),
            Self::HaveInAll(amount) => write!(f, "it would have to have {amount} in all"),
            Self::FreePort(port) => write!(f, "free {port}"),
            Self::GiveUpPort(port) => write!(f, "let its agent not reserve {port}"),
            Self::AskOnceFor(port) => write!(f, "ask for {port} once only"),
            Self::Satisfy(wish) => wish.fmt(f),
            Self::EndTasksOf(group, 0) => write!(f, "no task of group {group} could run there"),
            Self::EndTasksOf(group, 1) => write!(f, "end the task of group {group} there"),
            Self::EndTasksOf(group, tasks) => {
                write!(f, "end the {} tasks of group {group} there", grouped(*tasks))
            }
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu(1) => f.write_str("1 CPU unit"),
            Self::Cpu(units) => write!(f, "{} CPU units", grouped(*units)),
            Self::Memory(mib) => write!(f, "{} MiB of memory", grouped(*mib)),
            Self::Ports(1) => f.write_str("1 host port"),
            Self::Ports(ports) => write!(f, "{} host ports", grouped(*ports)),
        }
    }
}

#[cfg(test)]
mod tests;
