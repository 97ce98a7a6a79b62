//! SubmitContainerStateChange: how agents before 1.14.4 report a container.

use longshore_control::tasks::ContainerReport;
use longshore_wire::ecs::{SubmitContainerStateChangeRequest, SubmitContainerStateChangeResponse};

use super::submit_task_state_change::{Submission, parse_bindings, parse_status};
use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<SubmitContainerStateChangeResponse, Exception> {
    let request: SubmitContainerStateChangeRequest = input::read_report(body)?;
    let status = parse_status(request.status.as_deref());
    let name = request.container_name.unwrap_or_default().parse().ok();
    let container = name.zip(status).map(|(name, status)| ContainerReport {
        name,
        status,
        exit_code: request.exit_code,
        reason: request.reason,
        network_bindings: parse_bindings(request.network_bindings),
        runtime_id: request.runtime_id,
        image_digest: None,
        health: None,
        health_since: None,
    });
    let submission = Submission {
        cluster: request.cluster,
        task: request.task,
        status: None,
        reason: None,
        containers: container.into_iter().collect(),
        pull_started_at: None,
        pull_stopped_at: None,
        execution_stopped_at: None,
    };
    let acknowledgment = Some(submission.record(call).await?);
    Ok(SubmitContainerStateChangeResponse { acknowledgment })
}
