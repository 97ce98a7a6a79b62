//! A request's strategies as what is compared: of each instance by itself, or of all that share a
//! value of an attribute.

use std::sync::Arc;

use crate::candidate::Candidate;
use crate::strategy::{BinpackField, SpreadField, Strategy};

/// There are three measures of an instance by itself.
pub(super) type OwnKey = [u32; 3];

/// One place for each strategy. Source: Amazon ECS API Reference, RunTask: at most 5.
pub(super) type ChainKey = [u32; 5];

/// What an instance is compared by; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    RemainingCpu,
    RemainingMemory,
    /// Tasks of the group on the instance.
    Tasks,
}

/// One comparison of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// By a measure of the instance, which is at this place of its own key.
    Own(usize),
    /// By the tasks of the group on all instances with the same value of this attribute.
    Shared(usize),
}

/// The strategies of a request, without those that decide nothing: what follows `random`, and what
/// was compared before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) links: Vec<Link>,
    measures: Vec<Measure>,
    pub(super) attributes: Vec<Arc<str>>,
}

impl Chain {
    pub(super) fn of(strategies: &[Strategy]) -> Self {
        let mut chain = Self::default();
        for strategy in strategies {
            match strategy {
                Strategy::Random => break,
                Strategy::Binpack(BinpackField::Cpu) => chain.own(Measure::RemainingCpu),
                Strategy::Binpack(BinpackField::Memory) => chain.own(Measure::RemainingMemory),
                Strategy::Spread(SpreadField::InstanceId) => chain.own(Measure::Tasks),
                Strategy::Spread(SpreadField::Attribute(name)) => chain.shared(name),
            }
        }
        chain
    }

    fn own(&mut self, measure: Measure) {
        if !self.measures.contains(&measure) {
            self.links.push(Link::Own(self.measures.len()));
            self.measures.push(measure);
        }
    }

    fn shared(&mut self, name: &Arc<str>) {
        if !self.attributes.contains(name) {
            self.links.push(Link::Shared(self.attributes.len()));
            self.attributes.push(Arc::clone(name));
        }
    }

    /// What an instance with so many tasks of the group is compared by.
    pub(super) fn own_key(&self, candidate: &Candidate, tasks: u32) -> OwnKey {
        let mut key = OwnKey::default();
        for (place, measure) in key.iter_mut().zip(&self.measures) {
            *place = match measure {
                Measure::RemainingCpu => candidate.remaining().cpu_units,
                Measure::RemainingMemory => candidate.remaining().memory_mib,
                Measure::Tasks => tasks,
            };
        }
        key
    }
}
