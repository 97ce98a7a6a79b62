//! Placement of one call's tasks, one after another.

use std::sync::Arc;

use longshore_model::{Attribute, Demand, InstanceId, TaskId};

use crate::candidate::Candidate;
use crate::constraint::Constraint;
use crate::filter::{Refusal, constraint_refusal, refusal};
use crate::random::Random;
use crate::strategy::{self, Strategy};

/// What is to be placed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What each task takes.
    pub demand: &'a Demand,
    /// Attributes that an instance must have.
    pub requires: &'a [Attribute],
    /// The group that the tasks join.
    pub group: &'a Arc<str>,
    /// Rules that an instance must satisfy, all of them.
    pub constraints: &'a [Constraint],
    /// Orders of preference; none means at random.
    pub strategies: &'a [Strategy],
    /// How many tasks.
    pub count: u32,
}

/// The outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// An instance for each task that was placed.
    pub placed: Vec<InstanceId>,
    /// Where a task could not be placed: why, for each instance.
    pub refused: Vec<(InstanceId, Refusal)>,
}

/// Chooses an instance for each task, so that every choice sees what the earlier ones took. The
/// tasks are alike: when one fits nowhere, so would the rest, and each instance's reason is given.
pub fn place(mut candidates: Vec<Candidate>, request: &Request<'_>, seed: u64) -> Placement {
    let mut random = Random::new(seed);
    let mut placement = Placement::default();
    let mut refusals: Vec<Option<Refusal>> =
        candidates.iter().map(|it| check(it, request)).collect();
    for number in 0..request.count {
        let fitting = (0..candidates.len()).filter(|at| refusals[*at].is_none()).collect();
        let best = strategy::best(&candidates, fitting, request.strategies, request.group);
        let Some(chosen) = random.choose(&best) else {
            let refused = candidates.iter().zip(&refusals);
            placement.refused =
                refused.filter_map(|(it, refusal)| Some((it.instance.id, (*refusal)?))).collect();
            break;
        };
        let candidate = &mut candidates[chosen];
        let stand_in = TaskId::from_bits(number.into());
        Arc::make_mut(&mut candidate.occupancy).enter(stand_in, request.group, request.demand);
        refusals[chosen] = check(candidate, request);
        placement.placed.push(candidate.instance.id);
    }
    placement
}

fn check(candidate: &Candidate, request: &Request<'_>) -> Option<Refusal> {
    refusal(candidate, request.demand, request.requires)
        .or_else(|| constraint_refusal(candidate, request.group, request.constraints))
}

#[cfg(test)]
mod tests;
