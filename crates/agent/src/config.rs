//! What an agent is told when it starts.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use longshore_client::{Endpoint, Signer, Trust};

/// Ports that every container instance keeps for itself: ssh, the Docker Engine, and the agent's
/// own as people's firewalls know them.
pub const DEFAULT_RESERVED_PORTS: [u16; 5] = [22, 2375, 2376, 51678, 51679];

/// How the agent pulls, where it registers, and what it keeps from tasks.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// The control plane.
    pub endpoint: Endpoint,
    /// Who may vouch for it.
    pub trust: Trust,
    /// Who signs requests, and for which region.
    pub signer: Signer,
    /// Name or ARN of the cluster to join.
    pub cluster: String,
    /// Where the agent keeps what must survive its restart. One agent at a time.
    pub data_dir: PathBuf,
    /// `unix:///path`; otherwise `DOCKER_HOST`, or the usual socket.
    pub docker_host: Option<String>,
    /// Between SIGTERM and SIGKILL.
    pub stop_timeout: Duration,
    /// How long the containers of a stopped task are kept.
    pub task_cleanup_wait: Duration,
    /// Of so many stopped tasks the containers are kept that long; of more, the oldest lose theirs
    /// after `least_task_cleanup_wait`.
    pub stopped_tasks_kept: usize,
    /// Must be longer than a message of the control plane may be under way.
    pub least_task_cleanup_wait: Duration,
    /// How many containers are made or started at a time; chosen by the host's CPUs if `None`.
    pub starts_at_once: Option<NonZeroU16>,
    /// When images are pulled.
    pub image_pull_behavior: ImagePullBehavior,
    /// Which images are removed when they are of no use any more; none if `None`, and none with
    /// [`ImagePullBehavior::PreferCached`], which is to find them.
    pub image_cleanup: Option<ImageCleanup>,
    /// A file with logins to registries, for tasks that bring none.
    pub registry_auth_file: Option<PathBuf>,
    /// Memory of the host that tasks do not get.
    pub reserved_memory_mib: u32,
    /// TCP ports of the host that tasks do not get.
    pub reserved_ports: Vec<u16>,
    /// UDP ports of the host that tasks do not get.
    pub reserved_ports_udp: Vec<u16>,
    /// Attributes of the container instance, by name, before those that the agent sees by itself;
    /// custom ones are registered once.
    pub attributes: Vec<(String, String)>,
    /// Whether privileged containers are refused here.
    pub privileged_disabled: bool,
    /// Log drivers that tasks may use; if `None` those that the Engine has, but for the clouds'.
    pub available_logging_drivers: Option<Vec<String>>,
    /// Where introspection is served, on all interfaces; 0 is nowhere.
    pub introspection_port: u16,
    /// Where containers ask for metadata.
    pub task_metadata: TaskMetadata,
    /// Whether what tasks use is neither looked at nor told.
    pub metrics_disabled: bool,
}

/// Where containers ask for metadata of themselves and their task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskMetadata {
    /// At ECS's address where this agent can have it, or else as `Bridge`.
    #[default]
    Auto,
    /// At ECS's address, 169.254.170.2, or nowhere.
    LinkLocal,
    /// At the host's address on Docker's default bridge, and in host mode at loopback, on a port of
    /// the agent's own.
    Bridge,
    /// Nowhere.
    Off,
}

/// When images that the agent has pulled are removed. Source: Amazon ECS Developer Guide,
/// "Automated task and image cleanup".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageCleanup {
    /// From one look to the next.
    pub interval: Duration,
    /// Since its pull, of an image that may be removed.
    pub minimum_age: Duration,
    /// Of images removed at each look.
    pub most_per_cycle: usize,
}

/// When images are pulled. Source: Amazon ECS Developer Guide, `ECS_IMAGE_PULL_BEHAVIOR`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImagePullBehavior {
    /// Before each container; if that fails, a present image is used.
    Default,
    /// Before each container; a failure is final.
    Always,
    /// Before a container unless this agent has pulled the image before; a failure is final.
    Once,
    /// Only when the image is not present.
    #[default]
    PreferCached,
}

impl FromStr for ImagePullBehavior {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "default" => Ok(Self::Default),
            "always" => Ok(Self::Always),
            "once" => Ok(Self::Once),
            "prefer-cached" => Ok(Self::PreferCached),
            other => Err(format!("{other:?} is none of default, always, once, prefer-cached")),
        }
    }
}
