//! `longshore agent`: the agent alone.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use longshore_agent::{
    Agent, AgentConfig, ImageCleanup, ImagePullBehavior, Membership, Said, TaskMetadata,
};
use longshore_client::{Credentials, Endpoint, Signer, Trust};
use longshore_model::{Attribute, ClusterName};
use tokio::sync::oneshot;

use crate::options::{Connection, DataDir};
use crate::system::{CONTAINERS_GO_ON, raise_open_files, shutdown_signal};
use crate::{data_dir, join};

/// On a machine that has joined (`longshore agent join`), the data directory says where the control
/// plane is and holds the key to it. On another, give --endpoint, and AWS_ACCESS_KEY_ID,
/// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand, Clone, Debug)]
enum Command {
    /// Joins a cluster with a token, and runs the agent.
    Join(Box<join::Options>),
}

/// How an agent is run.
#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    connection: Connection,

    /// The cluster to register in. [default: the one that was joined, or else default]
    #[arg(long, env = "LONGSHORE_CLUSTER")]
    cluster: Option<ClusterName>,

    #[command(flatten)]
    pub(crate) data_dir: DataDir,

    #[command(flatten)]
    engine: Engine,
}

/// Much longer than a message to an agent is under way.
const LEAST_TASK_CLEANUP_WAIT: Duration = Duration::from_secs(60);

/// How an agent runs containers, wherever it runs.
#[derive(Args, Clone, Debug)]
pub(crate) struct Engine {
    /// The Docker Engine's socket. [default: DOCKER_HOST, or unix:///var/run/docker.sock]
    #[arg(long, env = "LONGSHORE_DOCKER_HOST", value_name = "URL")]
    docker_host: Option<String>,

    /// From SIGTERM to SIGKILL when a task is stopped, such as 30s or 2m; at least 1s.
    #[arg(long, env = "LONGSHORE_STOP_TIMEOUT", default_value = "30s", value_parser = duration)]
    stop_timeout: Duration,

    /// How long stopped containers are kept, such as 1m or 3h; at least 1s.
    #[arg(long, env = "LONGSHORE_TASK_CLEANUP_WAIT", default_value = "3h", value_parser = duration)]
    task_cleanup_wait: Duration,

