//! Agents that share a client, a runner and bounds on what is under way at once.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch};

use crate::agent::{AgentSpec, Shared, SimulatedAgent};
use crate::client::Client;
use crate::events::AgentEvent;
use crate::runner::Runner;

/// How much is under way at once, of all agents together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Agents that register and connect.
    pub joins: usize,
    /// Reports; each has a connection of its own while it is under way.
    pub reports: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { joins: 64, reports: 64 }
    }
}

/// A fleet in one cluster. Dropping it ends the reports; agents end with their handles.
pub struct SimulatedFleet {
    shared: Shared,
    runner: Runner,
    breaks: watch::Sender<u64>,
}

impl SimulatedFleet {
    /// A fleet without agents yet.
    pub fn new(
        client: Client,
        cluster: &str,
        limits: Limits,
        events: mpsc::UnboundedSender<AgentEvent>,
    ) -> Self {
        let runner = Runner::spawn(client.clone(), cluster.into(), limits.reports, events.clone());
        let (breaking, breaks) = watch::channel(0);
        let joins = Arc::new(Semaphore::new(limits.joins.max(1)));
        let shared = Shared {
            client,
            cluster: cluster.into(),
            joins,
            runner: runner.inbox(),
            events,
            breaks,
        };
        Self { shared, runner, breaks: breaking }
    }

    /// Starts one more agent.
    pub fn add(&self, spec: AgentSpec) -> SimulatedAgent {
        SimulatedAgent::spawn(self.shared.clone(), spec)
    }

    /// Breaks every agent's connection without a word to the server, as when a switch loses power.
    pub fn break_connections(&self) {
        self.breaks.send_modify(|it| *it += 1);
    }

    /// Makes no more reports, and waits until those under way are answered and told as events; not
    /// for long where nobody answers.
    pub async fn end(self) {
        self.runner.end().await;
    }
}
