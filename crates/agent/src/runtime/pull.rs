//! Getting an image from its registry.

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use tokio::time::timeout;

use super::daemon::{Answer, Daemon, answer};
use crate::engine::{Failure, Reason, RegistryLogin};

const TIME_LIMIT: Duration = Duration::from_secs(2 * 3600);
/// Between two signs of progress.
const SILENCE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// What Docker's own registry is called by those who log in to it.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

impl Daemon {
    /// Pulls the image; begins again if the daemon goes away meanwhile.
    ///
    /// # Errors
    /// The reason for the container that wants the image.
    pub(crate) async fn pull(
        &self,
        image: &str,
        login: Option<&RegistryLogin>,
    ) -> Result<(), Reason> {
        timeout(TIME_LIMIT, self.pull_once(image, login)).await.unwrap_or_else(|_| {
            let text = "Could not transition to pulled; timed out after waiting 2h0m0s";
            Err(Failure::DockerTimeout.because(text))
        })
    }

    async fn pull_once(&self, image: &str, login: Option<&RegistryLogin>) -> Result<(), Reason> {
        let (name, tag) = split_reference(image);
        let credentials = login.map(|login| DockerCredentials {
            username: Some(login.username.clone()),
            password: Some(login.password.0.clone()),
            serveraddress: Some(registry_of(image).to_owned()),
            ..Default::default()
        });
        'attempt: loop {
            let options = CreateImageOptions {
                from_image: Some(name.to_owned()),
                tag: Some(tag.to_owned()),
                ..Default::default()
            };
            let mut progress =
                Box::pin(self.patient.create_image(Some(options), None, credentials.clone()));
            loop {
                let Ok(news) = timeout(SILENCE_LIMIT, progress.next()).await else {
                    let text = "Could not transition to pulled; no progress for 5m0s";
                    return Err(Failure::DockerTimeout.because(text));
                };
                let Some(news) = news else { return Ok(()) };
                match answer(news) {
                    Answer::Done(news) => {
                        if let Some(text) = news.error_detail.and_then(|it| it.message) {
                            return Err(Failure::CannotPullContainer.because(text));
                        }
                    }
                    Answer::Refused(refusal) => {
                        return Err(Failure::CannotPullContainer.because(refusal.text));
                    }
                    Answer::Away => {
                        self.back().await;
                        continue 'attempt;
                    }
                }
            }
        }
    }
}

/// The registry's name, as Docker reads it out of a reference: a first part that looks like a host.
fn registry_of(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => DOCKER_HUB,
    }
}

/// Without a tag Docker would pull every one there is, so `latest` is said aloud.
pub(super) fn split_reference(image: &str) -> (&str, &str) {
    if image.contains('@') {
        return (image, "");
    }
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_first_part_that_looks_like_a_host() {
        assert_eq!(registry_of("busybox"), DOCKER_HUB);
        assert_eq!(registry_of("library/busybox:1"), DOCKER_HUB);
        assert_eq!(registry_of("localhost/a"), "localhost");
        assert_eq!(registry_of("127.0.0.1:5000/a/b:c"), "127.0.0.1:5000");
        assert_eq!(registry_of("registry.example.com/a@sha256:0"), "registry.example.com");
    }

    #[test]
    fn a_reference_is_split_at_its_tag() {
        assert_eq!(split_reference("busybox"), ("busybox", "latest"));
        assert_eq!(split_reference("busybox:1.36"), ("busybox", "1.36"));
        assert_eq!(split_reference("host:5000/busybox"), ("host:5000/busybox", "latest"));
        assert_eq!(split_reference("host:5000/a/b:c"), ("host:5000/a/b", "c"));
        assert_eq!(split_reference("a@sha256:00"), ("a@sha256:00", ""));
        assert_eq!(split_reference(""), ("", "latest"));
    }
}
