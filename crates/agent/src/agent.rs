//! The agent's life: find Docker, take over what runs, register, stay connected.

use std::sync::Arc;

use longshore_client::{Bounds, CallError, Client, TrustError};
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};

use crate::config::{AgentConfig, ImagePullBehavior};
use crate::engine::Policy;
use crate::files::{Files, Identity};
use crate::images::{Images, Logins, LoginsError};
use crate::kept::Kept;
use crate::look::Look;
use crate::register::{Abilities, Registration, missing_log_drivers, register};
use crate::reporter::Reporter;
use crate::runtime::{Common, ControlGroups, Daemon, Facts};
use crate::session::Session;
use crate::tasks::Tasks;
use crate::telemetry::Publisher;
use crate::turns::{self, Turns};
use crate::worker::Tools;

const USUAL_DOCKER: &str = "unix:///var/run/docker.sock";

/// Makes Docker on this host match what the control plane assigns to it.
#[derive(Debug)]
pub struct Agent;

/// Why an agent cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Nobody can be trusted as the configuration says.
    #[error(transparent)]
    Trust(#[from] TrustError),
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
    /// The file of registry logins cannot be used.
    #[error(transparent)]
    RegistryLogins(#[from] LoginsError),
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
    /// Nobody wants it any more, for good: it asks nothing more.
    #[error(
        "{0} The agent ends and asks nothing more; containers of its tasks go on, and nobody looks \
         after them. To use this machine again, start the agent anew, which registers a new \
         container instance; a machine that has joined with a token joins again with a new one: \
         longshore agent join TOKEN"
    )]
    Dismissed(String),
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
    let (endpoint, signer) = (config.endpoint.clone(), config.signer.clone());
    let api = Client::new(endpoint, &config.trust, signer, Bounds::default())?;
    let files = Files::open(&config.data_dir)?;
    let saved = saved_identity(&config, &files)?;
    let logins = Logins::open(config.registry_auth_file.clone())?;
    let daemon = reach_docker(&config).await?;
    let facts = daemon.facts().await.map_err(AgentError::Docker)?;
    let (driver, version) = (facts.cgroup_driver.as_deref(), facts.cgroup_version.as_deref());
    let groups = ControlGroups::of_host(driver, version);
    let (docker, cpus, memory_mib) = (&facts.docker_version, facts.cpus, facts.memory_mib);
    info!(docker, cpus, memory_mib, "the Docker Engine answers");
    for driver in missing_log_drivers(&config, &facts) {
        let offered = facts.log_drivers.join(", ");
        warn!(driver, offered, "the Docker Engine does not have this log driver: no task gets it");
    }

    let (connections, connection) = watch::channel(0);
    let reporter = Reporter::new(api.clone(), config.cluster.clone(), connection);
    let look = Look::begin(&config, &api, &daemon, &facts, &files).await;
    let behavior = config.image_pull_behavior;
    let cleanup = config.image_cleanup.filter(|_| behavior != ImagePullBehavior::PreferCached);
    let images = Images::open(daemon.clone(), files.clone(), behavior, logins, cleanup)?;
    let tidying = images.clone().keep_tidy();
    let host =
        Host { api: api.clone(), config, facts, groups, daemon, reporter, files, look, images };
    let (mut tasks, identity) = host.enter(saved).await?;
    info!(instance = identity.container_instance_arn, cluster = identity.cluster, "registered");

    let publisher = Publisher {
        api: api.clone(),
        identity: identity.clone(),
        docker_version: host.facts.docker_version.clone(),
        board: host.look.board.clone(),
        usage: host.look.usage.clone(),
        daemon: host.daemon.clone(),
    };
    let docker_version = host.facts.docker_version.clone();
    let session = Session {
        api,
        identity,
        docker_version,
        connections,
        pulse: host.look.pulse.clone(),
        ready: Some(ready),
        timeline: 0,
        has_complained: false,
    };
    let beside = async {
        let telemetry = async {
            if !host.config.metrics_disabled {
                publisher.run().await;
            }
        };
        tokio::join!(telemetry, tidying);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        why = session.run(&mut tasks) => Err(AgentError::Dismissed(why)),
        () = beside => Ok(()),
    }
}

/// What is known once Docker answers.
struct Host {
    api: Client,
    config: AgentConfig,
    facts: Facts,
    groups: Option<ControlGroups>,
    daemon: Daemon,
    reporter: Reporter,
    files: Files,
    look: Look,
    images: Arc<Images>,
}

