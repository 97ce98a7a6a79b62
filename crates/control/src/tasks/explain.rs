//! What RunTask would do now, and why it would do no more. Nothing is done: it reads one state.

use std::sync::Arc;

use longshore_model::{ClusterName, ContainerInstance, Demand, Task, TaskDefinition};
use longshore_placement::explain::{Cause, Summary, Tally};
use longshore_placement::{Candidate, Fleet, Port, Queries, Request, spread_over};
use longshore_store::State;

use super::launch::LaunchError;
use super::run::RunTask;
use crate::{container_instances, task_definitions};

/// The most tasks that are named as being in the way of one cause.
const MAX_TASKS: usize = 10;

/// Which of the instances that are out are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Each, with all its causes.
    All,
    /// None: they are only summed up.
    None,
}

/// What RunTask would do.
///
/// What is said of instances that are out, and `suitable`, is as before the first task where each
/// task has its place; where one has none, as it stands then.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// In which cluster.
    pub cluster: ClusterName,
    /// The revision that would be run.
    pub definition: Arc<TaskDefinition>,
    /// The instance of each task that has a place, in the order of the placements.
    pub placed: Vec<Arc<ContainerInstance>>,
    /// The attributes that are spread over.
    pub spread_over: Vec<Arc<str>>,
    /// How many tasks fit nowhere.
    pub unplaced: u32,
    /// How many instances are ACTIVE or DRAINING. Those that were deregistered are none of the
    /// cluster's any more, though they are remembered for a while.
    pub registered: u32,
    /// How many of them could take a task.
    pub suitable: u32,
    /// Why the others cannot; what keeps most out comes first.
    pub reasons: Vec<Reason>,
    /// The instances that lack least; see
    /// [`Summary::nearest`](longshore_placement::explain::Summary::nearest).
    pub nearest: Vec<NearMiss>,
    /// Each instance that is out, in the order of registration, where they are listed.
    pub excluded: Option<Vec<Excluded>>,
}

/// Something that keeps instances out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// See [`Cause::reason`].
    pub reason: &'static str,
    /// How many.
    pub count: u32,
    /// How many of them nothing else keeps out.
    pub alone: u32,
    /// In words, with the figures.
    pub text: String,
}

/// An instance that would fit after some changes.
#[derive(Clone, Debug)]
pub struct NearMiss {
    /// Which.
    pub instance: Arc<ContainerInstance>,
    /// The changes, all of which it takes, and which suffice.
    pub changes: Vec<String>,
    /// The tasks that are in the way; see [`Why::tasks`].
    pub tasks: Vec<Arc<Task>>,
}

/// An instance that is out.
#[derive(Clone, Debug)]
pub struct Excluded {
    /// Which.
    pub instance: Arc<ContainerInstance>,
    /// Everything that keeps it out, in the order of the checks.
    pub causes: Vec<Why>,
}

/// One thing that keeps one instance out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// See [`Cause::reason`].
    pub reason: &'static str,
    /// With the instance's figures.
    pub detail: String,
    /// What would remove it, nothing else changed.
    pub change: String,
    /// Which tasks have the host port, or are of the group that may be there once, or are lost and
    /// take what is lacking, at most ten. Those that this very request would place are not among
    /// them.
    pub tasks: Vec<Arc<Task>>,
}

