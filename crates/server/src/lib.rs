//! The doors of the control plane: the API and the agents' sockets, on one listener.
//!
//! No decision is made here. A request is authenticated, parsed, given to `control`, and what
//! comes of it is rendered; a change of the state wakes the sockets whose agents it concerns.

mod acs;
mod admission;
mod api;
mod http1;
mod in_process;
mod master_key;
mod metrics;
mod own;
mod private_file;
mod reach;
mod roles;
mod room;
mod root_key;
mod secrets;
mod tcs;
mod tls;
mod transport;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use longshore_control::Control;
use longshore_control::lost::Absences;
use longshore_model::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{error, info};

pub use api::{Contract, contract, is_without_effect, supported};
pub use in_process::{Connection, InProcess};
pub use longshore_wire::{Kind, Member, Operation, Structure};
pub use master_key::{MasterKey, MasterKeyError};
pub use metrics::{MetricsTokenFile, MetricsTokenFileError};
pub use own::{Site, explain};
pub use roles::{RingError, RoleCredentialsFile, RoleCredentialsFileError};
pub use root_key::{RootKey, RootKeyError};
pub use secrets::{SecretsFile, SecretsFileError};
pub use tls::{
    Authority, AuthorityError, CertificateFilesError, Tls, TlsError, TlsName, TlsNameError,
};
pub use transport::PlainText;

use acs::Hub;
use admission::Admission;
use api::{Gate, Pages};
use roles::Roles;
use room::Room;
use transport::Transports;

/// The longest between two looks at who is away: that the clock was set is noticed then.
const LOSE_EVERY: Duration = Duration::from_secs(60);

/// Between two looks at what has ended: this part of the time that it is kept for.
const REAPS: u32 = 60;

/// At least, and at most.
const REAP_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The control plane behind its listener.
pub struct Server {
    listener: TcpListener,
    doors: Doors,
}

/// What every connection shares.
pub(crate) struct Doors {
    pub(crate) control: Control,
    pub(crate) gate: Gate,
    pub(crate) pages: Pages,
    pub(crate) hub: Hub,
    pub(crate) telemetry: tcs::Hub,
    pub(crate) acs_admission: Admission,
    pub(crate) tcs_admission: Admission,
    pub(crate) metrics: metrics::Metrics,
    pub(crate) secrets: Option<SecretsFile>,
    pub(crate) roles: Roles,
    pub(crate) transports: Transports,
    pub(crate) room: Room,
    /// Where other machines reach the listener, if there is one.
    pub(crate) reached_at: Option<SocketAddr>,
}

impl Doors {
    fn tls(&self) -> Option<&Tls> {
        self.transports.tls.as_ref()
    }

    /// The URLs at which other machines reach this server.
    fn endpoints(&self) -> Vec<String> {
        let scheme = if self.transports.tls.is_some() { "https" } else { "http" };
        self.reached_at.iter().map(|it| format!("{scheme}://{it}")).collect()
    }
}

/// What signatures are verified with.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key that may do everything.
    pub root: RootKey,
    /// What the secrets of all others are made from.
    pub master: MasterKey,
}

/// Why a server ended, or did not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The state could not be saved, and nothing is acknowledged any more.
    #[error("the state could not be saved, so the server stops: {0}")]
    Store(#[from] longshore_store::StoreError),
}

impl Server {
    /// Takes the address. Nothing is answered before [`Server::run`]. Without a file of secrets no
    /// task can have any. It speaks plain text with its own machine.
    pub async fn bind(
        address: SocketAddr,
        control: Control,
        keys: Keys,
        secrets: Option<SecretsFile>,
    ) -> Result<Self, ServerError> {
        let listen = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let reached_at = Some(reach::from_elsewhere(listener.local_addr().map_err(listen)?));
        control.forget_connections().await?;
        let doors = Doors {
            control,
            roles: Roles::of_nobody(keys.master.clone()),
            pages: Pages::new(keys.root.secret_access_key.clone()),
            gate: Gate::new(keys),
            hub: Hub::default(),
            telemetry: tcs::Hub::default(),
            acs_admission: Admission::default(),
            tcs_admission: Admission::default(),
            metrics: metrics::Metrics::default(),
            secrets,
            transports: Transports::default(),
            room: Room::of_this_process(),
            reached_at,
        };
        Ok(Self { listener, doors })
    }

