//! RunTask: the control plane chooses the instances.

use std::sync::Arc;

use longshore_model::launch_type::{PlatformVersion, Share, share_out};
use longshore_model::{
    ClientToken, ClusterName, LaunchFailure, LaunchKind, LaunchType, Owner, TaskDefinition,
    Timestamp, Unplaced,
};
use longshore_placement::{Constraint, Strategy};
use longshore_store::{State, Tx};

use super::figures::Figures;
use super::launch::{Failure, FailureReason, Launch, LaunchError, Launched, Ready};
use crate::Control;
use crate::clusters;
use crate::placement_failures::{self, Recorded};

/// How long a token marks its call, in seconds, unless its tasks are forgotten before.
/// Source: Amazon ECS Developer Guide, ensuring idempotency.
const TOKEN_SECS: i64 = 24 * 3600;

/// For how many failures a token keeps the figures too.
const KEPT_DETAILS: usize = 20;

/// On what tasks are to be launched.
#[derive(Clone, Debug, Default)]
pub enum LaunchOn {
    /// On whichever of the instances that the definition is for; each task is then launched as what
    /// its instance is. In ECS this is EC2, which machines outside of AWS would never serve.
    #[default]
    Any,
    /// All on this.
    Type(LaunchType),
    /// On Fargate, divided among its providers.
    Providers(Vec<Share>, PlatformVersion),
}

impl LaunchOn {
    /// What instances must serve, if anything.
    pub(super) fn kind(&self, definition: &TaskDefinition) -> Option<LaunchKind> {
        match self {
            Self::Any => definition.instance_kind(),
            Self::Type(launch_type) => Some(launch_type.kind()),
            Self::Providers(..) => Some(LaunchKind::Fargate),
        }
    }

