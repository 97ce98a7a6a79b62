//! A Docker Engine that can go away: its socket, seen through one of our own.

use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// The way to the Engine, open or not.
pub(crate) struct Proxy {
    path: PathBuf,
    connections: Option<JoinSet<()>>,
}

impl Proxy {
    pub(crate) fn at(path: &Path) -> Self {
        let mut proxy = Self { path: path.to_owned(), connections: None };
        proxy.open();
        proxy
    }

    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// The Engine is back.
    pub(crate) fn open(&mut self) {
        let listener = UnixListener::bind(&self.path).unwrap();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut far = UnixStream::connect("/var/run/docker.sock").await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        self.connections = Some(accepting);
    }

    /// The Engine is gone, and every connection with it.
    pub(crate) async fn close(&mut self) {
        if let Some(mut connections) = self.connections.take() {
            connections.shutdown().await;
        }
        std::fs::remove_file(&self.path).unwrap();
    }
}
