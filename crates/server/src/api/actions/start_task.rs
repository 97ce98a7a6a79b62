//! StartTask.

use longshore_control::tasks::StartTask;
use longshore_wire::ecs::{StartTaskRequest, StartTaskResponse};

use super::run_task::render_launched;
use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

const MAX_INSTANCES: usize = 10;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<StartTaskResponse, Exception> {
    let request: StartTaskRequest = input::read(body)?;
    let tags = input::launch_tags(
        request.tags,
        request.propagate_tags.as_deref(),
        request.enable_ecs_managed_tags,
    )?;
    let launch = input::launch(
        request.cluster,
        request.task_definition,
        request.overrides,
        request.started_by,
        request.group,
        tags,
        call.owner(),
    )?;
    let named = request.container_instances;
    let container_instances =
        input::container_instances(named, MAX_INSTANCES, &launch.cluster, call.owner())?;
    let launched = call.control.start_task(StartTask { launch, container_instances }).await?;
    let (tasks, failures) = render_launched(&launched, call)?;
    Ok(StartTaskResponse { tasks: Some(tasks), failures: Some(failures) })
}
