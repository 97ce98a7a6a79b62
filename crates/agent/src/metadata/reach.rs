//! How a container reaches its agent, which is said in its environment.
//!
//! The address that ECS has for it, where this agent can have that; otherwise the host's address
//! on Docker's default bridge and a port of the agent's own. What containers were told once stays
//! right: the port is kept on file, and served by every later run of the agent.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::link_local::{self, LinkLocal};
use crate::config::TaskMetadata;
use crate::files::Files;
use crate::local_http::{Door, hold, serve};
use crate::runtime::Daemon;

/// The port of the agent's own, where it is free. Source: the official agent.
const USUAL_PORT: u16 = 51679;
const PURPOSE: &str = "task metadata for containers";
/// Between two attempts to have the address that containers of before were told.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(2);
/// How many ports are tried until one is free at both addresses.
const TRIES: u32 = 16;

/// Where new containers find their metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nowhere.
    Nowhere,
    /// At ECS's address.
    LinkLocal,
    /// At the host's address on Docker's bridge, and those in the host's network at loopback.
    Bridge { gateway: Ipv4Addr, port: u16 },
}

impl Reach {
    /// What the URIs of a container begin with that is in a network of this mode; `None` where it
    /// has no way to us.
    pub(crate) fn base(self, network_mode: &str) -> Option<String> {
        match (self, network_mode) {
            (Self::Nowhere, _) | (_, "none") => None,
            (Self::LinkLocal, _) => Some(format!("http://{}", link_local::ADDRESS)),
            (Self::Bridge { port, .. }, "host") => {
                Some(format!("http://{}:{port}", Ipv4Addr::LOCALHOST))
            }
            (Self::Bridge { gateway, port }, _) => Some(format!("http://{gateway}:{port}")),
        }
    }
}

/// What the agent listens at for containers.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) reach: Reach,
    listeners: Vec<TcpListener>,
    /// Told to containers of before, and in use by somebody else now.
    awaited: Vec<SocketAddr>,
    /// Goes first, while we still listen: then whoever waits for the address adds it anew.
    address: Address,
}

/// Whether this agent has ECS's address.
#[derive(Debug)]
pub(crate) enum Address {
    Ours {
        _until_dropped: LinkLocal,
    },
    /// Another agent's, though containers of before were told of it.
    Awaited,
    NotOurs,
}

impl Listening {
    /// Listens as configured, or as well as it goes. Containers that run were told by an earlier
    /// run of the agent what is on file.
    pub(crate) async fn begin(wish: TaskMetadata, files: &Files, daemon: &Daemon) -> Self {
        let before = files.metadata_reach().unwrap_or_else(|error| {
            warn!(%error, "it cannot be read what containers were told of their metadata");
            Told::default()
        });
        let mut told = before.clone();
        let mut this = Self {
            reach: Reach::Nowhere,
            listeners: Vec::new(),
            awaited: Vec::new(),
            address: Address::NotOurs,
        };
        if wish == TaskMetadata::Off {
            return this;
        }
        let mut link_local_error = None;
        if wish != TaskMetadata::Bridge || before.link_local {
            match LinkLocal::take().await {
                Ok((address, listener)) => {
                    this.listeners.push(listener);
                    this.address = Address::Ours { _until_dropped: address };
                    if wish != TaskMetadata::Bridge {
                        this.reach = Reach::LinkLocal;
                        told.link_local = true;
                    }
                }
                Err(error) => {
                    if before.link_local {
                        this.address = Address::Awaited;
                    }
                    link_local_error = Some(error);
                }
            }
        }
        let wants_bridge = this.reach == Reach::Nowhere && wish != TaskMetadata::LinkLocal;
        if wants_bridge || before.port.is_some() {
            match this.listen_at_bridge(before.port, daemon).await {
                Ok((gateway, port)) if wants_bridge => {
                    this.reach = Reach::Bridge { gateway, port };
                    told.port = Some(port);
                }
                Ok(_) => {}
                Err(error) => {
                    warn!(%error, "task metadata cannot be served at Docker's bridge");
                }
            }
        }
        match (this.reach, link_local_error) {
            (Reach::Nowhere, error) => {
                let error = error.map(|it| it.to_string()).unwrap_or_default();
                warn!(error, "containers get no task metadata: nothing they reach can be served");
            }
            (reach @ Reach::Bridge { .. }, Some(error)) => {
                let at = reach.base("bridge").unwrap_or_default();
                info!("containers find their task metadata at {at}: {error}");
            }
            _ => {}
        }
        if told != before
            && let Err(error) = files.save_metadata_reach(&told)
        {
            warn!(%error, "a later run of the agent will not know where containers ask");
        }
        this
    }

