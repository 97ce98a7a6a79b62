//! `longshore server`: the control plane alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use longshore_control::Control;
use longshore_model::Owner;
use longshore_server::{
    Authority, Keys, MasterKey, MetricsTokenFile, RoleCredentialsFile, RootKey, SecretsFile,
    Server, Tls,
};
use longshore_store::{EmbeddedJournal, Store, StoreError};
use tracing::info;

use crate::data_dir::{self, Endpoint};
use crate::options;
use crate::system::{CONTAINERS_GO_ON, RandomIds, SystemClock, raise_open_files, shutdown_signal};

/// A control plane that is ready to serve.
pub(crate) struct ControlPlane {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) root_key: RootKey,
    /// Where clients on this machine reach it.
    pub(crate) url: String,
}

/// Opens the state and takes the address.
pub(crate) async fn open(options: &options::Server) -> anyhow::Result<ControlPlane> {
    raise_open_files();
    let dir = options.data_dir.path();
    data_dir::create(&dir)?;
    let journal = EmbeddedJournal::open(&dir.join("longshore.redb")).map_err(StoreError::from)?;
    let store = Store::open(journal)?;
    let chosen = options.root_access_key_id.clone().zip(options.root_secret_access_key.clone());
    let chosen = chosen
        .map(|(access_key_id, secret_access_key)| RootKey { access_key_id, secret_access_key });
    let root_key = RootKey::load_or_create(&dir, chosen)?;
    let keys = Keys { root: root_key.clone(), master: MasterKey::load_or_create(&dir)? };
    let owner = Owner { region: options.region.clone(), account: options.account.clone() };
    let control = Control::new(store.clone(), Arc::new(SystemClock), Arc::new(RandomIds), owner)
        .with_fargate_on_instances(options.fargate_on_instances)
        .keeping_ended_for(options.keep_ended);
    control.create_cluster(options.cluster.clone(), Default::default()).await?;
    let secrets = options.secrets_file.as_deref().map(SecretsFile::open).transpose()?;
    let server = Server::bind(options.listen, control, keys, secrets).await?;
    let address = server.address()?;
    let mut server =
        server.with_transports(tls(options, &dir, address.port())?, options.tls.plain_text_with());
    if let Some(file) = &options.metrics_token_file {
        server = server.with_metrics_token(MetricsTokenFile::open(file)?);
    }
    if let Some(file) = &options.role_credentials {
        server = server.with_role_credentials(RoleCredentialsFile::open(file)?);
    }
    let url = format!("http://{}", reachable(address));
    Endpoint { url: url.clone(), region: options.region.clone() }.save(&dir)?;
    Ok(ControlPlane { server, store, root_key, url })
}

/// What TLS is spoken with at this port.
fn tls(options: &options::Server, dir: &Path, port: u16) -> anyhow::Result<Tls> {
    let options::Tls { tls_cert, tls_key, tls_names, .. } = &options.tls;
    if let (Some(certificate), Some(key)) = (tls_cert, tls_key) {
        return Ok(Tls::from_files(certificate, key)?);
    }
    let authority = Authority::load_or_create(dir)?;
    info!(fingerprint = %authority.fingerprint(), "TLS is by the server's own authority");
    Ok(Tls::from_authority(authority, tls_names.clone(), port)?)
}

/// The address by which this machine reaches a listener: one on all addresses is at loopback too.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// The line that scripts wait for.
pub(crate) fn announce(url: &str) {
    println!("longshore ready {url}");
}

pub(crate) async fn run(options: options::Server) -> anyhow::Result<()> {
    let shutdown = shutdown_signal(CONTAINERS_GO_ON).context("signals cannot be waited for")?;
    let ControlPlane { server, url, .. } = open(&options).await?;
    announce(&url);
    Ok(server.run(shutdown).await?)
}