    /// Of how many stopped tasks the containers are kept that long; of more, the oldest lose theirs
    /// after a minute.
    #[arg(
        long,
        env = "LONGSHORE_STOPPED_TASKS_KEPT",
        value_name = "COUNT",
        default_value_t = 1000
    )]
    stopped_tasks_kept: usize,

    /// How many containers are made or started at a time. [default: four for each CPU, 4 to 32]
    #[arg(long, env = "LONGSHORE_STARTS_AT_ONCE", value_name = "COUNT")]
    starts_at_once: Option<NonZeroU16>,

    /// When images are pulled.
    #[arg(long, env = "LONGSHORE_IMAGE_PULL_BEHAVIOR", default_value = "prefer-cached")]
    image_pull_behavior: Pull,

    /// Leaves images alone. Otherwise images that the agent has pulled are removed when they are of
    /// no use any more, unless images are pulled prefer-cached.
    #[arg(long, env = "LONGSHORE_DISABLE_IMAGE_CLEANUP")]
    disable_image_cleanup: bool,

    /// From one look for images of no use to the next.
    #[arg(
        long,
        env = "LONGSHORE_IMAGE_CLEANUP_INTERVAL",
        value_name = "TIME",
        default_value = "30m",
        value_parser = duration
    )]
    image_cleanup_interval: Duration,

    /// How long ago an image was pulled that may be removed.
    #[arg(
        long,
        env = "LONGSHORE_IMAGE_MINIMUM_CLEANUP_AGE",
        value_name = "TIME",
        default_value = "1h",
        value_parser = duration
    )]
    image_minimum_cleanup_age: Duration,

    /// How many images are removed at each look, the least recently used first.
    #[arg(
        long,
        env = "LONGSHORE_IMAGES_DELETED_PER_CYCLE",
        value_name = "COUNT",
        default_value = "5"
    )]
    images_deleted_per_cycle: NonZeroU16,

    /// A file with logins to registries, for tasks that bring none: {"HOST": {"username": ...,
    /// "password": ...}}, {"HOST": {"auth": ...}}, or Docker's own config.json. Only its owner may
    /// read it.
    #[arg(long, env = "LONGSHORE_REGISTRY_AUTH_FILE", value_name = "FILE")]
    registry_auth_file: Option<PathBuf>,

    /// Memory that no task may have, in MiB.
    #[arg(long, env = "LONGSHORE_RESERVED_MEMORY", value_name = "MIB", default_value_t = 0)]
    reserved_memory: u32,

    /// TCP host ports that no task may have.
    #[arg(
        long,
        env = "LONGSHORE_RESERVED_PORTS",
        value_delimiter = ',',
        default_values_t = [22, 2375, 2376, 51678, 51679]
    )]
    reserved_ports: Vec<u16>,

    /// UDP host ports that no task may have.
    #[arg(long, env = "LONGSHORE_RESERVED_PORTS_UDP", value_delimiter = ',')]
    reserved_ports_udp: Vec<u16>,

    /// Custom attributes of the instance, such as stack=prod,rack=7; sent at its first
    /// registration.
    #[arg(
        long,
        env = "LONGSHORE_INSTANCE_ATTRIBUTES",
        value_name = "NAME=VALUE",
        value_delimiter = ',',
        value_parser = attribute
    )]
    instance_attributes: Vec<(String, String)>,

    /// The machine's availability zone: its attribute ecs.availability-zone, which tasks can be
    /// spread over.
    #[arg(long, env = "LONGSHORE_ZONE", value_parser = attribute_value)]
    zone: Option<String>,

    /// What the sort of machine is called: its attribute ecs.instance-type. [default: its size, such
    /// as 8cpu.32gib]
    #[arg(
        long,
        env = "LONGSHORE_INSTANCE_TYPE",
        value_name = "TYPE",
        value_parser = attribute_value
    )]
    instance_type: Option<String>,

    /// Refuses privileged containers.
    #[arg(long, env = "LONGSHORE_DISABLE_PRIVILEGED")]
    disable_privileged: bool,

    /// Log drivers that tasks may use, such as json-file,syslog. [default: all that the Docker Engine
    /// has, but for awslogs and gcplogs]
    #[arg(
        long,
        env = "LONGSHORE_AVAILABLE_LOGGING_DRIVERS",
        value_name = "DRIVER",
        value_delimiter = ','
    )]
    available_logging_drivers: Option<Vec<String>>,

    /// Where introspection and metrics are served, on all interfaces; 0 is nowhere.
    #[arg(
        long,
        env = "LONGSHORE_INTROSPECTION_PORT",
        value_name = "PORT",
        default_value_t = 51678
    )]
    introspection_port: u16,

    /// Where containers ask for metadata of themselves and their task.
    #[arg(long, env = "LONGSHORE_TASK_METADATA", value_name = "WHERE", default_value = "auto")]
    task_metadata: Reach,

    /// Asks Docker for no stats, and sends no telemetry.
    #[arg(long, env = "LONGSHORE_DISABLE_METRICS")]
    disable_metrics: bool,
}

/// Where containers ask for metadata.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reach {
    /// At 169.254.170.2 where the agent can have it (as root, and first on its machine), else as
    /// bridge.
    Auto,
    /// At 169.254.170.2, or nowhere.
    LinkLocal,
    /// At the host's address on Docker's default bridge, in host mode at 127.0.0.1, on port 51679
    /// or another.
    Bridge,
    /// Nowhere: containers get no ECS_CONTAINER_METADATA_URI.
    Off,
}

impl From<Reach> for TaskMetadata {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::Auto => Self::Auto,
            Reach::LinkLocal => Self::LinkLocal,
            Reach::Bridge => Self::Bridge,
            Reach::Off => Self::Off,
        }
    }
}

/// When images are pulled.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Pull {
    /// Only when the image is not there.
    PreferCached,
    /// Always tried; an image that is there is used when the pull fails.
    Default,
    /// Always; a pull that fails ends the task.
    Always,
    /// Unless this agent has pulled it before and it is still there; a pull that fails ends the
    /// task.
    Once,
}