    /// Serves; the tasks end with the set that they are put into. What is returned is to be held
    /// while they run.
    pub(crate) fn serve(self, door: Arc<impl Door>, doors: &mut JoinSet<()>) -> Address {
        for listener in self.listeners {
            doors.spawn(serve(listener, door.clone()));
        }
        for address in self.awaited {
            let door = door.clone();
            doors.spawn(async move { hold(address, PURPOSE, door).await });
        }
        if matches!(self.address, Address::Awaited) {
            doors.spawn(await_link_local(door));
        }
        self.address
    }

    /// At the port of before, if there is one, or else at any.
    async fn listen_at_bridge(
        &mut self,
        before: Option<u16>,
        daemon: &Daemon,
    ) -> Result<(Ipv4Addr, u16), String> {
        let gateway = daemon.bridge_gateway().await.map_err(|it| it.to_string())?;
        let gateway = gateway.ok_or("Docker has no default bridge with a gateway")?;
        let first = before.unwrap_or(USUAL_PORT);
        let mut port = first;
        for _ in 0..TRIES {
            match listen_at_both(gateway, port).await {
                Ok((port, listeners)) => {
                    self.listeners.extend(listeners);
                    if before.is_some_and(|it| it != port) {
                        let addresses = [gateway, Ipv4Addr::LOCALHOST];
                        self.awaited.extend(addresses.map(|it| SocketAddr::from((it, first))));
                    }
                    return Ok((gateway, port));
                }
                // Any that is free.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => port = 0,
                Err(error) => return Err(format!("{gateway}:{port}: {error}")),
            }
        }
        Err(format!("no port is free at {gateway} and at loopback"))
    }
}

async fn listen_at_both(gateway: Ipv4Addr, port: u16) -> io::Result<(u16, [TcpListener; 2])> {
    let at_gateway = TcpListener::bind((gateway, port)).await?;
    let port = at_gateway.local_addr()?.port();
    let at_loopback = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok((port, [at_gateway, at_loopback]))
}

async fn await_link_local(door: Arc<impl Door>) {
    warn!(
        "containers of before cannot ask for their metadata: another agent has {}",
        link_local::ADDRESS
    );
    loop {
        if let Ok((_address, listener)) = LinkLocal::take().await {
            info!("{} is free: serving {PURPOSE}", link_local::ADDRESS);
            return serve(listener, door).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What containers were told, over all runs of the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Told {
    /// ECS's address.
    pub(crate) link_local: bool,
    /// The port at Docker's bridge.
    pub(crate) port: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reach: Reach, network_mode: &str, expect: Option<&str>) {
        assert_eq!(reach.base(network_mode).as_deref(), expect);
    }

    #[test]
    fn a_container_is_told_what_it_reaches() {
        let bridge = Reach::Bridge { gateway: Ipv4Addr::new(172, 17, 0, 1), port: 51679 };
        for mode in ["", "default", "bridge", "some-network"] {
            check(Reach::LinkLocal, mode, Some("http://169.254.170.2"));
            check(bridge, mode, Some("http://172.17.0.1:51679"));
            check(Reach::Nowhere, mode, None);
        }
        check(Reach::LinkLocal, "host", Some("http://169.254.170.2"));
        check(bridge, "host", Some("http://127.0.0.1:51679"));
        check(Reach::LinkLocal, "none", None);
        check(bridge, "none", None);
    }
}
