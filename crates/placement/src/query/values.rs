//! Which slots have which value of one thing, so that a question is asked once per value.

use std::collections::HashMap;
use std::sync::Arc;

use super::slots::Slots;

/// The values of one thing, such as an attribute, and the slots that have each.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    by_value: HashMap<Arc<str>, Holders>,
}

/// The slots that have a value: mostly one, or a few, or a good part of all.
#[derive(Clone, Debug)]
enum Holders {
    Few(Vec<u32>),
    Many { slots: Slots, count: usize },
}

/// Values with numbers for names, from 0 in the order of their texts, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbered {
    /// How many values there are.
    pub(crate) count: usize,
    /// The number of each slot's value; `count` where it has none.
    by_slot: Vec<u32>,
}

impl Numbered {
    /// The value of a slot, if it has one.
    pub(crate) fn of(&self, slot: u32) -> Option<u32> {
        let number = *self.by_slot.get(slot as usize)?;
        ((number as usize) < self.count).then_some(number)
    }
}

/// A list takes more room than a set does once it has this part of all slots.
const FEW_OF: usize = 32;

impl Values {
    pub(super) fn is_empty(&self) -> bool {
        self.by_value.is_empty()
    }

    /// Notes that a slot, which has no value yet, has this one; there are `end` slots.
    pub(super) fn insert(&mut self, value: &Arc<str>, slot: u32, end: usize) {
        match self.by_value.get_mut(value) {
            Some(holders) => holders.insert(slot, end),
            None => drop(self.by_value.insert(Arc::clone(value), Holders::Few(vec![slot]))),
        }
    }

    /// Notes that a slot no longer has a value that it had.
    pub(super) fn remove(&mut self, value: &str, slot: u32, end: usize) {
        if let Some(holders) = self.by_value.get_mut(value) {
            holders.remove(slot, end);
            if matches!(holders, Holders::Few(few) if few.is_empty()) {
                self.by_value.remove(value);
            }
        }
    }

    /// The values, numbered; there are `end` slots.
    pub(super) fn number(&self, end: usize) -> Numbered {
        let mut values: Vec<_> = self.by_value.iter().collect();
        values.sort_unstable_by_key(|it| it.0);
        let count = values.len();
        let mut by_slot = vec![count as u32; end];
        for (number, (_, holders)) in (0..).zip(values) {
            holders.for_each(|slot| by_slot[slot as usize] = number);
        }
        Numbered { count, by_slot }
    }

    /// Adds the slots that have any value.
    pub(super) fn add_all(&self, found: &mut Slots) {
        self.by_value.values().for_each(|it| it.add_to(found));
    }

    /// Adds the slots that have this value.
    pub(super) fn add_equal(&self, value: &str, found: &mut Slots) {
        if let Some(holders) = self.by_value.get(value) {
            holders.add_to(found);
        }
    }

    /// Adds the slots whose value is one of those that are asked for.
    pub(super) fn add_where(&self, holds: impl Fn(&str) -> bool, found: &mut Slots) {
        for (value, holders) in &self.by_value {
            if holds(value) {
                holders.add_to(found);
            }
        }
    }
}

impl Holders {
    fn insert(&mut self, slot: u32, end: usize) {
        match self {
            Self::Few(few) => {
                few.push(slot);
                if few.len() > 1 + end / FEW_OF {
                    *self = Self::Many { count: few.len(), slots: few.iter().copied().collect() };
                }
            }
            Self::Many { slots, count } => {
                slots.insert(slot);
                *count += 1;
            }
        }
    }

    fn remove(&mut self, slot: u32, end: usize) {
        match self {
            Self::Few(few) => {
                if let Some(at) = few.iter().position(|it| *it == slot) {
                    few.swap_remove(at);
                }
            }
            Self::Many { slots, count } => {
                slots.remove(slot);
                *count -= 1;
                // Well below where it became a set, so that it does not go to and fro.
                if *count <= end / FEW_OF / 4 {
                    *self = Self::Few(slots.iter().collect());
                }
            }
        }
    }

    fn for_each(&self, mut see: impl FnMut(u32)) {
        match self {
            Self::Few(few) => few.iter().copied().for_each(see),
            Self::Many { slots, .. } => slots.iter().for_each(&mut see),
        }
    }

    fn add_to(&self, found: &mut Slots) {
        match self {
            Self::Few(few) => found.extend(few.iter().copied()),
            Self::Many { slots, .. } => found.add(slots),
        }
    }
}
