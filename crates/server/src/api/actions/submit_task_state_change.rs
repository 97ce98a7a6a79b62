//! SubmitTaskStateChange: what an agent says is acknowledged, known or not, for it would ask again
//! for ever.

use longshore_control::reference;
use longshore_control::tasks::{ContainerReport, TaskReport};
use longshore_model::container_definition::Protocol;
use longshore_model::{HealthStatus, LastStatus, NetworkBinding, Timestamp};
use longshore_wire::ecs::{
    self, ContainerStateChange, SubmitTaskStateChangeRequest, SubmitTaskStateChangeResponse,
};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

/// The word that says a report was taken in.
const ACKNOWLEDGMENT: &str = "ACCEPT";

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<SubmitTaskStateChangeResponse, Exception> {
    let request: SubmitTaskStateChangeRequest = input::read_report(body)?;
    let containers = request.containers.unwrap_or_default().into_iter();
    let at = |it: longshore_wire::Timestamp| Timestamp::from_millis(it.millis());
    let submission = Submission {
        cluster: request.cluster,
        task: request.task,
        status: parse_status(request.status.as_deref()),
        reason: request.reason,
        containers: containers.filter_map(parse_container).collect(),
        pull_started_at: request.pull_started_at.map(at),
        pull_stopped_at: request.pull_stopped_at.map(at),
        execution_stopped_at: request.execution_stopped_at.map(at),
    };
    let acknowledgment = Some(submission.record(call).await?);
    Ok(SubmitTaskStateChangeResponse { acknowledgment })
}

/// A report whose task may turn out to be none of ours.
pub(super) struct Submission {
    pub(super) cluster: Option<String>,
    pub(super) task: Option<String>,
    pub(super) status: Option<LastStatus>,
    pub(super) reason: Option<String>,
    pub(super) containers: Vec<ContainerReport>,
    pub(super) pull_started_at: Option<Timestamp>,
    pub(super) pull_stopped_at: Option<Timestamp>,
    pub(super) execution_stopped_at: Option<Timestamp>,
}

impl Submission {
    pub(super) async fn record(self, call: &Call<'_>) -> Result<String, Exception> {
        let owner = call.owner();
        let text = self.task.unwrap_or_default();
        let named = reference::cluster(self.cluster.as_deref(), owner)
            .and_then(|cluster| Ok((reference::task(&text, &cluster, owner)?, cluster)));
        let known = match named {
            Ok((task, cluster)) => {
                let report = TaskReport {
                    cluster,
                    task,
                    status: self.status,
                    reason: self.reason,
                    containers: self.containers,
                    pull_started_at: self.pull_started_at,
                    pull_stopped_at: self.pull_stopped_at,
                    execution_stopped_at: self.execution_stopped_at,
                };
                call.control.record_report(report).await?
            }
            Err(_) => false,
        };
        if !known {
            tracing::warn!(task = %text, "an agent reports a task that is not known; acknowledged");
        }
        Ok(ACKNOWLEDGMENT.into())
    }
}

/// `None` for one that is not known, of which nothing follows.
pub(super) fn parse_status(text: Option<&str>) -> Option<LastStatus> {
    let status = text.and_then(LastStatus::parse);
    if status.is_none() {
        let text: String = text.unwrap_or_default().chars().take(32).collect();
        tracing::warn!(status = text, "an agent reports a status that is not known; passed over");
    }
    status
}

/// `None` for a container whose name can be none of ours, or whose status makes no sense.
fn parse_container(sent: ContainerStateChange) -> Option<ContainerReport> {
    Some(ContainerReport {
        name: sent.container_name.unwrap_or_default().parse().ok()?,
        status: parse_status(sent.status.as_deref())?,
        exit_code: sent.exit_code,
        reason: sent.reason,
        network_bindings: parse_bindings(sent.network_bindings),
        runtime_id: sent.runtime_id,
        image_digest: sent.image_digest,
        health: sent.health_status.as_deref().and_then(HealthStatus::parse),
        health_since: sent.health_status_since.map(|it| Timestamp::from_millis(it.millis())),
    })
}

/// The bindings that make sense.
pub(super) fn parse_bindings(sent: Option<Vec<ecs::NetworkBinding>>) -> Vec<NetworkBinding> {
    let parse = |it: ecs::NetworkBinding| {
        Some(NetworkBinding {
            bind_ip: it.bind_ip.unwrap_or_else(|| "0.0.0.0".into()).into(),
            container_port: it.container_port?.try_into().ok()?,
            host_port: it.host_port?.try_into().ok()?,
            protocol: Protocol::parse(it.protocol.as_deref().unwrap_or("tcp"))?,
        })
    };
    sent.unwrap_or_default().into_iter().filter_map(parse).collect()
}
