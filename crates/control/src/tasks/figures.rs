//! Why a call could not place all its tasks: the figures behind each refusal.
//!
//! They are worked out from the state before the call, once its transaction is over: in a cluster
//! of thousands that takes longer than the placement, and no other caller should wait for it. Only
//! those that a `clientToken` keeps are worked out in it.

use std::sync::Arc;

use longshore_model::{Attribute, Demand, InstanceId};
use longshore_placement::{Candidate, Constraint, Filter};
use longshore_store::State;

use super::launch::Failure;
use crate::container_instances;

/// What a call asked for, and what there was.
pub(super) struct Figures {
    /// The state before the call.
    pub(super) before: State,
    pub(super) demand: Demand,
    pub(super) requires: Vec<Attribute>,
    pub(super) group: Arc<str>,
    pub(super) constraints: Vec<Constraint>,
    /// Where the tasks went that could be placed, which come before the one that could not.
    pub(super) placed: Vec<InstanceId>,
}

impl Figures {
    /// Puts the figures into the failures that lack them.
    pub(super) fn detail<'a>(&self, failures: impl Iterator<Item = &'a mut Failure>) {
        let filter = Filter::new(&self.demand, &self.requires, &self.group, &self.constraints);
        for failure in failures.filter(|it| it.detail.is_none()) {
            let candidate = self.candidate(failure.container_instance);
            failure.detail = candidate.and_then(|it| filter.detail(&it)).map(Into::into);
        }
    }

    /// An instance as the task found it that was refused.
    fn candidate(&self, id: InstanceId) -> Option<Candidate> {
        let instance = self.before.instance(id)?;
        let mut candidate = container_instances::candidate(&self.before, instance);
        for (number, _) in (0..).zip(self.placed.iter().filter(|it| **it == id)) {
            candidate.take(number, &self.group, &self.demand);
        }
        Some(candidate)
    }
}
