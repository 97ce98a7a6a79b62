//! Containers made and started straight on the Engine's socket.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bollard::models::ContainerCreateBody;
use tokio::task::JoinSet;

use super::engine::Engine;
use super::{Clock, Wave};

/// Starts so many, by so many callers of which each creates and starts one after another.
pub(super) async fn start(
    engine: &Engine,
    body: &ContainerCreateBody,
    count: usize,
    concurrency: usize,
) -> anyhow::Result<Wave> {
    let clock = Arc::new(Mutex::new(Clock::start(engine, Some(std::process::id()))?));
    let left = Arc::new(AtomicUsize::new(count));
    let mut callers = JoinSet::new();
    for _ in 0..concurrency {
        let (docker, body) = (engine.docker.clone(), body.clone());
        let (left, clock) = (Arc::clone(&left), Arc::clone(&clock));
        callers.spawn(async move {
            let take = |it: usize| it.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                let made = docker.create_container(None, body.clone()).await?;
                docker.start_container(&made.id, None).await?;
                let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
                let running = clock.ran_after.len() + 1;
                clock.saw(running);
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    let clock = Arc::into_inner(clock).and_then(|it| it.into_inner().ok());
    clock.ok_or_else(|| anyhow::anyhow!("a caller still holds the clock"))?.stop(engine)
}
