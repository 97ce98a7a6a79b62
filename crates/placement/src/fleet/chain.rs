//! A request's strategies as what is compared: of each instance by itself, or of all that share a
//! value of an attribute.

use std::sync::Arc;

use super::room::Room;
use crate::strategy::{BinpackField, SpreadField, Strategy};

/// What is compared, the less the better: a number for each strategy, the first two in the first
/// word and so on. There is room for six.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64, u64, u64);

impl Key {
    /// The key with a number in a place that had none.
    pub(super) fn with(mut self, place: usize, number: u32) -> Self {
        let number = u64::from(number) << (32 * (1 - place % 2));
        match place / 2 {
            0 => self.0 |= number,
            1 => self.1 |= number,
            2 => self.2 |= number,
            _ => {}
        }
        self
    }
}

/// What an instance is compared by; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    RemainingCpu,
    RemainingMemory,
    /// Tasks of the group on the instance.
    Tasks,
}

/// The strategies of a request, without those that decide nothing: what follows `random`, and what
/// was compared before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// What is compared of each instance, and its place in a key.
    own: Vec<(usize, Measure)>,
    /// The attributes of which tasks of the group are compared on all instances with the same value.
    shared: Vec<(usize, Arc<str>)>,
}

/// The attributes that tasks are spread over, each once; what follows `random` decides nothing.
pub fn spread_over(strategies: &[Strategy]) -> Vec<Arc<str>> {
    Chain::of(strategies).attributes().cloned().collect()
}

impl Chain {
    pub(super) fn of(strategies: &[Strategy]) -> Self {
        let mut chain = Self::default();
        for strategy in strategies {
            match strategy {
                Strategy::Random => break,
                Strategy::Binpack(BinpackField::Cpu) => chain.push_own(Measure::RemainingCpu),
                Strategy::Binpack(BinpackField::Memory) => chain.push_own(Measure::RemainingMemory),
                Strategy::Spread(SpreadField::InstanceId) => chain.push_own(Measure::Tasks),
                Strategy::Spread(SpreadField::Attribute(name)) => chain.push_shared(name),
            }
        }
        chain
    }

    fn push_own(&mut self, measure: Measure) {
        if self.own.iter().all(|it| it.1 != measure) {
            self.own.push((self.len(), measure));
        }
    }

    fn push_shared(&mut self, attribute: &Arc<str>) {
        if self.shared.iter().all(|it| it.1 != *attribute) {
            self.shared.push((self.len(), Arc::clone(attribute)));
        }
    }

    fn len(&self) -> usize {
        self.own.len() + self.shared.len()
    }

    /// The attributes that tasks are spread over.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &Arc<str>> {
        self.shared.iter().map(|it| &it.1)
    }

    /// Whether instances are compared by what is left of a resource.
    pub(super) fn compares_remaining(&self) -> bool {
        self.own.iter().any(|it| it.1 != Measure::Tasks)
    }

    /// What an instance with so many tasks of the group is compared by; what it shares with others
    /// has no number yet.
    #[inline]
    pub(super) fn own_key(&self, slot: u32, tasks: u32, room: &Room) -> Key {
        let number = |measure| match measure {
            Measure::RemainingCpu => room.cpu[slot as usize],
            Measure::RemainingMemory => room.memory[slot as usize],
            Measure::Tasks => tasks,
        };
        let own = self.own.iter();
        own.fold(Key::default(), |key, (place, measure)| key.with(*place, number(*measure)))
    }

    /// The key with the number of tasks beside an instance, by the `nth` of the attributes.
    pub(super) fn with_tasks_beside(&self, key: Key, nth: usize, tasks: u32) -> Key {
        self.shared.get(nth).map_or(key, |(place, _)| key.with(*place, tasks))
    }
}
