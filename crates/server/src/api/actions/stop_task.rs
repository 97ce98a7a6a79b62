//! StopTask.

use longshore_control::reference;
use longshore_control::tasks::StopTask;
use longshore_wire::ecs::{StopTaskRequest, StopTaskResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

const MAX_REASON: usize = 255;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<StopTaskResponse, Exception> {
    let request: StopTaskRequest = input::read(body)?;
    let cluster = reference::cluster(request.cluster.as_deref(), call.owner())?;
    let task = input::required(request.task, "Task")?;
    let task = reference::task(&task, &cluster, call.owner())?;
    let reason = request.reason.filter(|it| !it.is_empty());
    if reason.as_ref().is_some_and(|it| it.chars().count() > MAX_REASON) {
        return Err(Exception::invalid("reason longer than 255."));
    }
    let stopped = call.control.stop_task(StopTask { cluster, task, reason }).await?;
    let shown = call.render_task(&stopped, &call.control.view())?;
    Ok(StopTaskResponse { task: Some(shown) })
}
