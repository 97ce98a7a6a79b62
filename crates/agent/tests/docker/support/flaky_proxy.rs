//! A registry's network that fails or stands still for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Leads to the registry until it is dropped.
pub(crate) struct FlakyProxy {
    host: String,
    to_fail: Arc<AtomicUsize>,
    moves: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

impl FlakyProxy {
    pub(crate) async fn before(registry: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let to_fail = Arc::new(AtomicUsize::new(0));
        let (left, registry) = (to_fail.clone(), registry.to_owned());
        let (moves, is_moving) = watch::channel(true);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let take = |it: usize| it.checked_sub(1);
                if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                    continue;
                }
                let (registry, mut is_moving) = (registry.clone(), is_moving.clone());
                connections.spawn(async move {
                    is_moving.wait_for(|it| *it).await.unwrap();
                    let mut far = TcpStream::connect(registry).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { host, to_fail, moves, _serving: serving }
    }

    pub(crate) fn host(&self) -> String {
        self.host.clone()
    }

    /// Connections that end before anything is said.
    pub(crate) fn fail_the_next(&self, connections: usize) {
        self.to_fail.store(connections, Ordering::Relaxed);
    }

    /// From now on connections wait, or go on again.
    pub(crate) fn stand_still(&self, still: bool) {
        self.moves.send_replace(!still);
    }

    pub(crate) fn left_to_fail(&self) -> usize {
        self.to_fail.load(Ordering::Relaxed)
    }
}