impl From<Pull> for ImagePullBehavior {
    fn from(pull: Pull) -> Self {
        match pull {
            Pull::PreferCached => Self::PreferCached,
            Pull::Default => Self::Default,
            Pull::Always => Self::Always,
            Pull::Once => Self::Once,
        }
    }
}

/// Where an agent's control plane is, and as whom it calls.
pub(crate) struct Home {
    pub(crate) endpoint: Endpoint,
    pub(crate) trust: Trust,
    pub(crate) signer: Signer,
    pub(crate) cluster: ClusterName,
    pub(crate) data_dir: PathBuf,
}

impl Engine {
    /// The whole configuration of an agent.
    ///
    /// # Errors
    /// When two options say different things of the machine.
    pub(crate) fn configure(self, home: Home) -> anyhow::Result<AgentConfig> {
        let mut attributes = self.instance_attributes;
        say_once("ecs.availability-zone", self.zone, "--zone", &mut attributes)?;
        say_once("ecs.instance-type", self.instance_type, "--instance-type", &mut attributes)?;
        Ok(AgentConfig {
            endpoint: home.endpoint,
            trust: home.trust,
            signer: home.signer,
            cluster: home.cluster.to_string(),
            data_dir: home.data_dir,
            docker_host: self.docker_host,
            stop_timeout: self.stop_timeout,
            task_cleanup_wait: self.task_cleanup_wait,
            stopped_tasks_kept: self.stopped_tasks_kept,
            least_task_cleanup_wait: LEAST_TASK_CLEANUP_WAIT,
            starts_at_once: self.starts_at_once,
            image_pull_behavior: self.image_pull_behavior.into(),
            image_cleanup: (!self.disable_image_cleanup).then_some(ImageCleanup {
                interval: self.image_cleanup_interval,
                minimum_age: self.image_minimum_cleanup_age,
                most_per_cycle: self.images_deleted_per_cycle.get().into(),
            }),
            registry_auth_file: self.registry_auth_file,
            reserved_memory_mib: self.reserved_memory,
            reserved_ports: self.reserved_ports,
            reserved_ports_udp: self.reserved_ports_udp,
            attributes,
            privileged_disabled: self.disable_privileged,
            available_logging_drivers: self.available_logging_drivers,
            introspection_port: self.introspection_port,
            task_metadata: self.task_metadata.into(),
            metrics_disabled: self.disable_metrics,
        })
    }
}

/// Adds what an option says to the attributes, which may say it already.
fn say_once(
    name: &str,
    value: Option<String>,
    option: &str,
    attributes: &mut Vec<(String, String)>,
) -> anyhow::Result<()> {
    let Some(value) = value else { return Ok(()) };
    match attributes.iter().find(|(known, _)| known == name) {
        Some((_, known)) if *known != value => bail!(
            "{option} is {value}, and {name} in --instance-attributes is {known}: say one of them"
        ),
        Some(_) => Ok(()),
        None => {
            attributes.push((name.to_owned(), value));
            Ok(())
        }
    }
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    match options.command {
        Some(Command::Join(options)) => join::run(*options).await,
        None => run_there(options.run).await,
    }
}

/// Runs the agent of a data directory.
pub(crate) async fn run_there(options: Run) -> anyhow::Result<()> {
    raise_open_files();
    let shutdown = shutdown_signal(CONTAINERS_GO_ON).context("signals cannot be waited for")?;
    let data_dir = options.data_dir.path().join("agent");
    data_dir::create(&data_dir)?;
    let _lock = data_dir::lock_agent(&data_dir)?;
    let home = match Membership::load(&data_dir)? {
        Some(membership) => joined_home(&options, membership, data_dir)?,
        None => Home {
            endpoint: options.connection.endpoint().context(NOT_JOINED)?,
            trust: options.connection.trust(),
            signer: options.connection.signer()?,
            cluster: options.cluster.clone().map_or_else(|| "default".parse(), Ok)?,
            data_dir,
        },
    };
    let config = options.engine.configure(home)?;
    let (ready, connected) = oneshot::channel();
    tokio::spawn(async move {
        if connected.await.is_ok() {
            println!("longshore agent connected");
        }
    });
    Ok(Agent::run(config, ready, shutdown).await?)
}

const NOT_JOINED: &str = "this machine has not joined a cluster (longshore agent join TOKEN)";

