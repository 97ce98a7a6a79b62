//! Docker as those see it who only look: one attempt each, bounded, and nothing is changed.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{
    ContainerInspectResponse, ContainerStatsResponse, ContainerSummary, EndpointSettings,
};
use bollard::query_parameters::{ListContainersOptions, StatsOptions};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::body::INSTANCE_LABEL;
use super::daemon::{Answer, Daemon, answer};

const LIMIT: Duration = Duration::from_secs(5);

/// What Docker calls the network of containers that ask for none.
const DEFAULT_NETWORK: &str = "bridge";
/// What Docker says of an instant that there was not.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Why there is nothing to see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookError {
    #[error("there is no such container in Docker")]
    NoSuchContainer,
    #[error("the container does not run")]
    NotRunning,
    #[error("{0}")]
    Refused(String),
    #[error("the Docker Engine does not answer")]
    Away,
}

/// A container as Docker has it. Instants are RFC 3339.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sight {
    pub(crate) image_id: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) started_at: Option<String>,
    pub(crate) finished_at: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) log_driver: Option<String>,
    /// Secrets among them.
    pub(crate) log_options: BTreeMap<String, String>,
    pub(crate) networks: Vec<Network>,
    pub(crate) mounts: Vec<Mount>,
    /// What its latest health check said: exit code and output.
    pub(crate) health_check: Option<(i64, String)>,
}

/// A network that a container is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// Such as `bridge`, `host`, or a network's name.
    pub(crate) mode: String,
    pub(crate) ipv4: Option<String>,
    pub(crate) ipv6: Option<String>,
}

/// A place in a container that is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) docker_name: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) destination: Option<String>,
}

/// What Docker puts beside the CPU time that a container has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Nothing.
    WithNothing,
    /// What it had used a second before, for which Docker waits.
    WithASecondBefore,
}

impl Sight {
    /// Whether the container is known by this address in one of its networks.
    pub(crate) fn has_address(&self, address: &str) -> bool {
        let is_it = |it: &Option<String>| it.as_deref() == Some(address);
        self.networks.iter().any(|it| is_it(&it.ipv4) || is_it(&it.ipv6))
    }
}

impl Daemon {
    /// Looks at one container.
    pub(crate) async fn look(&self, docker_id: &str) -> Result<Sight, LookError> {
        bounded(self.docker.inspect_container(docker_id, None)).await.map(read_inspection)
    }

    /// Looks at all containers of the container instance at once, which costs little more than
    /// one; by Docker id.
    pub(crate) async fn look_around(
        &self,
        container_instance: &str,
    ) -> Result<HashMap<String, Sight>, LookError> {
        let label = format!("{INSTANCE_LABEL}={container_instance}");
        let options = ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), vec![label])])),
            ..Default::default()
        };
        let containers = bounded(self.docker.list_containers(Some(options))).await?;
        let read = |mut it: ContainerSummary| Some((it.id.take()?, read_summary(it)));
        Ok(containers.into_iter().filter_map(read).collect())
    }

    /// What a running container uses at this moment.
    pub(crate) async fn stats(
        &self,
        docker_id: &str,
        compared: Compared,
    ) -> Result<ContainerStatsResponse, LookError> {
        let options = StatsOptions { stream: false, one_shot: compared == Compared::WithNothing };
        let mut stats = Box::pin(self.docker.stats(docker_id, Some(options)));
        let first = async { stats.next().await.unwrap_or(Err(Error::RequestTimeoutError)) };
        bounded(first).await
    }

    /// The host's address on Docker's default bridge, if there is one.
    pub(crate) async fn bridge_gateway(&self) -> Result<Option<Ipv4Addr>, LookError> {
        let network = bounded(self.docker.inspect_network(DEFAULT_NETWORK, None)).await?;
        let configs = network.ipam.and_then(|it| it.config).unwrap_or_default();
        let gateways = configs.iter().filter_map(|it| it.gateway.as_deref()?.parse().ok());
        Ok(gateways.into_iter().next())
    }

    /// Whether Docker answers now.
    pub(crate) async fn answers(&self) -> bool {
        bounded(self.docker.ping()).await.is_ok()
    }
}

async fn bounded<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, LookError> {
    match timeout(LIMIT, call).await.map(answer) {
        Ok(Answer::Done(it)) => Ok(it),
        Ok(Answer::Refused(refusal)) if refusal.status == 404 => Err(LookError::NoSuchContainer),
        Ok(Answer::Refused(refusal)) => Err(LookError::Refused(refusal.text)),
        Ok(Answer::Away) | Err(_) => Err(LookError::Away),
    }
}

fn read_inspection(container: ContainerInspectResponse) -> Sight {
    let state = container.state.unwrap_or_default();
    let host_config = container.host_config.unwrap_or_default();
    let log = host_config.log_config.unwrap_or_default();
    let networks = container.network_settings.and_then(|it| it.networks);
    let latest_check = state.health.and_then(|it| it.log).and_then(|mut it| it.pop());
    let mounts = container.mounts.unwrap_or_default().into_iter();
    Sight {
        image_id: container.image,
        created_at: instant(container.created),
        started_at: instant(state.started_at),
        finished_at: instant(state.finished_at).filter(|_| state.running != Some(true)),
        labels: container.config.and_then(|it| it.labels).unwrap_or_default().into_iter().collect(),
        log_driver: word(log.typ),
        log_options: log.config.unwrap_or_default().into_iter().collect(),
        networks: read_networks(networks.unwrap_or_default()),
        mounts: mounts
            .map(|it| Mount {
                docker_name: word(it.name),
                source: word(it.source),
                destination: word(it.destination),
            })
            .collect(),
        health_check: latest_check
            .map(|it| (it.exit_code.unwrap_or_default(), it.output.unwrap_or_default())),
    }
}

fn read_summary(container: ContainerSummary) -> Sight {
    let networks = container.network_settings.and_then(|it| it.networks);
    let created = container.created.and_then(|it| jiff::Timestamp::from_second(it).ok());
    Sight {
        image_id: container.image_id,
        created_at: created.map(|it| it.to_string()),
        networks: read_networks(networks.unwrap_or_default()),
        ..Sight::default()
    }
}

fn read_networks(networks: HashMap<String, EndpointSettings>) -> Vec<Network> {
    let mut networks: Vec<Network> = networks
        .into_iter()
        .map(|(mode, it)| Network {
            mode,
            ipv4: word(it.ip_address),
            ipv6: word(it.global_ipv6_address),
        })
        .collect();
    networks.sort_by(|a, b| a.mode.cmp(&b.mode));
    networks
}

fn instant(text: Option<String>) -> Option<String> {
    text.filter(|it| !it.is_empty() && it != NEVER)
}

fn word(text: Option<String>) -> Option<String> {
    text.filter(|it| !it.is_empty())
}
