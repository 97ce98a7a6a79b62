//! A request's strategies as what is compared: of each instance by itself, or of all that share a
//! value of an attribute.

use std::sync::Arc;

use super::room::Room;
use crate::strategy::{BinpackField, SpreadField, Strategy};

/// One place for each strategy. Source: Amazon ECS API Reference, RunTask: at most 5.
pub(super) type ChainKey = [u32; 5];

/// What an instance is compared by; less is better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    RemainingCpu,
    RemainingMemory,
    /// Tasks of the group on the instance.
    Tasks,
    /// Tasks of the group on all instances with the same value of this attribute.
    Beside(Arc<str>),
}

/// The strategies of a request, without those that decide nothing: what follows `random`, and what
/// was compared before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    links: Vec<Link>,
}

impl Chain {
    pub(super) fn of(strategies: &[Strategy]) -> Self {
        let link = |it: &Strategy| match it {
            Strategy::Random => None,
            Strategy::Binpack(BinpackField::Cpu) => Some(Link::RemainingCpu),
            Strategy::Binpack(BinpackField::Memory) => Some(Link::RemainingMemory),
            Strategy::Spread(SpreadField::InstanceId) => Some(Link::Tasks),
            Strategy::Spread(SpreadField::Attribute(name)) => Some(Link::Beside(Arc::clone(name))),
        };
        let mut links = Vec::new();
        for link in strategies.iter().map_while(link) {
            if !links.contains(&link) {
                links.push(link);
            }
        }
        Self { links }
    }

    /// The attributes that tasks are spread over.
    pub(super) fn into_attributes(self) -> Vec<Arc<str>> {
        let attribute = |it| if let Link::Beside(name) = it { Some(name) } else { None };
        self.links.into_iter().filter_map(attribute).collect()
    }

    /// Whether instances are compared by what is left of a resource.
    pub(super) fn compares_remaining(&self) -> bool {
        self.links.iter().any(|it| matches!(it, Link::RemainingCpu | Link::RemainingMemory))
    }

    /// Where in a key the tasks beside an instance are, by the `nth` of the attributes.
    pub(super) fn place_of(&self, nth: usize) -> usize {
        let is_beside = |it: &(usize, &Link)| matches!(it.1, Link::Beside(_));
        let mut beside = self.links.iter().enumerate().filter(is_beside);
        beside.nth(nth).map_or(0, |it| it.0)
    }

    /// What an instance with so many tasks of the group is compared by; what it shares with others
    /// is left 0.
    pub(super) fn own_key(&self, slot: u32, tasks: u32, room: &Room) -> ChainKey {
        let mut key = ChainKey::default();
        for (place, link) in key.iter_mut().zip(&self.links) {
            *place = match link {
                Link::RemainingCpu => room.cpu[slot as usize],
                Link::RemainingMemory => room.memory[slot as usize],
                Link::Tasks => tasks,
                Link::Beside(_) => 0,
            };
        }
        key
    }
}
