//! What Docker thinks of a container's health. It runs the checks; we hear of their verdicts.

use std::collections::HashMap;

use bollard::models::{ContainerInspectResponse, HealthStatusEnum};
use bollard::query_parameters::EventsOptions;
use futures_util::StreamExt;
use longshore_model::{HealthStatus, Timestamp};
use tracing::warn;

use super::daemon::Daemon;
use crate::system::now;

/// Between two attempts to look at a container that cannot be inspected.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

impl Daemon {
    /// Waits until Docker thinks otherwise of the container's health than `known`, and gives what
    /// it thinks then. The status is asked for only when an event says that it may have changed.
    pub(crate) async fn health(&self, docker_id: &str, known: HealthStatus) -> HealthStatus {
        loop {
            // Events since then are told again, so none can slip in before we listen.
            let looked_at = now();
            match self.inspect(docker_id).await {
                Ok(Some(container)) => match health_of(&container) {
                    status if status != known => return status,
                    _ => self.health_may_have_changed(docker_id, looked_at).await,
                },
                // Whoever waits for its end is told of that.
                Ok(None) => std::future::pending().await,
                Err(refusal) => {
                    warn!(container = docker_id, error = refusal.text, "cannot inspect");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn health_may_have_changed(&self, docker_id: &str, since: Timestamp) {
        let millis = since.millis();
        let (secs, nanos) = (millis.div_euclid(1000), millis.rem_euclid(1000) * 1_000_000);
        let words = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let options = EventsOptions {
            since: Some(format!("{secs}.{nanos:09}")),
            until: None,
            filters: Some(HashMap::from([
                ("container".to_owned(), words(&[docker_id])),
                ("event".to_owned(), words(&["health_status", "start"])),
            ])),
        };
        let mut events = Box::pin(self.patient.events(Some(options)));
        match events.next().await {
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                tokio::time::sleep(PAUSE).await;
                self.back().await;
            }
        }
    }
}

fn health_of(container: &ContainerInspectResponse) -> HealthStatus {
    let state = container.state.as_ref().filter(|it| it.running == Some(true));
    match state.and_then(|it| it.health.as_ref()?.status) {
        Some(HealthStatusEnum::HEALTHY) => HealthStatus::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => HealthStatus::Unhealthy,
        Some(HealthStatusEnum::STARTING | HealthStatusEnum::NONE | HealthStatusEnum::EMPTY)
        | None => HealthStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(state: &str, expect: HealthStatus) {
        let container = format!(r#"{{"State":{state}}}"#);
        assert_eq!(health_of(&serde_json::from_str(&container).unwrap()), expect, "{state}");
    }

    #[test]
    fn only_a_verdict_on_a_running_container_counts() {
        let running =
            |health: &str| format!(r#"{{"Running":true,"Health":{{"Status":{health}}}}}"#);
        check(&running(r#""healthy""#), HealthStatus::Healthy);
        check(&running(r#""unhealthy""#), HealthStatus::Unhealthy);
        check(&running(r#""starting""#), HealthStatus::Unknown);
        check(&running(r#""none""#), HealthStatus::Unknown);
        check(r#"{"Running":true}"#, HealthStatus::Unknown);
        check(r#"{"Running":false,"Health":{"Status":"healthy"}}"#, HealthStatus::Unknown);
    }
}
