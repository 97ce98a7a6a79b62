//! `explain`: where RunTask would place tasks now, and why nowhere else.

use std::sync::Arc;

use bytes::Bytes;
use longshore_control::Control;
use longshore_control::tasks::{self, Explanation, Listed};
use longshore_model::{ContainerInstance, Owner, Task, Timestamp};
use longshore_store::State;
use longshore_wire::ErrorBody;
use longshore_wire::ecs::{Attribute, RunTaskRequest};
use longshore_wire::own::{
    Cause, Excluded, ExplainRequest, ExplainResponse, NearMiss, PlannedTask, Reason,
};

use crate::api::{Exception, read_whole, run_task, timestamp};

/// The most tasks whose placement is explained at once.
const MAX_COUNT: u32 = 10_000;

/// The control plane whose state is asked.
#[derive(Clone, Debug)]
pub struct Site {
    /// Whose resources there are.
    pub owner: Owner,
    /// Whether FARGATE is mapped to the container instances.
    pub has_fargate: bool,
}

/// Explains over the present state, on a thread where computing disturbs no connection.
pub(super) async fn answer(body: Bytes, control: &Control) -> Result<ExplainResponse, Exception> {
    let control = control.clone();
    let site = Site { owner: control.owner().clone(), has_fargate: control.has_fargate() };
    let explained = tokio::task::spawn_blocking(move || {
        explained(&body, &control.view(), &site, control.now(), control.seed())
    });
    explained.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an explanation came to nothing");
        Err(Exception::server("The explanation came to nothing."))
    })
}

/// Explains over a state that was saved at this time. `seed` decides between equally good instances.
///
/// # Errors
/// What a caller of the API would be answered.
pub fn explain(
    body: &[u8],
    state: &State,
    site: &Site,
    as_of: Timestamp,
    seed: u64,
) -> Result<ExplainResponse, ErrorBody> {
    explained(body, state, site, as_of, seed).map_err(|it| it.body())
}

fn explained(
    body: &[u8],
    state: &State,
    site: &Site,
    as_of: Timestamp,
    seed: u64,
) -> Result<ExplainResponse, Exception> {
    let request: ExplainRequest = read_whole(body)?;
    let listed = parse_listed(request.instances.as_deref())?;
    let request = RunTaskRequest {
        cluster: request.cluster,
        task_definition: request.task_definition,
        overrides: request.overrides,
        count: request.count,
        group: request.group,
        placement_constraints: request.placement_constraints,
        placement_strategy: request.placement_strategy,
        launch_type: request.launch_type,
        capacity_provider_strategy: request.capacity_provider_strategy,
        platform_version: request.platform_version,
        ..RunTaskRequest::default()
    };
    let request = run_task(request, MAX_COUNT, &site.owner, site.has_fargate)?;
    let count = request.count;
    let explanation = tasks::explain(state, request, listed, seed)?;
    Ok(render(explanation, count, &site.owner, as_of))
}

fn parse_listed(text: Option<&str>) -> Result<Listed, Exception> {
    match text {
        None | Some("all") => Ok(Listed::All),
        Some("none") => Ok(Listed::None),
        Some(_) => Err(Exception::invalid("instances should be one of [all,none]")),
    }
}

fn render(it: Explanation, count: u32, owner: &Owner, as_of: Timestamp) -> ExplainResponse {
    let placement = |instance: &ContainerInstance| {
        let attribute = |name: &Arc<str>| {
            let value = instance.attribute(name)?;
            let (name, value) = (Some(name.to_string()), Some(value.into()));
            Some(Attribute { name, value, ..Attribute::default() })
        };
        let attributes: Vec<_> = it.spread_over.iter().filter_map(attribute).collect();
        PlannedTask {
            container_instance_arn: Some(instance.arn(owner)),
            ec2_instance_id: instance.ec2_instance_id.clone(),
            attributes: Some(attributes).filter(|it| !it.is_empty()),
        }
    };
    let reason = |it: tasks::Reason| Reason {
        reason: Some(it.reason.into()),
        count: Some(number(it.count)),
        alone: Some(number(it.alone)),
        text: Some(it.text),
    };
    let tasks = |all: &[Arc<Task>]| {
        let arns: Vec<_> = all.iter().map(|it| it.arn(owner)).collect();
        Some(arns).filter(|it| !it.is_empty())
    };
    let near_miss = |it: tasks::NearMiss| NearMiss {
        task_arns: tasks(&it.tasks),
        container_instance_arn: Some(it.instance.arn(owner)),
        ec2_instance_id: it.instance.ec2_instance_id.clone(),
        changes: Some(it.changes),
    };
    let cause = |it: tasks::Why| Cause {
        task_arns: tasks(&it.tasks),
        reason: Some(it.reason.into()),
        detail: Some(it.detail),
        change: Some(it.change),
    };
    let excluded = |it: tasks::Excluded| Excluded {
        container_instance_arn: Some(it.instance.arn(owner)),
        ec2_instance_id: it.instance.ec2_instance_id.clone(),
        causes: Some(it.causes.into_iter().map(cause).collect()),
    };
    ExplainResponse {
        cluster: Some(owner.cluster_arn(&it.cluster)),
        task_definition: Some(owner.task_definition_arn(&it.definition.key)),
        count: Some(number(count)),
        as_of: Some(timestamp(as_of)),
        placements: Some(it.placed.iter().map(|it| placement(it)).collect()),
        unplaced: Some(number(it.unplaced)),
        registered: Some(number(it.registered)),
        suitable: Some(number(it.suitable)),
        reasons: Some(it.reasons.into_iter().map(reason).collect()),
        nearest: Some(it.nearest.into_iter().map(near_miss).collect()),
        excluded: it.excluded.map(|all| all.into_iter().map(excluded).collect()),
    }
}

/// Counts are of tasks and instances, of which there are fewer.
fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
