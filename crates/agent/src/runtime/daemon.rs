//! The connection to the daemon, and what its silence means.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::ContainerInspectResponse;
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::sync::Mutex;
use tracing::{info, warn};

/// For calls that answer at once.
const SHORT: Duration = Duration::from_secs(60);
/// For calls that answer when something ends: nothing is cut off by it.
const LONG: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// A Docker daemon, which may come and go.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    /// For calls that answer at once.
    pub(super) docker: Docker,
    /// For calls that answer when something ends.
    pub(super) patient: Docker,
    address: String,
    /// Whoever holds it asks whether it is back; others wait, so that its absence is said once.
    asking: Arc<Mutex<()>>,
}

/// What the daemon's answer means to us.
#[derive(Debug)]
pub(super) enum Answer<T> {
    /// It did as asked.
    Done(T),
    /// It refused.
    Refused(Refusal),
    /// It did not answer: whether it did as asked is not known.
    Away,
}

/// A refusal, with the status of HTTP if there is one.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// As ECS shows it.
    pub(super) text: String,
}

impl Daemon {
    /// Reaches for the daemon at `unix:///path`, and waits until its socket
    /// is there: it may just be on its way.
    ///
    /// # Errors
    /// When the address makes no sense.
    pub(crate) async fn reach(address: &str) -> Result<Self, Error> {
        let mut told = false;
        loop {
            match Self::at(address) {
                Err(Error::SocketNotFoundError(path)) => {
                    if !std::mem::replace(&mut told, true) {
                        warn!(path, "the Docker Engine's socket is not there: waiting for it");
                    }
                    tokio::time::sleep(LONGEST_DELAY).await;
                }
                result => return result,
            }
        }
    }

    fn at(address: &str) -> Result<Self, Error> {
        let path = address.strip_prefix("unix://").unwrap_or(address);
        if !path.starts_with('/') {
            return Err(Error::UnsupportedURISchemeError { uri: address.to_owned() });
        }
        let connect = |timeout: Duration| {
            Docker::connect_with_unix(path, timeout.as_secs(), API_DEFAULT_VERSION)
        };
        Ok(Self {
            docker: connect(SHORT)?,
            patient: connect(LONG)?,
            address: address.to_owned(),
            asking: Arc::default(),
        })
    }

    /// Waits until the daemon answers.
    pub(super) async fn back(&self) {
        let _one_at_a_time = self.asking.lock().await;
        let mut delay = FIRST_DELAY;
        let mut told = false;
        while self.docker.ping().await.is_err() {
            if !std::mem::replace(&mut told, true) {
                warn!(
                    docker = %self.address,
                    "the Docker Engine does not answer: waiting for it; nothing can be started or \
                     stopped meanwhile"
                );
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
        if told {
            info!(docker = %self.address, "the Docker Engine answers again");
        }
    }

    /// Looks at a container; `None` if there is none. Waits while the daemon is away.
    pub(super) async fn inspect(
        &self,
        container: &str,
    ) -> Result<Option<ContainerInspectResponse>, Refusal> {
        loop {
            match answer(self.docker.inspect_container(container, None).await) {
                Answer::Done(it) => return Ok(Some(it)),
                Answer::Refused(refusal) if refusal.status == 404 => return Ok(None),
                Answer::Refused(refusal) => return Err(refusal),
                Answer::Away => self.back().await,
            }
        }
    }
}

/// Of all calls of this process, whoever made them.
static FAILED: AtomicU64 = AtomicU64::new(0);
static NO_ANSWER: AtomicU64 = AtomicU64::new(0);

/// How often the daemon failed us since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DockerErrors {
    /// It answered that it cannot. A refusal for what was asked is no failure.
    pub(crate) refused: u64,
    /// It did not answer.
    pub(crate) away: u64,
}

impl Daemon {
    pub(crate) fn errors() -> DockerErrors {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        DockerErrors { refused: read(&FAILED), away: read(&NO_ANSWER) }
    }
}

pub(super) fn answer<T>(result: Result<T, Error>) -> Answer<T> {
    let answer = read(result);
    match &answer {
        Answer::Done(_) | Answer::Refused(Refusal { status: 100..500, .. }) => {}
        Answer::Refused(_) => {
            FAILED.fetch_add(1, Ordering::Relaxed);
        }
        Answer::Away => {
            NO_ANSWER.fetch_add(1, Ordering::Relaxed);
        }
    }
    answer
}

fn read<T>(result: Result<T, Error>) -> Answer<T> {
    match result {
        Ok(it) => Answer::Done(it),
        Err(Error::DockerResponseServerError { status_code, message }) => {
            let text = format!("API error ({status_code}): {}", message.trim());
            Answer::Refused(Refusal { status: status_code, text })
        }
        Err(Error::DockerStreamError { error }) => {
            Answer::Refused(Refusal { status: 0, text: error })
        }
        Err(
            Error::IOError { .. }
            | Error::HyperResponseError { .. }
            | Error::HyperLegacyError { .. }
            | Error::SocketNotFoundError(_)
            | Error::RequestTimeoutError,
        ) => Answer::Away,
        Err(other) => Answer::Refused(Refusal { status: 0, text: other.to_string() }),
    }
}
