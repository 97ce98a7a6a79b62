//! RunTask: the control plane chooses the instances.

use std::sync::Arc;

use longshore_model::launch_type::{PlatformVersion, Share, share_out};
use longshore_model::{
    ClientToken, ClusterName, LaunchFailure, LaunchKind, LaunchType, Owner, Timestamp,
};
use longshore_placement::{Constraint, MAX_CONSTRAINTS, Request, Strategy};
use longshore_store::State;

use super::launch::{Failure, FailureReason, Launch, LaunchError, Launched};
use crate::Control;
use crate::clusters;

/// How long a token marks its call, in seconds, unless its tasks are forgotten before.
/// Source: Amazon ECS Developer Guide, ensuring idempotency.
const TOKEN_SECS: i64 = 24 * 3600;

/// On what tasks are to be launched.
#[derive(Clone, Debug)]
pub enum LaunchOn {
    /// All on this.
    Type(LaunchType),
    /// On Fargate, divided among its providers.
    Providers(Vec<Share>, PlatformVersion),
}

impl Default for LaunchOn {
    fn default() -> Self {
        Self::Type(LaunchType::default())
    }
}

impl LaunchOn {
    fn kind(&self) -> LaunchKind {
        match self {
            Self::Type(launch_type) => launch_type.kind(),
            Self::Providers(..) => LaunchKind::Fargate,
        }
    }

    /// What each of so many tasks is launched as.
    fn types(&self, count: u32) -> Vec<LaunchType> {
        match self {
            Self::Type(launch_type) => vec![*launch_type; count as usize],
            Self::Providers(shares, platform_version) => {
                let launch_type = |provider| LaunchType::Fargate {
                    platform_version: *platform_version,
                    capacity_provider: Some(provider),
                };
                share_out(shares, count).into_iter().map(launch_type).collect()
            }
        }
    }
}

/// A RunTask request whose members are valid by themselves.
#[derive(Clone, Debug)]
pub struct RunTask {
    /// What to launch.
    pub launch: Launch,
    /// The caller's mark of the call.
    pub client_token: Option<ClientToken>,
    /// On what.
    pub on: LaunchOn,
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
                if let Some(token) = &request.client_token {
                    let cluster = clusters::active(tx, &request.launch.cluster)?.name.clone();
                    if let Some(launched) = made_before(tx, cluster, token, now, &self.owner)? {
                        return Ok(launched);
                    }
                }
                let mut launch = request.launch.ready(tx)?;
                let kind = request.on.kind();
                launch.check_launch_type(kind)?;
                let mut all_constraints = self.constraints(&launch.definition);
                all_constraints.extend(request.constraints);
                if all_constraints.len() > MAX_CONSTRAINTS {
                    return Err(LaunchError::TooManyConstraints(MAX_CONSTRAINTS));
                }
                let demand = Request {
                    kind,
                    demand: &launch.demand,
                    requires: &launch.requires,
                    group: &launch.group,
                    constraints: &all_constraints,
                    strategies: &request.strategies,
                    count: request.count,
                };
                let seed = ids.next_bits() as u64;
                let placement = self.fleets.place(tx, &launch.cluster, &demand, seed);
                if placement.candidates == 0 {
                    return Err(LaunchError::NoContainerInstances);
                }
                let failures: Vec<Failure> = placement
                    .refused
                    .into_iter()
                    .map(|(container_instance, refusal)| Failure {
                        container_instance,
                        reason: FailureReason::Refused(refusal),
                    })
                    .collect();
                launch.client_token = request
                    .client_token
                    .map(|token| Arc::new(ClientToken { failures: kept(&failures), ..token }));
                let tasks = placement
                    .placed
                    .into_iter()
                    .zip(request.on.types(request.count))
                    .map(|(instance, on)| launch.put_task(tx, instance, on, now, ids))
                    .collect();
                Ok(Launched { cluster: launch.cluster, tasks, failures })
            })
            .await
    }
}

/// The outcome of the same call, when it was made before and its token is still good.
fn made_before(
    state: &State,
    cluster: ClusterName,
    token: &ClientToken,
    now: Timestamp,
    owner: &Owner,
) -> Result<Option<Launched>, LaunchError> {
    let mut tasks = state.tasks_of_token(&cluster, &token.token);
    tasks.retain(|it| it.created_at.plus_secs(TOKEN_SECS) > now);
    let Some(mark) = tasks.first().and_then(|it| it.client_token.clone()) else { return Ok(None) };
    if mark.parameters != token.parameters {
        return Err(LaunchError::TokenConflict(tasks.iter().map(|it| it.arn(owner)).collect()));
    }
    let failure = |it: &LaunchFailure| Failure {
        container_instance: it.container_instance,
        reason: FailureReason::AsBefore(it.reason.clone()),
    };
    let failures = mark.failures.iter().map(failure).collect();
    Ok(Some(Launched { cluster, tasks: tasks.into_iter().map(Arc::clone).collect(), failures }))
}

/// Failures as a token keeps them.
fn kept(failures: &[Failure]) -> Box<[LaunchFailure]> {
    let failure = |it: &Failure| LaunchFailure {
        container_instance: it.container_instance,
        reason: it.reason.as_str().into(),
    };
    failures.iter().map(failure).collect()
}
