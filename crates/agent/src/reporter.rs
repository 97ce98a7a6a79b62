//! SubmitTaskStateChange, until the control plane accepts it.
//!
//! A task's next report waits for the one before (the engine sees to that), so reports of one
//! task stay in order while those of others overtake it.

use std::sync::Arc;
use std::time::Duration;

use longshore_client::Client;
use longshore_model::{LastStatus, NetworkBinding, Timestamp};
use longshore_wire::ecs;
use tokio::sync::{Semaphore, watch};
use tracing::warn;

use crate::backoff::Backoff;
use crate::engine::{ContainerReport, Report};

/// Calls at a time, over all tasks.
const AT_ONCE: usize = 32;
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// Sends reports for all tasks.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    api: Client,
    cluster: String,
    permits: Arc<Semaphore>,
    /// Changes when the control plane is reached anew: a good moment for another attempt.
    connections: watch::Receiver<u64>,
}

impl Reporter {
    pub(crate) fn new(api: Client, cluster: String, connections: watch::Receiver<u64>) -> Self {
        Self { api, cluster, permits: Arc::new(Semaphore::new(AT_ONCE)), connections }
    }

    /// Returns once the report is accepted, and not before.
    pub(crate) async fn submit(&self, task_arn: &str, task_id: &str, report: Report) {
        let request = submission(&self.cluster, task_arn, report);
        let mut backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY, 1.3);
        let mut connections = self.connections.clone();
        loop {
            connections.mark_unchanged();
            let attempt = {
                let _permit = self.permits.acquire().await;
                self.api.call(&request).await
            };
            match attempt {
                Ok(_) => return,
                Err(error) => {
                    warn!(task = task_id, %error, "the report was not accepted: trying again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.delay()) => {}
                Ok(()) = connections.changed() => {}
            }
        }
    }
}

/// The request that tells the control plane of a report.
pub fn submission(
    cluster: &str,
    task_arn: &str,
    report: Report,
) -> ecs::SubmitTaskStateChangeRequest {
    ecs::SubmitTaskStateChangeRequest {
        cluster: Some(cluster.to_owned()),
        task: Some(task_arn.to_owned()),
        status: Some(report.status.as_str().to_owned()),
        reason: Some(report.reason.unwrap_or_default()),
        containers: Some(report.containers.into_iter().map(container).collect()),
        pull_started_at: report.pull_started_at.map(timestamp),
        pull_stopped_at: report.pull_stopped_at.map(timestamp),
        execution_stopped_at: report.execution_stopped_at.map(timestamp),
    }
}

fn container(report: ContainerReport) -> ecs::ContainerStateChange {
    let bindings = report.network_bindings.into_iter().map(binding).collect();
    ecs::ContainerStateChange {
        container_name: Some(report.name),
        image_digest: report.image_digest,
        runtime_id: report.runtime_id,
        exit_code: report.exit_code.filter(|_| report.status == LastStatus::Stopped),
        network_bindings: Some(bindings),
        reason: report.reason.map(|it| it.as_str().to_owned()),
        status: Some(report.status.as_str().to_owned()),
        health_status: report.health.map(|it| it.as_str().to_owned()),
        health_status_since: report.health_since.map(timestamp),
    }
}

fn binding(binding: NetworkBinding) -> ecs::NetworkBinding {
    ecs::NetworkBinding {
        bind_ip: Some(binding.bind_ip.into()),
        container_port: Some(binding.container_port.into()),
        host_port: Some(binding.host_port.into()),
        protocol: Some(binding.protocol.as_str().to_owned()),
    }
}

fn timestamp(at: Timestamp) -> longshore_wire::Timestamp {
    longshore_wire::Timestamp::from_millis(at.millis())
}
