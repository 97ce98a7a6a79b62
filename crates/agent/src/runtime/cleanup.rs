//! Removing what is left of a stopped task.

use bollard::query_parameters::{RemoveContainerOptions, RemoveVolumeOptions};
use tracing::warn;

use super::daemon::{Answer, Daemon, answer};

impl Daemon {
    /// Removes the containers with their anonymous volumes, then the task's volumes. What Docker
    /// refuses to remove stays, and is logged: nothing of ours depends on it.
    pub(crate) async fn clean_up(&self, containers: &[String], volumes: &[String]) {
        for container in containers {
            loop {
                let options = RemoveContainerOptions { v: true, ..Default::default() };
                let removal = self.docker.remove_container(container, Some(options)).await;
                if self.is_settled(container, answer(removal)).await {
                    break;
                }
            }
        }
        for volume in volumes {
            loop {
                let options = None::<RemoveVolumeOptions>;
                let removal = self.docker.remove_volume(volume, options).await;
                if self.is_settled(volume, answer(removal)).await {
                    break;
                }
            }
        }
    }

    async fn is_settled(&self, name: &str, answer: Answer<()>) -> bool {
        match answer {
            Answer::Done(()) => true,
            Answer::Refused(refusal) => {
                if refusal.status != 404 {
                    warn!(name, error = refusal.text, "cannot remove: leaving it");
                }
                true
            }
            Answer::Away => {
                self.back().await;
                false
            }
        }
    }
}
