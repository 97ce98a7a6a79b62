//! Placement of one call's tasks, one after another.

use std::sync::Arc;

use longshore_model::{Attribute, Demand, InstanceId};

use crate::candidate::Candidate;
use crate::constraint::Constraint;
use crate::filter::{Filter, Refusal};
use crate::random::Random;
use crate::ranking::Ranking;
use crate::strategy::Strategy;

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
/// tasks are alike: when one fits nowhere, neither do the rest, and each instance's reason is given.
///
/// `candidates` are all ACTIVE instances of the cluster: spreading counts tasks also where no more
/// fit. The same arguments give the same placement; `seed` decides between equally good instances.
pub fn place(mut candidates: Vec<Candidate>, request: &Request<'_>, seed: u64) -> Placement {
    let Request { demand, requires, group, constraints, strategies, count } = *request;
    let filter = Filter::new(demand, requires, group, constraints);
    let mut fitting: Vec<usize> =
        (0..candidates.len()).filter(|&at| filter.refusal(&candidates[at]).is_none()).collect();
    let mut ranking = Ranking::new(strategies, &candidates, group);
    let mut random = Random::new(seed);
    let mut placement = Placement::default();
    for number in 0..count {
        let Some(chosen) = random.choose(&ranking.best(&fitting)) else {
            placement.refused = refusals(&candidates, &filter);
            break;
        };
        let candidate = &mut candidates[chosen];
        candidate.take(number, group, demand);
        ranking.take(chosen, candidate, group);
        // The others are as they were, and need not be asked again.
        if filter.refusal(candidate).is_some() {
            fitting.retain(|&at| at != chosen);
        }
        placement.placed.push(candidate.id());
    }
    placement
}

fn refusals(candidates: &[Candidate], filter: &Filter<'_>) -> Vec<(InstanceId, Refusal)> {
    candidates.iter().filter_map(|it| Some((it.id(), filter.refusal(it)?))).collect()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
