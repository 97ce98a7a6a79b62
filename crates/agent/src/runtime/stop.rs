//! Stopping a container.

use std::time::Duration;

use bollard::query_parameters::StopContainerOptions;
use tracing::warn;

use super::daemon::{Answer, Daemon, answer};

const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

impl Daemon {
    /// Sends the container its stop signal and, after `grace`, SIGKILL. Asks again until Docker
    /// says that it is done; the exit itself is seen by whoever waits for it.
    pub(crate) async fn stop(&self, docker_id: &str, grace: Duration) {
        let grace_secs = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let mut delay = FIRST_DELAY;
        loop {
            let options = StopContainerOptions { t: Some(grace_secs), ..Default::default() };
            match answer(self.patient.stop_container(docker_id, Some(options)).await) {
                Answer::Done(()) => return,
                Answer::Refused(refusal) if matches!(refusal.status, 304 | 404) => return,
                Answer::Refused(refusal) => {
                    warn!(container = docker_id, error = refusal.text, "cannot stop: trying again");
                    tokio::time::sleep(delay).await;
                    delay = (delay * 2).min(LONGEST_DELAY);
                }
                Answer::Away => self.back().await,
            }
        }
    }
}
