//! Which instances pass the part of a request that only looks at their records: launch kind,
//! status, agent, attributes and the expressions that do not ask about tasks. Asked once of every
//! instance, and then of those whose records change.

use longshore_model::{Attribute, LaunchKind};

use super::log::Log;
use super::slots::Slots;
use crate::constraint::Constraint;
use crate::filter::Filter;
use crate::place::Request;

/// What a pool asks of an instance's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// First, since they differ most.
    constraints: Vec<Constraint>,
    kind: LaunchKind,
    requires: Vec<Attribute>,
}

impl Question {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let about_records = request.constraints.iter().filter(|it| !it.looks_at_tasks());
        Self {
            kind: request.kind,
            requires: request.requires.to_vec(),
            constraints: about_records.cloned().collect(),
        }
    }
}

/// The slots of the instances that pass.
#[derive(Debug)]
pub(super) struct Pool {
    question: Question,
    /// A bit for each slot.
    words: Vec<u64>,
    /// How much of the log of records it knows.
    seen: u64,
}

impl Pool {
    /// Asks every instance.
    pub(super) fn fill(question: Question, filter: &Filter<'_>, slots: &Slots, log: &Log) -> Self {
        let mut pool = Self { question, words: Vec::new(), seen: log.end() };
        for (slot, candidate) in slots.iter() {
            pool.put(slot, filter.suits(candidate));
        }
        pool
    }

    pub(super) fn asks(&self, question: &Question) -> bool {
        self.question == *question
    }

    /// Asks those whose records changed. Says whether it could: it may have missed too much.
    pub(super) fn catch_up(&mut self, filter: &Filter<'_>, slots: &Slots, log: &Log) -> bool {
        let Some(changed) = log.since(self.seen) else { return false };
        for slot in changed {
            self.put(slot, slots.get(slot).is_some_and(|it| filter.suits(it)));
        }
        self.seen = log.end();
        true
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|it| it & (1 << (slot % 64)) != 0)
    }

    fn put(&mut self, slot: u32, passes: bool) {
        let word = slot as usize / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let bit = 1 << (slot % 64);
        if passes {
            self.words[word] |= bit;
        } else {
            self.words[word] &= !bit;
        }
    }
}
