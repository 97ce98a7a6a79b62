//! `longshore up`: control plane and agent in one process. They meet over the real API and socket,
//! as they would on two machines.

use anyhow::Context;
use clap::Args;
use longshore_agent::{Agent, AgentConfig, AgentError};
use longshore_client::{Credentials, Signer, Trust};
use longshore_store::Store;
use tokio::sync::{oneshot, watch};

use crate::agent::{Engine, Home};
use crate::server::{ControlPlane, announce, open};
use crate::system::{CONTAINERS_GO_ON, shutdown_signal};
use crate::{data_dir, options};

/// Serves until SIGTERM or SIGINT. Running containers are left running; the next start on the same
/// data directory adopts them.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    server: options::Server,

    #[command(flatten)]
    engine: Engine,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let mut shutdown = shutdown_signal(CONTAINERS_GO_ON).context("signals cannot be waited for")?;
    let ControlPlane { server, store, root_key, url } = open(&options.server).await?;
    let agent_dir = options.server.data_dir.path().join("agent");
    data_dir::create(&agent_dir)?;
    let _lock = data_dir::lock_agent(&agent_dir)?;
    let config = options.engine.configure(Home {
        endpoint: url.parse()?,
        trust: Trust::default(),
        signer: Signer::new(
            Credentials {
                access_key_id: root_key.access_key_id,
                secret_access_key: root_key.secret_access_key,
                session_token: None,
            },
            options.server.region,
        ),
        cluster: options.server.cluster,
        data_dir: agent_dir,
    })?;

    let (stop, stopping) = watch::channel(false);
    let (ready, connected) = oneshot::channel();
    let mut server = tokio::spawn(server.run(stopping.clone()));
    let mut agent = tokio::spawn(run_agent(config, ready, stopping));
    tokio::spawn(async move {
        if connected.await.is_ok() {
            agent_is_counted_in(&store).await;
            announce(&url);
        }
    });
    let outcome = tokio::select! {
        _ = shutdown.wait_for(|it| *it) => Ok(()),
        ended = &mut server => return ended?.context("the control plane ended"),
        ended = &mut agent => ended?.context("the agent ended"),
    };
    stop.send_replace(true);
    if !agent.is_finished() {
        agent.await?.context("the agent ended")?;
    }
    server.await?.context("the control plane ended")?;
    outcome
}

/// Runs the agent. If it is dismissed, the control plane still serves others.
async fn run_agent(
    config: AgentConfig,
    ready: oneshot::Sender<()>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), AgentError> {
    match Agent::run(config, ready, stopping.clone()).await {
        Err(error @ AgentError::Dismissed(_)) => {
            tracing::error!("{error}");
            let _ = stopping.wait_for(|it| *it).await;
            Ok(())
        }
        ended => ended,
    }
}

/// Waits until the state says that an agent is connected. The agent itself knows a moment earlier,
/// and whoever called RunTask in that moment would be told that no agent is there.
async fn agent_is_counted_in(store: &Store) {
    let mut commits = store.watch();
    while !store.view().all_instances().any(|it| it.agent_connected) {
        // Commits that were missed are no matter: the view has them.
        let _ = commits.next().await;
    }
}
