//! RunTask.

use std::sync::Arc;

use longshore_control::reference;
use longshore_control::tasks::{Launched, RunTask};
use longshore_wire::ecs::{Failure, RunTaskRequest, RunTaskResponse, Task};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

const MAX_COUNT: u32 = 10;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<RunTaskResponse, Exception> {
    let request: RunTaskRequest = input::read(body)?;
    let client_token = input::client_token(&request)?;
    let on = input::launch_on(
        request.launch_type.as_deref(),
        request.capacity_provider_strategy,
        request.platform_version.as_deref(),
        call,
    )?;
    let tags = input::launch_tags(
        request.tags,
        request.propagate_tags.as_deref(),
        request.enable_ecs_managed_tags,
    )?;
    let launched = call
        .control
        .run_task(RunTask {
            launch: input::launch(
                request.cluster,
                request.task_definition,
                request.overrides,
                request.started_by,
                request.group,
                tags,
                call.owner(),
            )?,
            client_token,
            on,
            count: input::bounded(request.count, 1, MAX_COUNT, "count")?,
            constraints: input::constraints(request.placement_constraints)?,
            strategies: input::strategies(request.placement_strategy)?,
        })
        .await?;
    let (tasks, failures) = render_launched(&launched, call)?;
    Ok(RunTaskResponse { tasks: Some(tasks), failures: Some(failures) })
}

/// The two lists of an answer of RunTask or StartTask.
pub(super) fn render_launched(
    launched: &Launched,
    call: &Call<'_>,
) -> Result<(Vec<Task>, Vec<Failure>), Exception> {
    let state = call.control.view();
    let task = |it: &Arc<longshore_model::Task>| {
        Ok(Task {
            tags: Some(render::tags(&it.tags)).filter(|it| !it.is_empty()),
            ..call.render_task(it, &state)?
        })
    };
    let failure = |it: &longshore_control::tasks::Failure| {
        let (cluster, instance) = (&launched.cluster, it.container_instance);
        let arn = reference::container_instance_arn(&state, cluster, instance, call.owner());
        let detail = it.detail.as_deref().map(Into::into);
        Failure { detail, ..render::failure(arn, it.reason.as_str()) }
    };
    let tasks = launched.tasks.iter().map(task).collect::<Result<_, Exception>>()?;
    Ok((tasks, launched.failures.iter().map(failure).collect()))
}
