//! Asks Docker in rounds what running containers use.
//!
//! A stream for each container would make Docker look at every one each second. One look at each
//! in ten, spread over that time, costs a tenth, and is what the official agent of today does.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::debug;

use super::usage::Usage;
use crate::board::Board;
use crate::engine::ContainerStatus;
use crate::runtime::{Compared, Daemon};

/// Between two looks at one container.
const ROUND: Duration = Duration::from_secs(10);
/// Looks of one round begin within this part of it.
const SPREAD: Duration = Duration::from_secs(8);
/// Looks at one time, beside a quarter of all: many an Engine takes a second for one, but as long
/// for several.
const AT_ONCE: usize = 8;

/// Looks at containers, and keeps what it sees in `usage`.
#[derive(Debug)]
pub(crate) struct Sampler {
    pub(crate) board: Board,
    pub(crate) daemon: Daemon,
    pub(crate) usage: Usage,
    /// Of the host.
    pub(crate) cpus: u32,
}

impl Sampler {
    /// Never returns.
    pub(crate) async fn run(self) {
        let mut rounds = interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.look_at_all().await;
        }
    }

    async fn look_at_all(&self) {
        let tasks = self.board.tasks();
        let containers = tasks.iter().flat_map(|it| &it.containers);
        let running = containers.filter(|it| it.known == ContainerStatus::Running);
        let ids: Vec<String> = running.filter_map(|it| it.docker_id.clone()).collect();
        self.usage.retain(&ids.iter().map(String::as_str).collect::<HashSet<_>>());
        let begin = Instant::now();
        let pause = SPREAD / u32::try_from(ids.len().max(1)).unwrap_or(u32::MAX);
        let at_once = AT_ONCE + ids.len() / 4;
        let looks = ids.into_iter().zip(0u32..);
        let looks = looks.map(|(id, number)| self.look_at(id, begin + pause * number));
        stream::iter(looks).buffer_unordered(at_once).collect::<Vec<()>>().await;
    }

    async fn look_at(&self, docker_id: String, at: Instant) {
        tokio::time::sleep_until(at).await;
        match self.daemon.stats(&docker_id, Compared::WithNothing).await {
            Ok(stats) => self.usage.record(&docker_id, stats, self.cpus),
            // It may have ended; of a Docker Engine that is away others tell.
            Err(error) => debug!(container = docker_id, %error, "no stats"),
        }
    }
}
