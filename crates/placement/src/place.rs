//! Placement of one call's tasks, one after another.

use std::sync::Arc;

use longshore_model::{
    Attribute, ContainerInstance, Demand, InstanceId, InstanceStatus, LaunchKind,
};

use crate::candidate::Candidate;
use crate::constraint::Constraint;
use crate::filter::{Filter, Refusal};
use crate::random::Random;
use crate::ranking::Ranking;
use crate::strategy::Strategy;

/// What is to be placed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the tasks are launched as: instances that do not serve it are none of the call's. Where
    /// it is `None` all are.
    pub kind: Option<LaunchKind>,
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
    /// How many instances there were to choose from: ACTIVE ones that serve the launch kind, fit or
    /// not. Where it is 0 nothing is placed and nothing refused.
    pub candidates: usize,
    /// An instance for each task that was placed.
    pub placed: Vec<InstanceId>,
    /// Where a task could not be placed: why, for each instance.
    pub refused: Vec<(InstanceId, Refusal)>,
}

impl<'a> Request<'a> {
    /// What an instance must have, if it is asked.
    pub fn filter(&self) -> Filter<'a> {
        Filter::new(self.demand, self.requires, self.group, self.constraints)
    }

    pub(crate) fn concerns(&self, candidate: &Candidate) -> bool {
        is_concerned(&candidate.instance, self.kind)
    }
}

/// Whether an instance is asked at all. One that is not neither fits nor refuses, and its tasks
/// count for nothing.
pub(crate) fn is_concerned(instance: &ContainerInstance, kind: Option<LaunchKind>) -> bool {
    instance.status == InstanceStatus::Active && kind.is_none_or(|it| instance.serves(it))
}

/// Chooses an instance for each task, so that every choice sees what the earlier ones took. The
/// tasks are alike: when one fits nowhere, neither do the rest, and each instance's reason is given.
///
/// It looks at every instance: the plain meaning of a placement, which [`Fleet`](crate::Fleet) must
/// come to as well. The product uses that one; this one says what is right, in tests and figures. `instances` are all of the cluster: spreading counts tasks also where no more
/// fit. The same arguments give the same placement; `seed` decides between equally good instances.
pub fn place(instances: Vec<Candidate>, request: &Request<'_>, seed: u64) -> Placement {
    let Request { demand, group, strategies, count, .. } = *request;
    let mut candidates = instances;
    candidates.retain(|it| request.concerns(it));
    let filter = request.filter();
    let mut fitting: Vec<usize> =
        (0..candidates.len()).filter(|&at| filter.refusal(&candidates[at]).is_none()).collect();
    let mut ranking = Ranking::new(strategies, &candidates, group);
    let mut random = Random::new(seed);
    let mut placement = Placement { candidates: candidates.len(), ..Placement::default() };
    for number in 0..count {
        let Some(chosen) = random.choose(&ranking.best(&fitting)) else {
            placement.refused = refusals(&candidates, &filter);
            break;
        };
        let candidate = &mut candidates[chosen];
        candidate.take(number.into(), group, demand);
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
