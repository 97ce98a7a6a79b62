//! A Docker Engine that can go away, or be slow about making containers: its socket, seen through
//! one of our own.

use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The way to the Engine, open or not.
pub(crate) struct Proxy {
    path: PathBuf,
    connections: Option<JoinSet<()>>,
    /// Whether containers are made.
    makes: watch::Sender<bool>,
    /// How many are asked for that are not made yet.
    waiting: watch::Sender<usize>,
}

impl Proxy {
    pub(crate) fn at(path: &Path) -> Self {
        let (makes, waiting) = (watch::Sender::new(true), watch::Sender::new(0));
        let mut proxy = Self { path: path.to_owned(), connections: None, makes, waiting };
        proxy.open();
        proxy
    }

    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// The Engine is back.
    pub(crate) fn open(&mut self) {
        let listener = UnixListener::bind(&self.path).unwrap();
        let (makes, waiting) = (self.makes.clone(), self.waiting.clone());
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(relay(near, makes.subscribe(), waiting.clone()));
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

    /// From now on containers that are asked for are not made, until they are let; then also those
    /// whose asker has gone, as with the Engine itself.
    pub(crate) fn make_none(&self) {
        self.makes.send_replace(false);
    }

    pub(crate) fn make_them(&self) {
        self.makes.send_replace(true);
    }

    /// Returns when as many containers as that are asked for and not made.
    pub(crate) async fn until_waiting(&self, many: usize) {
        let limit = std::time::Duration::from_secs(60);
        let mut waiting = self.waiting.subscribe();
        let enough = waiting.wait_for(|it| *it == many);
        tokio::time::timeout(limit, enough).await.expect("containers are asked for").unwrap();
    }
}

async fn relay(near: UnixStream, mut makes: watch::Receiver<bool>, waiting: watch::Sender<usize>) {
    let far = UnixStream::connect("/var/run/docker.sock").await.unwrap();
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let there = async move {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_near.read(&mut chunk).await {
            if asks_for_a_container(&chunk[..length]) {
                waiting.send_modify(|it| *it += 1);
                let _ = makes.wait_for(|it| *it).await;
                waiting.send_modify(|it| *it -= 1);
            }
            if to_far.write_all(&chunk[..length]).await.is_err() {
                break;
            }
        }
        // Kept open: what was asked for is still to be done.
        to_far
    };
    let _ = tokio::join!(there, copy(&mut from_far, &mut to_near));
}

/// Nobody asks for the next thing before the last is answered, so a request begins a chunk.
fn asks_for_a_container(chunk: &[u8]) -> bool {
    let line = chunk.split(|it| *it == b'\r').next().unwrap_or_default();
    line.starts_with(b"POST ") && String::from_utf8_lossy(line).contains("/containers/create?")
}
