//! SubmitTaskStateChange, until the control plane accepts it.
//!
//! A task's next report waits for the one before (the engine sees to that), so reports of one
//! task stay in order while those of others overtake it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// Whether somebody has said that the control plane does not take reports.
    is_away: Arc<AtomicBool>,
}

impl Reporter {
    pub(crate) fn new(api: Client, cluster: String, connections: watch::Receiver<u64>) -> Self {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        Self { api, cluster, permits, connections, is_away: Arc::default() }
    }

    /// Returns once the report is accepted, and not before. That the control plane is away is said
    /// once for all reports, that it refuses one, once of that one.
    pub(crate) async fn submit(&self, task_arn: &str, task_id: &str, report: Report) {
        let mut backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY, 1.3);
        let mut denied = Backoff::of_denied();
        let mut is_told = false;
        let mut connections = self.connections.clone();
        loop {
            connections.mark_unchanged();
            let attempt = {
                let _permit = self.permits.acquire().await;
                // What is known of the clocks may have changed since the attempt before.
                let correction_secs = self.api.clock_correction_secs();
                let request = submission(&self.cluster, task_arn, report.clone(), correction_secs);
                self.api.call(&request).await
            };
            let delay = match attempt {
                Ok(_) => {
                    self.is_away.store(false, Ordering::Relaxed);
                    return;
                }
                Err(error) if error.is_final() => {
                    if !std::mem::replace(&mut is_told, true) {
                        warn!(task = task_id, %error, "the report was refused: trying again seldom");
                    }
                    denied.delay()
                }
                Err(error) => {
                    if !self.is_away.swap(true, Ordering::Relaxed) {
                        warn!(task = task_id, %error, "reports are not accepted: keeping them");
                    }
                    backoff.delay()
                }
            };
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                Ok(()) = connections.changed() => {}
            }
        }
    }
}

/// The request that tells the control plane of a report, its times by the control plane's clock.
pub fn submission(
    cluster: &str,
    task_arn: &str,
    report: Report,
    clock_correction_secs: i64,
) -> ecs::SubmitTaskStateChangeRequest {
    let mut request = ecs::SubmitTaskStateChangeRequest {
        cluster: Some(cluster.to_owned()),
        task: Some(task_arn.to_owned()),
        status: Some(report.status.as_str().to_owned()),
        reason: Some(report.reason.unwrap_or_default()),
        containers: Some(report.containers.into_iter().map(container).collect()),
        pull_started_at: report.pull_started_at.map(timestamp),
        pull_stopped_at: report.pull_stopped_at.map(timestamp),
        execution_stopped_at: report.execution_stopped_at.map(timestamp),
    };
    shift(&mut request, clock_correction_secs.saturating_mul(1000));
    request
}

/// Tells times by the control plane's clock, where this machine's is far from it. Those of health are
/// what puts words about it in order, so they stay this machine's: either clock may be set between
/// two words, and the later one would seem the older.
fn shift(request: &mut ecs::SubmitTaskStateChangeRequest, by_millis: i64) {
    let of_task = [
        &mut request.pull_started_at,
        &mut request.pull_stopped_at,
        &mut request.execution_stopped_at,
    ];
    for at in of_task.into_iter().flatten() {
        *at = longshore_wire::Timestamp::from_millis(at.millis().saturating_add(by_millis));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_the_control_planes_clock() {
        let at = |millis: i64| Some(longshore_wire::Timestamp::from_millis(millis));
        let mut request = ecs::SubmitTaskStateChangeRequest {
            execution_stopped_at: at(5_000),
            containers: Some(vec![ecs::ContainerStateChange {
                health_status_since: at(4_000),
                ..Default::default()
            }]),
            ..Default::default()
        };
        shift(&mut request, -3_600_000);
        assert_eq!(request.execution_stopped_at, at(5_000 - 3_600_000));
        assert_eq!(request.pull_started_at, None);
        let containers = request.containers.unwrap();
        assert_eq!(containers[0].health_status_since, at(4_000), "it puts words in order");
    }
}