impl Host {
    /// Takes over what runs, then registers: tasks go on also while the control plane is away.
    async fn enter(&self, saved: Option<Identity>) -> Result<(Tasks, Identity), AgentError> {
        if let Some(identity) = saved {
            self.look.board.set_container_instance(&identity.container_instance_arn);
            let tasks = self.resume(&identity).await?;
            match self.register(Some(&identity.container_instance_arn)).await? {
                Registration::Accepted(_) => return Ok((tasks, identity)),
                Registration::NotOurs(error) => {
                    warn!(
                        instance = identity.container_instance_arn, %error,
                        "the control plane does not know this container instance any more: \
                         registering as a new one; containers of the old one are left as they are"
                    );
                    tasks.abandon();
                }
            }
        }
        let container_instance_arn = match self.register(None).await? {
            Registration::Accepted(arn) => arn,
            Registration::NotOurs(error) => {
                return Err(AgentError::Registration(error.to_string()));
            }
        };
        let identity = Identity { container_instance_arn, cluster: self.config.cluster.clone() };
        self.files.save_identity(&identity)?;
        self.look.board.set_container_instance(&identity.container_instance_arn);
        Ok((self.resume(&identity).await?, identity))
    }

    async fn register(&self, arn: Option<&str>) -> Result<Registration, AgentError> {
        let refused = |error: CallError| match dismissal(&error) {
            Some(why) => AgentError::Dismissed(why),
            None => AgentError::Registration(error.to_string()),
        };
        let abilities = Abilities {
            config: &self.config,
            facts: &self.facts,
            limits_tasks: self.groups.is_some(),
        };
        register(&self.api, &abilities, arn).await.map_err(refused)
    }

    fn starts_at_once(&self) -> usize {
        let chosen = self.config.starts_at_once.map(|it| usize::from(it.get()));
        chosen.unwrap_or_else(|| turns::best_for(self.facts.cpus))
    }

    async fn resume(&self, identity: &Identity) -> Result<Tasks, AgentError> {
        let arn = &identity.container_instance_arn;
        let inventory = self.daemon.inventory(arn).await.map_err(AgentError::Docker)?;
        let common = Common {
            cluster: self.config.cluster.clone(),
            container_instance: arn.clone(),
            least_memory_mib: self.facts.least_memory_mib(),
            reach: self.look.reach,
        };
        let tools = Tools {
            daemon: self.daemon.clone(),
            board: self.look.board.clone(),
            pulse: self.look.pulse.clone(),
            common: Arc::new(common),
            groups: self.groups.clone(),
            images: self.images.clone(),
            turns: Turns::of(self.starts_at_once()),
            reporter: self.reporter.clone(),
            files: self.files.clone(),
            policy: policy(&self.config),
            kept: Kept::of(self.config.stopped_tasks_kept),
            least_cleanup_wait: self.config.least_task_cleanup_wait,
            stop_timeout: self.config.stop_timeout,
        };
        Ok(Tasks::resume(tools, inventory).await?)
    }
}

/// What the control plane says to a machine whose key it revoked, or whose instance was deregistered
/// and cannot be registered again with that key. A control plane that does not know the key, as
/// another one at the same address does not, has not dismissed anybody.
pub(crate) fn dismissal(error: &CallError) -> Option<String> {
    let CallError::Refused { error, .. } = error else { return None };
    let is_revoked =
        error.code == "UnrecognizedClientException" && error.message.ends_with(" was revoked.");
    let is_over = error.message.contains("joined as was deregistered");
    (is_revoked || is_over).then(|| error.message.clone())
}

fn saved_identity(config: &AgentConfig, files: &Files) -> Result<Option<Identity>, AgentError> {
    let saved = files.identity()?;
    match saved.as_ref().filter(|it| it.cluster != config.cluster) {
        Some(identity) => Err(AgentError::OtherCluster {
            saved: identity.cluster.clone(),
            configured: config.cluster.clone(),
        }),
        None => Ok(saved),
    }
}

async fn reach_docker(config: &AgentConfig) -> Result<Daemon, AgentError> {
    let address = config.docker_host.clone().or_else(|| std::env::var("DOCKER_HOST").ok());
    let address = address.filter(|it| !it.is_empty()).unwrap_or_else(|| USUAL_DOCKER.to_owned());
    Daemon::reach(&address)
        .await
        .map_err(|source| AgentError::DockerAddress { address, source: Box::new(source) })
}

fn policy(config: &AgentConfig) -> Policy {
    let (pull_first, pull_must_succeed) = match config.image_pull_behavior {
        ImagePullBehavior::Default => (true, false),
        ImagePullBehavior::Always | ImagePullBehavior::Once => (true, true),
        ImagePullBehavior::PreferCached => (false, false),
    };
    let cleanup_wait_secs = config.task_cleanup_wait.as_secs();
    Policy {
        pull_first,
        pull_must_succeed,
        cleanup_wait_secs: u32::try_from(cleanup_wait_secs).unwrap_or(u32::MAX),
    }
}
