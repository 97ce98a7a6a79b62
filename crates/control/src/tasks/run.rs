//! RunTask: the control plane chooses the instances.

use std::sync::Arc;

use longshore_model::{ClientToken, ClusterName, InstanceStatus};
use longshore_placement::{Candidate, Constraint, MAX_CONSTRAINTS, Request, Strategy, place};
use longshore_store::State;

use super::launch::{Failure, FailureReason, Launch, LaunchError, Launched};
use crate::Control;
use crate::clusters;
use crate::task_definitions::constraints;

/// A RunTask request whose members are valid by themselves.
#[derive(Clone, Debug)]
pub struct RunTask {
    /// What to launch.
    pub launch: Launch,
    /// The caller's mark of the call.
    pub client_token: Option<ClientToken>,
    /// How many; 1 to 10.
    pub count: u32,
    /// The caller's constraints; the definition's are added.
    pub constraints: Vec<Constraint>,
    /// How to choose among the instances that can take a task; empty means at random.
    pub strategies: Vec<Strategy>,
}

impl Control {
    /// RunTask. Placement and insertion are one transaction, so two callers never take the same
    /// memory; what cannot be placed is a failure in a successful answer.
    pub async fn run_task(&self, request: RunTask) -> Result<Launched, LaunchError> {
        let now = self.now();
        let ids = &*self.ids;
        self.store
            .update(|tx| {
                clusters::active(tx, &request.launch.cluster)?;
                if let Some(token) = &request.client_token
                    && let Some(launched) = made_before(tx, &request.launch.cluster, token)?
                {
                    return Ok(launched);
                }
                let mut launch = request.launch.ready(tx)?;
                launch.client_token = request.client_token.map(Arc::new);
                let mut all_constraints = constraints(&launch.definition);
                all_constraints.extend(request.constraints);
                if all_constraints.len() > MAX_CONSTRAINTS {
                    return Err(LaunchError::TooManyConstraints(MAX_CONSTRAINTS));
                }
                let candidates = candidates(tx, &launch.cluster);
                if candidates.is_empty() {
                    return Err(LaunchError::NoContainerInstances);
                }
                let demand = Request {
                    demand: &launch.demand,
                    requires: &launch.requires,
                    group: &launch.group,
                    constraints: &all_constraints,
                    strategies: &request.strategies,
                    count: request.count,
                };
                let seed = ids.next_bits() as u64;
                let placement = place(candidates, &demand, seed);
                let tasks = placement
                    .placed
                    .into_iter()
                    .map(|instance| launch.put_task(tx, instance, now, ids))
                    .collect();
                let failures = placement
                    .refused
                    .into_iter()
                    .map(|(container_instance, refusal)| Failure {
                        container_instance,
                        reason: FailureReason::Refused(refusal),
                    })
                    .collect();
                let (cluster, definition) = (launch.cluster, launch.definition);
                Ok(Launched { cluster, tasks, definition, failures })
            })
            .await
    }
}

/// What the same call came to when it was made before: the same tasks, also where its definition
/// was deregistered since.
fn made_before(
    state: &State,
    cluster: &ClusterName,
    token: &ClientToken,
) -> Result<Option<Launched>, LaunchError> {
    let tasks = state.tasks_of_token(cluster, &token.token);
    let made_from = tasks.first().and_then(|it| state.definition(&it.definition));
    let Some(definition) = made_from.map(Arc::clone) else { return Ok(None) };
    if tasks.iter().any(|it| it.client_token.as_deref() != Some(token)) {
        return Err(LaunchError::TokenConflict);
    }
    Ok(Some(Launched {
        cluster: cluster.clone(),
        tasks: tasks.into_iter().map(Arc::clone).collect(),
        definition,
        failures: Vec::new(),
    }))
}

/// The ACTIVE instances of a cluster.
fn candidates(state: &State, cluster: &ClusterName) -> Vec<Candidate> {
    state
        .instances(cluster)
        .filter(|it| it.status == InstanceStatus::Active)
        .map(|it| Candidate { instance: Arc::clone(it), occupancy: state.occupancy(it.id) })
        .collect()
}