/// What RunTask would do in this state, whatever the request's `client_token` and tags, and for any
/// `count`. `seed` decides between equally good instances, as each call of RunTask has its own.
///
/// # Errors
/// As RunTask has them, but for [`LaunchError::NoContainerInstances`]: that there are none ACTIVE
/// is an explanation.
pub fn explain(
    state: &State,
    request: RunTask,
    listed: Listed,
    seed: u64,
) -> Result<Explanation, LaunchError> {
    let launch = request.launch.ready(state)?;
    let kind = request.on.kind(&launch.definition);
    let of_definition = task_definitions::constraints(&launch.definition, &mut Queries::default())?;
    let constraints = launch.check(kind, of_definition, request.constraints)?;
    let asked = launch.request(kind, &constraints, &request.strategies, request.count);

    let registered: Vec<Candidate> = container_instances::listed(state, &launch.cluster, None)
        .map(|it| container_instances::candidate(state, it))
        .collect();
    let mut fleet = Fleet::new();
    for candidate in &registered {
        fleet.follow(candidate.id(), Some(candidate.clone()));
    }
    let placed = fleet.place(&asked, seed).placed;
    let unplaced = request.count.saturating_sub(u32::try_from(placed.len()).unwrap_or(u32::MAX));
    let of_moment = match unplaced {
        0 => registered,
        _ => fleet.candidates().cloned().collect(),
    };
    let summary = asked.summary(of_moment.iter());
    let near = summary.nearest.iter().filter_map(|at| of_moment.get(*at));
    Ok(Explanation {
        placed: placed.iter().filter_map(|it| state.instance(*it)).map(Arc::clone).collect(),
        spread_over: spread_over(&request.strategies),
        unplaced,
        registered: summary.instances,
        suitable: summary.suitable,
        reasons: reasons(&asked, &summary),
        nearest: near.map(|it| near_miss(state, &asked, it)).collect(),
        excluded: match listed {
            Listed::None => None,
            Listed::All => {
                let excluded = |it| excluded(state, &asked, it);
                Some(of_moment.iter().filter_map(excluded).collect())
            }
        },
        cluster: launch.cluster.clone(),
        definition: Arc::clone(&launch.definition),
    })
}

/// Only the first says of how many instances it speaks; the others are of as many.
fn reasons(asked: &Request<'_>, summary: &Summary<'_>) -> Vec<Reason> {
    let filter = asked.filter();
    let mut of = Some(summary.instances);
    let reason = |it: &Tally<'_>| Reason {
        reason: it.cause.reason(),
        count: it.count,
        alone: it.alone,
        text: it.text(&filter, of.take()),
    };
    summary.tallies.iter().map(reason).collect()
}

fn near_miss(state: &State, asked: &Request<'_>, candidate: &Candidate) -> NearMiss {
    let (filter, causes) = (asked.filter(), asked.causes(candidate));
    let in_the_way = causes.iter().flat_map(|it| in_the_way(state, it, asked, candidate));
    let mut tasks: Vec<_> = in_the_way.collect();
    tasks.sort_by_key(|it| it.id);
    tasks.dedup_by_key(|it| it.id);
    NearMiss {
        instance: Arc::clone(&candidate.instance),
        tasks,
        changes: filter.changes(&causes, candidate).iter().map(ToString::to_string).collect(),
    }
}

fn excluded(state: &State, asked: &Request<'_>, candidate: &Candidate) -> Option<Excluded> {
    let causes = why(state, asked, candidate);
    let instance = Arc::clone(&candidate.instance);
    (!causes.is_empty()).then_some(Excluded { instance, causes })
}

fn why(state: &State, asked: &Request<'_>, candidate: &Candidate) -> Vec<Why> {
    let filter = asked.filter();
    let why = |it: &Cause<'_>| Why {
        reason: it.reason(),
        detail: filter.describe(it, candidate),
        change: filter.change(it, candidate).to_string(),
        tasks: in_the_way(state, it, asked, candidate),
    };
    asked.causes(candidate).iter().map(why).collect()
}

fn in_the_way(
    state: &State,
    cause: &Cause<'_>,
    asked: &Request<'_>,
    candidate: &Candidate,
) -> Vec<Arc<Task>> {
    let has = |task: &Task, port: &Port| {
        let definition = state.definition(&task.definition);
        let demand = definition.map(|it| Demand::of(it, task.overrides.as_deref()));
        demand.is_some_and(|it| Port::of(&it).any(|it| it == *port))
    };
    let occupancy = &candidate.occupancy;
    let holders = occupancy.tasks.iter().chain(occupancy.at_large.keys());
    let tasks = holders.filter_map(|it| state.task(*it)).map(Arc::clone);
    match cause {
        Cause::Port(port) => tasks.filter(|it| has(it, port)).take(MAX_TASKS).collect(),
        Cause::DistinctInstance => {
            tasks.filter(|it| it.group == *asked.group).take(MAX_TASKS).collect()
        }
        _ => {
            let lost = asked.filter().lost(cause, candidate).into_iter().take(MAX_TASKS);
            lost.filter_map(|it| state.task(it)).map(Arc::clone).collect()
        }
    }
}

#[cfg(test)]
mod tests;
