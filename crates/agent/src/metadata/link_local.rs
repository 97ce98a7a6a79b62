//! The address by which containers know the agent, on a network interface of this host.
//!
//! It is put on the loopback interface, where every container whose default route leads to the
//! host finds it, and those in the host's own network too: the kernel delivers what is for an
//! address of the host's, whichever interface it came by. No rule of a firewall is needed.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tracing::{debug, warn};

/// Source: Amazon ECS Developer Guide, "Task metadata endpoint".
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);
pub(super) const PORT: u16 = 80;

const INTERFACE: &str = "lo";

/// The address is this agent's. Dropping it takes the address off the interface.
#[derive(Debug)]
pub(crate) struct LinkLocal;

/// Why it is not.
#[derive(Debug, thiserror::Error)]
pub(super) enum TakeError {
    #[error("another program of this machine serves {ADDRESS}:{PORT}")]
    Taken,
    #[error("{ADDRESS} cannot be put on interface {INTERFACE}: {0}")]
    NotAdded(String),
    #[error("{ADDRESS}:{PORT} cannot be served: {0}")]
    NotServed(#[from] io::Error),
}

impl LinkLocal {
    /// Takes the address: one that an agent left that was killed is as good as a new one.
    pub(super) async fn take() -> Result<(Self, TcpListener), TakeError> {
        match listen().await {
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {
                add().await?;
                match listen().await {
                    Ok(listener) => Ok((Self, listener)),
                    // Whoever has it may be just about to go.
                    Err(error) if error.kind() == ErrorKind::AddrInUse => Err(TakeError::Taken),
                    Err(error) => {
                        drop(Self);
                        Err(error.into())
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => Err(TakeError::Taken),
            Err(error) => Err(error.into()),
            Ok(listener) => Ok((Self, listener)),
        }
    }
}

impl Drop for LinkLocal {
    /// Blocks for the milliseconds of one command: the agent is about to end.
    fn drop(&mut self) {
        let mut command = std::process::Command::new("ip");
        match command.args(arguments("del")).output() {
            Ok(output) if output.status.success() => debug!(%ADDRESS, "taken off the interface"),
            Ok(output) => warn!(
                error = String::from_utf8_lossy(&output.stderr).trim(),
                "{ADDRESS} cannot be taken off interface {INTERFACE}: it stays"
            ),
            Err(error) => warn!(%error, "{ADDRESS} stays on interface {INTERFACE}"),
        }
    }
}

async fn listen() -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((ADDRESS, PORT))).await
}

async fn add() -> Result<(), TakeError> {
    let mut command = tokio::process::Command::new("ip");
    let output = command.args(arguments("add")).kill_on_drop(true).output().await;
    let output = output.map_err(|error| TakeError::NotAdded(format!("ip: {error}")))?;
    let error = String::from_utf8_lossy(&output.stderr);
    // Somebody was quicker.
    if output.status.success() || error.contains("File exists") {
        return Ok(());
    }
    Err(TakeError::NotAdded(error.trim().to_owned()))
}

fn arguments(verb: &str) -> [String; 5] {
    ["addr", verb, &format!("{ADDRESS}/32"), "dev", INTERFACE].map(str::to_owned)
}
