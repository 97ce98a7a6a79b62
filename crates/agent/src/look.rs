//! A look inside the agent: all that answers questions about what runs here, put together.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use longshore_client::Client;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::board::Board;
use crate::config::AgentConfig;
use crate::files::Files;
use crate::introspection::Introspection;
use crate::local_http::hold;
use crate::metadata::Metadata;
use crate::metadata::reach::{Address, Listening, Reach};
use crate::pulse::Pulse;
use crate::runtime::{Daemon, Facts};
use crate::telemetry::{Sampler, Usage};

/// Answers for as long as it lives.
pub(crate) struct Look {
    pub(crate) board: Board,
    pub(crate) usage: Usage,
    pub(crate) pulse: Pulse,
    /// Where new containers find their metadata.
    pub(crate) reach: Reach,
    /// Dropped before those who serve there: then whoever waits for an address finds it free.
    _held: Address,
    _serving: JoinSet<()>,
}

impl Look {
    /// Begins to answer, as far as the configuration wants it.
    pub(crate) async fn begin(
        config: &AgentConfig,
        api: &Client,
        daemon: &Daemon,
        facts: &Facts,
        files: &Files,
    ) -> Self {
        let (board, usage, pulse) = (Board::default(), Usage::default(), Pulse::default());
        let mut serving = JoinSet::new();
        if !config.metrics_disabled {
            let (board, daemon, usage) = (board.clone(), daemon.clone(), usage.clone());
            serving.spawn(Sampler { board, daemon, usage, cpus: facts.cpus }.run());
        }
        if config.introspection_port != 0 {
            let door = Introspection {
                cluster: config.cluster.clone(),
                board: board.clone(),
                daemon: daemon.clone(),
                usage: usage.clone(),
                pulse: pulse.clone(),
            };
            let port = config.introspection_port;
            serving.spawn(async move {
                hold(all_interfaces(port).await, "introspection", Arc::new(door)).await;
            });
        }
        let listening = Listening::begin(config.task_metadata, files, daemon).await;
        let reach = listening.reach;
        let door = Metadata {
            cluster: config.cluster.clone(),
            board: board.clone(),
            daemon: daemon.clone(),
            usage: usage.clone(),
            api: api.clone(),
            throttle: Default::default(),
        };
        let held = listening.serve(Arc::new(door), &mut serving);
        Self { board, usage, pulse, reach, _held: held, _serving: serving }
    }
}

/// Of IPv6 too, where this host has that.
async fn all_interfaces(port: u16) -> SocketAddr {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).await {
        Ok(_) => (Ipv6Addr::UNSPECIFIED, port).into(),
        Err(_) => (Ipv4Addr::UNSPECIFIED, port).into(),
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Look").field("reach", &self.reach).finish_non_exhaustive()
    }
}
