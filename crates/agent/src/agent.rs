//! The agent's life: find Docker, take over what runs, register, stay connected.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tracing::{info, warn};

use crate::api::{Api, CallError, EndpointError, Signer};
use crate::config::{AgentConfig, ImagePullBehavior};
use crate::engine::Policy;
use crate::files::{Files, Identity};
use crate::register::{Registration, register};
use crate::reporter::Reporter;
use crate::runtime::{Common, Daemon, Facts};
use crate::session::Session;
use crate::tasks::Tasks;
use crate::worker::Tools;

const USUAL_DOCKER: &str = "unix:///var/run/docker.sock";

/// Makes Docker on this host match what the control plane assigns to it.
#[derive(Debug)]
pub struct Agent;

/// Why an agent cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The configuration makes no sense.
    #[error("the Docker Engine's address {address:?} cannot be used")]
    DockerAddress {
        /// As configured.
        address: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The Docker Engine answers, but not as one.
    #[error("the Docker Engine cannot be used: {0}")]
    Docker(String),
    /// The data directory cannot be read or written.
    #[error("the agent's data directory cannot be used")]
    DataDir(#[from] std::io::Error),
    /// The saved identity belongs to another cluster.
    #[error(
        "the agent's data directory belongs to an instance of cluster {saved:?}, and not of \
         {configured:?}: use another directory, or remove this one"
    )]
    OtherCluster {
        /// In the data directory.
        saved: String,
        /// In the configuration.
        configured: String,
    },
    /// The control plane refuses this instance.
    #[error("the control plane refuses to register this container instance: {0}")]
    Registration(String),
}

impl Agent {
    /// Runs until `shutdown` turns true (or its sender is gone). Tells `ready` once the agent is
    /// connected for the first time. Running containers are left running; the next run on the same
    /// data directory takes them over.
    ///
    /// # Errors
    /// [`AgentError`] when only people can help. A control plane or a Docker Engine that is away
    /// is waited for.
    pub async fn run(
        config: AgentConfig,
        ready: oneshot::Sender<()>,
        mut shutdown: watch::Receiver<bool>,
    ) -> Result<(), AgentError> {
        tokio::select! {
            result = live(config, ready) => result,
            _ = shutdown.wait_for(|it| *it) => {
                info!("the agent stops: containers go on");
                Ok(())
            }
        }
    }
}

/// Everything is kept as it happens, so this can be dropped at any point.
async fn live(config: AgentConfig, ready: oneshot::Sender<()>) -> Result<(), AgentError> {
    let signer = Signer { credentials: config.credentials.clone(), region: config.region.clone() };
    let api = Arc::new(Api::new(&config.endpoint, signer)?);
    let files = Files::open(&config.data_dir)?;
    let saved = files.identity()?;
    if let Some(identity) = saved.as_ref().filter(|it| it.cluster != config.cluster) {
        let (saved, configured) = (identity.cluster.clone(), config.cluster.clone());
        return Err(AgentError::OtherCluster { saved, configured });
    }
    let daemon = reach_docker(&config).await?;
    let facts = daemon.facts().await.map_err(AgentError::Docker)?;
    info!(
        docker = facts.docker_version,
        cpus = facts.cpus,
        memory_mib = facts.memory_mib,
        "Docker"
    );

    let (connections, connection) = watch::channel(0);
    let reporter = Reporter::new(api.clone(), config.cluster.clone(), connection);
    let tools = |arn: &str| Tools {
        daemon: daemon.clone(),
        common: Arc::new(common(&config, &facts, arn)),
        reporter: reporter.clone(),
        files: files.clone(),
        policy: policy(&config),
        stop_timeout: config.stop_timeout,
    };
    let resume = async |arn: &str| {
        let inventory = daemon.inventory(arn).await.map_err(AgentError::Docker)?;
        Ok::<_, AgentError>(Tasks::resume(tools(arn), inventory).await?)
    };

    let before = match saved {
        Some(identity) => {
            let arn = identity.container_instance_arn;
            Some((resume(&arn).await?, arn))
        }
        None => None,
    };
    let (mut tasks, arn) = match before {
        Some((tasks, arn)) => match enter(&api, &config, &facts, Some(&arn)).await? {
            Registration::Accepted(arn) => (tasks, arn),
            Registration::NotOurs(error) => {
                warn!(
                    instance = arn, %error,
                    "the control plane does not know this container instance any more: \
                     registering as a new one; containers of the old one are left as they are"
                );
                tasks.abandon();
                let arn = enter_anew(&api, &config, &facts).await?;
                (resume(&arn).await?, arn)
            }
        },
        None => {
            let arn = enter_anew(&api, &config, &facts).await?;
            (resume(&arn).await?, arn)
        }
    };
    let identity = Identity { container_instance_arn: arn, cluster: config.cluster.clone() };
    files.save_identity(&identity)?;
    info!(instance = identity.container_instance_arn, cluster = config.cluster, "registered");

    let docker_version = facts.docker_version.clone();
    let session =
        Session { api, identity, docker_version, connections, ready: Some(ready), timeline: 0 };
    session.run(&mut tasks).await;
    Ok(())
}

async fn reach_docker(config: &AgentConfig) -> Result<Daemon, AgentError> {
    let address = config.docker_host.clone().or_else(|| std::env::var("DOCKER_HOST").ok());
    let address = address.filter(|it| !it.is_empty()).unwrap_or_else(|| USUAL_DOCKER.to_owned());
    Daemon::reach(&address)
        .await
        .map_err(|source| AgentError::DockerAddress { address, source: Box::new(source) })
}

async fn enter(
    api: &Api,
    config: &AgentConfig,
    facts: &Facts,
    arn: Option<&str>,
) -> Result<Registration, AgentError> {
    let refused = |error: CallError| AgentError::Registration(error.to_string());
    register(api, config, facts, arn).await.map_err(refused)
}

async fn enter_anew(api: &Api, config: &AgentConfig, facts: &Facts) -> Result<String, AgentError> {
    match enter(api, config, facts, None).await? {
        Registration::Accepted(arn) => Ok(arn),
        Registration::NotOurs(error) => Err(AgentError::Registration(error.to_string())),
    }
}

fn common(config: &AgentConfig, facts: &Facts, arn: &str) -> Common {
    Common {
        cluster: config.cluster.clone(),
        container_instance: arn.to_owned(),
        least_memory_mib: facts.least_memory_mib(),
    }
}

fn policy(config: &AgentConfig) -> Policy {
    let (pull_first, pull_must_succeed) = match config.image_pull_behavior {
        ImagePullBehavior::Default => (true, false),
        ImagePullBehavior::Always => (true, true),
        ImagePullBehavior::PreferCached => (false, false),
    };
    let cleanup_wait_secs = config.task_cleanup_wait.as_secs();
    Policy {
        pull_first,
        pull_must_succeed,
        cleanup_wait_secs: u32::try_from(cleanup_wait_secs).unwrap_or(u32::MAX),
    }
}
