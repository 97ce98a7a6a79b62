//! Which instances pass the part of a request that only looks at their records: the agent, the
//! attributes and what expressions do not ask about tasks. Asked once of all, value by value, and
//! then of those whose records change.

use longshore_model::Attribute;

use super::instances::Instances;
use super::view::Rules;
use crate::candidate::Candidate;
use crate::query::{Query, Slots};

/// The slots of the instances that pass.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    /// What is asked beside that the agent is connected. Expressions do not ask about tasks.
    expressions: Vec<Query>,
    requires: Vec<Attribute>,
    slots: Slots,
    /// How much of the log of records it knows.
    seen: u64,
}

impl Pool {
    /// Asks all instances.
    pub(super) fn fill(rules: &Rules, requires: &[Attribute], instances: &Instances) -> Self {
        let mut pool = Self {
            expressions: rules.about_records.clone(),
            requires: requires.to_vec(),
            slots: Slots::default(),
            seen: 0,
        };
        pool.ask_all(instances);
        pool
    }

    /// How many bytes its expressions take.
    pub(super) fn expressions(&self) -> usize {
        self.expressions.iter().map(Query::bytes).sum()
    }

    pub(super) fn asks(&self, rules: &Rules, requires: &[Attribute]) -> bool {
        self.expressions == rules.about_records && self.requires == requires
    }

    pub(super) fn is_current(&self, instances: &Instances) -> bool {
        self.seen == instances.records().end()
    }

    /// Asks those whose records changed, or all if too many may have.
    pub(super) fn catch_up(&mut self, instances: &Instances) {
        match instances.records().since(self.seen) {
            Some(changed) => {
                for slot in changed {
                    let now = instances.roster().get(slot);
                    self.slots.set(slot, now.is_some_and(|it| self.passes(it)));
                }
                self.seen = instances.records().end();
            }
            None => self.ask_all(instances),
        }
    }

    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    fn passes(&self, candidate: &Candidate) -> bool {
        let instance = &candidate.instance;
        instance.agent_connected
            && self.requires.iter().all(|it| it.is_met_by(&instance.attributes))
            && self.expressions.iter().all(|it| it.matches(candidate))
    }

    fn ask_all(&mut self, instances: &Instances) {
        let index = instances.index();
        self.slots = index.connected().clone();
        for required in &self.requires {
            self.slots.keep(&index.meeting(required));
        }
        for expression in &self.expressions {
            let found = index.evaluate(expression);
            self.slots.keep(&found.expect("an expression about records asks about no tasks"));
        }
        self.seen = instances.records().end();
    }
}