impl Run {
    /// What the options say of the control plane to join.
    pub(crate) fn said(&self) -> Said {
        let endpoint = self.connection.given().cloned();
        Said { endpoint, trust: self.connection.given_trust() }
    }

    /// Refuses options that do not go with what was joined.
    pub(crate) fn check(&self, membership: &Membership) -> anyhow::Result<()> {
        joined_home(self, membership.clone(), PathBuf::new()).map(drop)
    }
}

/// Of a machine that has joined: only where the control plane is may be said anew.
fn joined_home(options: &Run, membership: Membership, data_dir: PathBuf) -> anyhow::Result<Home> {
    if let Some(cluster) = options.cluster.as_ref().filter(|it| it.as_str() != membership.cluster) {
        bail!(
            "this machine has joined cluster {}, and its key is good for no other: leave out \
             --cluster {cluster}, or join again with a token for that cluster",
            membership.cluster
        );
    }
    if let Some(region) = options.connection.region.as_ref().filter(|it| **it != membership.region)
    {
        bail!(
            "the control plane that this machine has joined is in region {}: leave out --region \
             {region}",
            membership.region
        );
    }
    let trust = options.connection.given_trust().unwrap_or_else(|| membership.trust());
    let credentials = Credentials {
        access_key_id: membership.access_key_id,
        secret_access_key: membership.secret_access_key,
        session_token: None,
    };
    Ok(Home {
        endpoint: match options.connection.given() {
            Some(endpoint) => endpoint.clone(),
            None => membership.endpoint.parse()?,
        },
        trust,
        signer: Signer::new(credentials, membership.region),
        cluster: membership.cluster.parse()?,
        data_dir,
    })
}

/// `30s`, `2m`, `3h`, or a combination such as `1m30s`; at least a second.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let explained = || "a duration is such as 30s, 2m or 3h, and at least 1s".to_owned();
    let mut seconds: u64 = 0;
    let mut number = String::new();
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(explained()),
        };
        let amount: u64 = number.parse().map_err(|_| explained())?;
        let more = amount.checked_mul(unit).and_then(|it| it.checked_add(seconds));
        seconds = more.ok_or_else(explained)?;
        number.clear();
    }
    if number.is_empty() && seconds > 0 {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(explained())
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("an attribute is NAME=VALUE")?;
    Attribute::parse(name, Some(value)).map_err(|it| it.to_string())?;
    Ok((name.into(), value.into()))
}

/// What can be an attribute's value.
fn attribute_value(text: &str) -> Result<String, String> {
    Attribute::parse("name", Some(text)).map_err(|it| it.to_string())?;
    if text.is_empty() { Err("it is empty".into()) } else { Ok(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_units_and_is_at_least_a_second() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("3h"), Ok(Duration::from_secs(10_800)));
        for text in ["", "0s", "30", "s", "1d", "-1s", "99999999999999999999s", "9999999999999999h"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_machine_is_is_said_once() {
        let zone = |said: &str| ("ecs.availability-zone".to_owned(), said.to_owned());
        let mut attributes = vec![zone("a")];
        say_once("ecs.availability-zone", Some("a".into()), "--zone", &mut attributes).unwrap();
        assert_eq!(attributes, [zone("a")]);
        let error = say_once("ecs.availability-zone", Some("b".into()), "--zone", &mut attributes);
        assert_eq!(
            error.unwrap_err().to_string(),
            "--zone is b, and ecs.availability-zone in --instance-attributes is a: say one of them"
        );
        say_once("ecs.instance-type", Some("t".into()), "--instance-type", &mut attributes)
            .unwrap();
        assert_eq!(attributes, [zone("a"), ("ecs.instance-type".into(), "t".into())]);
    }

    #[test]
    fn attributes_are_such_as_ecs_allows() {
        assert_eq!(attribute("stack=prod"), Ok(("stack".into(), "prod".into())));
        for text in ["stack", "=prod", "a b=c", "stack=a,b", "stack= a"] {
            assert!(attribute(text).is_err(), "{text}");
        }
        assert_eq!(attribute_value("shed"), Ok("shed".into()));
        for text in ["", "a,b", "shed (old)"] {
            assert!(attribute_value(text).is_err(), "{text}");
        }
    }
}
