//! Getting an image from its registry.

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use tokio::time::timeout;

use tracing::warn;

use super::daemon::{Answer, Daemon, answer};
use crate::backoff::Backoff;
use crate::engine::{Failure, Reason, RegistryLogin};

const TIME_LIMIT: Duration = Duration::from_secs(2 * 3600);
/// Between two signs of progress.
const SILENCE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// How often it is tried where the network is to blame, and how far apart: about 13 s in all, as with
/// the official agent.
const ATTEMPTS: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(6);

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
        timeout(TIME_LIMIT, self.pull_patiently(image, login)).await.unwrap_or_else(|_| {
            let text = "Could not transition to pulled; timed out after waiting 2h0m0s";
            Err(Failure::DockerTimeout.because(text))
        })
    }

    async fn pull_patiently(
        &self,
        image: &str,
        login: Option<&RegistryLogin>,
    ) -> Result<(), Reason> {
        let mut backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY, 1.8);
        let mut attempts = 1;
        loop {
            let text = match self.pull_once(image, login).await {
                Ok(()) => return Ok(()),
                Err(Refused::ByDocker(text)) => text,
                Err(Refused::ByUs(reason)) => return Err(reason),
            };
            if attempts == ATTEMPTS || !may_pass(&text) {
                return Err(Failure::CannotPullContainer.because(text));
            }
            warn!(image, error = text, attempts, "the registry cannot be reached: trying again");
            attempts += 1;
            tokio::time::sleep(backoff.delay()).await;
        }
    }

    async fn pull_once(&self, image: &str, login: Option<&RegistryLogin>) -> Result<(), Refused> {
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
                    return Err(Refused::ByUs(Failure::DockerTimeout.because(text)));
                };
                let Some(news) = news else { return Ok(()) };
                match answer(news) {
                    Answer::Done(news) => {
                        if let Some(text) = news.error_detail.and_then(|it| it.message) {
                            return Err(Refused::ByDocker(text));
                        }
                    }
                    Answer::Refused(refusal) => {
                        return Err(Refused::ByDocker(refusal.text));
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

/// Why a pull came to nothing.
enum Refused {
    /// In its words.
    ByDocker(String),
    /// It took too long.
    ByUs(Reason),
}

/// Whether it is the network or the registry's health that is to blame, by Docker's words for it.
fn may_pass(text: &str) -> bool {
    const FINAL: [&str; 5] =
        ["manifest unknown", "denied", "unauthorized", "not found", "invalid reference"];
    const PASSING: [&str; 14] = [
        "connection refused",
        "connection reset",
        "broken pipe",
        "network is unreachable",
        "no route to host",
        "no such host",
        "temporary failure",
        "server misbehaving",
        "timeout",
        "deadline exceeded",
        "request canceled",
        "eof",
        "unexpected http status: 5",
        "service unavailable",
    ];
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|it| text.contains(it));
    !has(&FINAL) && has(&PASSING)
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
    fn what_the_network_is_to_blame_for_may_pass() {
        for text in [
            "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
            "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on \
             [::1]:53: read udp [::1]:5->[::1]:53: read: connection refused",
            "Get \"https://x/v2/\": net/http: TLS handshake timeout",
            "Head \"http://x/v2/a/manifests/1\": EOF",
            "received unexpected HTTP status: 503 Service Unavailable",
        ] {
            assert!(may_pass(text), "{text}");
        }
        for text in [
            "manifest for 127.0.0.1:5000/timeout:1 not found: manifest unknown: manifest unknown",
            "pull access denied for x, repository does not exist or may require 'docker login'",
            "Head \"http://x/v2/a/manifests/1\": no basic auth credentials",
            "x509: certificate signed by unknown authority",
        ] {
            assert!(!may_pass(text), "{text}");
        }
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
