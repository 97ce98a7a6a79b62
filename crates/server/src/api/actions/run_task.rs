//! RunTask.

use std::sync::Arc;

use longshore_control::reference;
use longshore_control::tasks::Launched;
use longshore_wire::ecs::{Failure, RunTaskRequest, RunTaskResponse, Task};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

/// The most tasks of one call. Source: Amazon ECS API Reference, RunTask.
const MAX_COUNT: u32 = 10;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<RunTaskResponse, Exception> {
    let request: RunTaskRequest = input::read(body)?;
    let request = input::run_task(request, MAX_COUNT, call.owner(), call.control.has_fargate())?;
    let launched = call.control.run_task(request).await?;
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