    /// What each of so many tasks is launched as; `None` where its instance says it.
    fn types(&self, count: u32) -> Vec<Option<LaunchType>> {
        match self {
            Self::Any => vec![None; count as usize],
            Self::Type(launch_type) => vec![Some(*launch_type); count as usize],
            Self::Providers(shares, platform_version) => {
                let launch_type = |provider| LaunchType::Fargate {
                    platform_version: *platform_version,
                    capacity_provider: Some(provider),
                };
                share_out(shares, count).into_iter().map(launch_type).map(Some).collect()
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
    /// How many; 1 to 10, and more to have it explained.
    pub count: u32,
    /// The caller's constraints; the definition's are added.
    pub constraints: Vec<Constraint>,
    /// How to choose among the instances that can take a task; empty means at random.
    pub strategies: Vec<Strategy>,
}

impl Control {
    /// RunTask. Placement and insertion are one transaction, so two callers never take the same
    /// memory; what cannot be placed is a failure in a successful answer. A call that can place
    /// nothing leaves a record; marked with a token or not, it does so each time that it is made,
    /// for it has no tasks to be known by.
    pub async fn run_task(&self, request: RunTask) -> Result<Launched, LaunchError> {
        let now = self.now();
        let ids = &*self.ids;
        let mut figures = None;
        let outcome = self
            .store
            .update(|tx| {
                if let Some(token) = &request.client_token {
                    let cluster = clusters::active(tx, &request.launch.cluster)?.name.clone();
                    if let Some(launched) = made_before(tx, cluster, token, now, &self.owner)? {
                        return Ok(Outcome::Launched(launched));
                    }
                }
                let mut launch = request.launch.ready(tx)?;
                let kind = request.on.kind(&launch.definition);
                let of_definition = self.constraints(&launch.definition)?;
                let constraints = launch.check(kind, of_definition, request.constraints)?;
                let asked = launch.request(kind, &constraints, &request.strategies, request.count);
                let seed = self.seed();
                let placement = self.fleets.place(tx, &launch.cluster, &asked, seed);
                if placement.candidates == 0 {
                    let unplaced = record(tx, &launch, request.count, &[], now);
                    return Ok(Outcome::NoContainerInstances(unplaced));
                }
                let mut failures: Vec<Failure> = placement
                    .refused
                    .into_iter()
                    .map(|(container_instance, refusal)| Failure {
                        container_instance,
                        reason: FailureReason::Refused(refusal),
                        detail: None,
                    })
                    .collect();
                if !failures.is_empty() {
                    figures = Some(Figures {
                        before: State::clone(tx),
                        demand: launch.demand.clone(),
                        requires: launch.requires.clone(),
                        group: Arc::clone(&launch.group),
                        constraints,
                        placed: placement.placed.clone(),
                    });
                }
                if placement.placed.is_empty() {
                    let unplaced = record(tx, &launch, request.count, &failures, now);
                    let (cluster, tasks) = (launch.cluster, Vec::new());
                    let launched = Launched { cluster, tasks, failures };
                    return Ok(Outcome::Unplaced(launched, unplaced));
                }
                if let Some(figures) = figures.as_ref().filter(|_| request.client_token.is_some()) {
                    figures.detail(failures.iter_mut().take(KEPT_DETAILS));
                }
                let mark = request.client_token.map(Arc::new);
                launch.client_token = mark.as_ref().map(|it| with_failures(it, &failures));
                let places = placement.placed.into_iter().zip(request.on.types(request.count));
                let mut tasks = Vec::new();
                for (instance, on) in places {
                    tasks.push(launch.put_task(tx, instance, on, now, ids));
                    launch.client_token.clone_from(&mark);
                }
                let launched = Launched { cluster: launch.cluster, tasks, failures };
                Ok::<_, LaunchError>(Outcome::Launched(launched))
            })
            .await?;
        let mut launched = outcome.tell()?;
        if let Some(figures) = figures {
            figures.detail(launched.failures.iter_mut());
        }
        Ok(launched)
    }
}

/// What a transaction came to. That nothing could be placed is to be recorded, so even where the
/// caller gets an error for it, the transaction succeeds.
enum Outcome {
    /// Some tasks at least were placed, now or before.
    Launched(Launched),
    /// Each instance refused.
    Unplaced(Launched, NewlyUnplaced),
    /// There was none.
    NoContainerInstances(NewlyUnplaced),
}

/// What could not be placed and in which cluster, unless that was known before.
type NewlyUnplaced = Option<(ClusterName, Unplaced)>;

impl Outcome {
    /// Tells the log what is new in it, and gives what the caller is told.
    fn tell(self) -> Result<Launched, LaunchError> {
        let (answer, news) = match self {
            Self::Launched(launched) => (Ok(launched), None),
            Self::Unplaced(launched, news) => (Ok(launched), news),
            Self::NoContainerInstances(news) => (Err(LaunchError::NoContainerInstances), news),
        };
        if let Some((cluster, unplaced)) = news {
            placement_failures::warn(&cluster, &unplaced);
        }
        answer
    }
}

/// Records that nothing could be placed.
fn record(
    tx: &mut Tx<'_>,
    launch: &Ready,
    asked: u32,
    failures: &[Failure],
    now: Timestamp,
) -> NewlyUnplaced {
    let unplaced = Unplaced {
        definition: launch.definition.key.clone(),
        group: Arc::clone(&launch.group),
        started_by: launch.started_by.as_ref().map(Arc::clone),
        asked,
        reasons: placement_failures::reasons(failures),
    };
    match placement_failures::record(tx, &launch.cluster, unplaced.clone(), now) {
        Recorded::New => Some((launch.cluster.clone(), unplaced)),
        Recorded::Repeated => None,
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
        detail: it.detail.clone(),
    };
    let mut marks = tasks.iter().filter_map(|it| it.client_token.as_ref());
    let marked = marks.find(|it| !it.failures.is_empty());
    let failures = marked.into_iter().flat_map(|it| &it.failures).map(failure).collect();
    Ok(Some(Launched { cluster, tasks: tasks.into_iter().map(Arc::clone).collect(), failures }))
}

/// The mark of one of the call's tasks, which keeps the failures for all: there may be thousands.
fn with_failures(mark: &ClientToken, failures: &[Failure]) -> Arc<ClientToken> {
    let failure = |it: &Failure| LaunchFailure {
        container_instance: it.container_instance,
        reason: it.reason.as_str().into(),
        detail: it.detail.clone(),
    };
    Arc::new(ClientToken { failures: failures.iter().map(failure).collect(), ..mark.clone() })
}
