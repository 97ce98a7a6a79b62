//! A registry that takes requests and never answers those for images.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::lifecycle::until;

/// What says that it is a registry which asks for no login.
const GREETING: &str = "HTTP/1.1 200 OK\r\n\
    Docker-Distribution-Api-Version: registry/2.0\r\nContent-Length: 2\r\n\r\n{}";

/// Stalls until it is dropped.
pub(crate) struct StallingRegistry {
    host: String,
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl StallingRegistry {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let mut serving = JoinSet::new();
        let count = asked.clone();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(serve(connection, count.clone()));
            }
        });
        Self { host, asked, _serving: serving }
    }

    pub(crate) fn image(&self, number: usize) -> String {
        format!("{}/stalls:{number}", self.host)
    }

    /// How often it was asked for an image.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    pub(crate) async fn until_asked_for(&self, images: usize) {
        until(|| async { self.asked() >= images }).await;
    }
}

async fn serve(connection: TcpStream, asked: Arc<AtomicUsize>) {
    let mut connection = BufReader::new(connection);
    // Docker tries TLS first, of which this is the first byte.
    if connection.fill_buf().await.is_ok_and(|it| it.first() == Some(&0x16)) {
        return;
    }
    loop {
        let mut request = String::new();
        loop {
            let before = request.len();
            match connection.read_line(&mut request).await {
                Ok(0) | Err(_) => return,
                Ok(_) if &request[before..] == "\r\n" => break,
                Ok(_) => {}
            }
        }
        if request.contains("/manifests/") {
            asked.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
        if connection.write_all(GREETING.as_bytes()).await.is_err() {
            return;
        }
    }
}