    /// Speaks TLS as well, and plain text with these.
    pub fn with_transports(mut self, tls: Tls, plain_text: PlainText) -> Self {
        self.doors.transports = Transports { tls: Some(tls), plain_text };
        self
    }

    /// Lets other machines read the metrics, with the token of this file.
    pub fn with_metrics_token(mut self, token: MetricsTokenFile) -> Self {
        self.doors.metrics.token = Some(token);
        self
    }

    /// Gives tasks the credentials of their roles that this file has.
    pub fn with_role_credentials(mut self, file: RoleCredentialsFile) -> Self {
        self.doors.roles.file = Some(file);
        self
    }

    /// The address that was taken, with the port that the system chose where 0 was asked for.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until shutdown is asked for or the state cannot be saved any more.
    pub async fn run(self, mut shutdown: watch::Receiver<bool>) -> Result<(), ServerError> {
        let Self { listener, doors } = self;
        let doors = Arc::new(doors);
        let store = doors.control.store().clone();
        let (stop, stopping) = watch::channel(false);
        let follow = tokio::spawn({
            let (doors, store) = (Arc::clone(&doors), store.clone());
            async move { doors.hub.follow(store).await }
        });
        let listen = tokio::spawn({
            let doors = Arc::clone(&doors);
            async move { doors.telemetry.follow(&doors.control).await }
        });
        let reap = tokio::spawn(reap(doors.control.clone()));
        let lose = tokio::spawn(lose(doors.control.clone()));
        let renew = tokio::spawn({
            let doors = Arc::clone(&doors);
            async move {
                if let Some(tls) = &doors.transports.tls {
                    tls.renew().await;
                }
            }
        });
        let look = tokio::spawn({
            let doors = Arc::clone(&doors);
            async move {
                if let Some(file) = &doors.roles.file {
                    file.follow(&doors.control).await;
                }
            }
        });
        let serve = tokio::spawn(http1::serve(listener, Arc::clone(&doors), stopping));
        let outcome = tokio::select! {
            () = requested(&mut shutdown) => Ok(()),
            reason = store.closed() => Err(ServerError::Store(reason)),
        };
        info!("the server stops");
        stop.send_replace(true);
        if let Err(error) = serve.await {
            error!(%error, "the listener ended badly");
        }
        follow.abort();
        listen.abort();
        reap.abort();
        lose.abort();
        renew.abort();
        look.abort();
        store.shutdown().await;
        outcome
    }
}

/// Waits until shutdown is asked for.
pub(crate) async fn requested(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|it| *it).await;
}

/// Gives up tasks on machines that stay away, each when its time is over.
async fn lose(control: Control) {
    let mut commits = control.store().watch();
    let mut absences = Absences::of(&control.view());
    loop {
        if let Err(error) = control.lose_tasks(&mut absences).await {
            error!(%error, "tasks on machines that stay away could not be given up");
            return;
        }
        let until = |at: Timestamp| at.millis().saturating_sub(control.now().millis());
        let pause = absences.wake_at().and_then(|at| until(at).max(0).try_into().ok());
        let pause = pause.map_or(LOSE_EVERY, Duration::from_millis).min(LOSE_EVERY);
        tokio::select! {
            commit = commits.next() => match commit {
                Ok(commit) => absences.follow(&commit, &control.view()),
                Err(_lagged) => absences.begin_again(&control.view()),
            },
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn reap(control: Control) {
    let pause = (control.keeps_ended_for() / REAPS).clamp(REAP_EVERY.0, REAP_EVERY.1);
    loop {
        tokio::time::sleep(pause).await;
        match control.reap().await {
            Ok(overdue) if overdue.is_empty() => {}
            Ok(overdue) => info!(
                tasks = overdue.tasks.len(),
                container_instances = overdue.container_instances.len(),
                clusters = overdue.clusters.len(),
                task_definitions = overdue.definitions.len(),
                "what has ended long ago is forgotten"
            ),
            Err(error) => {
                error!(%error, "what has ended could not be forgotten");
                return;
            }
        }
    }
}
