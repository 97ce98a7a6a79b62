//! RunTask's request, as RunTask and `explain` read it.

use longshore_control::tasks::RunTask;
use longshore_model::Owner;
use longshore_wire::ecs;

use super::{bounded, client_token, constraints, launch, launch_on, launch_tags, strategies};
use crate::api::exception::Exception;

/// The request of a call that may ask for so many tasks.
pub(crate) fn run_task(
    request: ecs::RunTaskRequest,
    max_count: u32,
    owner: &Owner,
    has_fargate: bool,
) -> Result<RunTask, Exception> {
    let client_token = client_token(&request)?;
    let on = launch_on(
        request.launch_type.as_deref(),
        request.capacity_provider_strategy,
        request.platform_version.as_deref(),
        has_fargate,
    )?;
    let tags = launch_tags(
        request.tags,
        request.propagate_tags.as_deref(),
        request.enable_ecs_managed_tags,
    )?;
    Ok(RunTask {
        launch: launch(
            request.cluster,
            request.task_definition,
            request.overrides,
            request.started_by,
            request.group,
            tags,
            owner,
        )?,
        client_token,
        on,
        count: bounded(request.count, 1, max_count, "count")?,
        constraints: constraints(request.placement_constraints)?,
        strategies: strategies(request.placement_strategy)?,
    })
}
