//! The life of one task in a simulated agent: what is reported of it, and when.

use std::future;
use std::sync::Arc;
use std::time::Duration;

use longshore_wire::ecs;
use tokio::sync::{Semaphore, mpsc, watch};

use super::{AgentEvent, RETRY};
use crate::client::{CallError, Client};

/// How many reports an agent has under way.
pub(super) type Slots = Arc<Semaphore>;

pub(super) fn slots(count: usize) -> Slots {
    Arc::new(Semaphore::new(count))
}

pub(super) struct TaskRun {
    pub(super) client: Client,
    pub(super) events: mpsc::UnboundedSender<AgentEvent>,
    pub(super) slots: Slots,
    /// Changes when the agent has connected anew.
    pub(super) connections: watch::Receiver<u64>,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) cluster: String,
    pub(super) arn: String,
    pub(super) containers: Vec<String>,
    /// How long it runs by itself; for ever if `None`.
    pub(super) lifetime: Option<Duration>,
    pub(super) is_clumsy: bool,
}

const RUNNING: &str = "RUNNING";
const STOPPED: &str = "STOPPED";

impl TaskRun {
    pub(super) async fn run(mut self) {
        if !*self.stopping.borrow() {
            self.report(RUNNING, None).await;
            self.wait_for_the_end().await;
        }
        self.report(STOPPED, Some(0)).await;
        if self.is_clumsy {
            // Neither may change anything.
            self.report(STOPPED, Some(1)).await;
            self.report(RUNNING, None).await;
        }
    }

    /// Until its time is over or it is to stop; at each new connection it is reported again.
    async fn wait_for_the_end(&mut self) {
        self.connections.mark_unchanged();
        let lifetime = self.lifetime;
        let over = async {
            match lifetime {
                Some(lifetime) => tokio::time::sleep(lifetime).await,
                None => future::pending().await,
            }
        };
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                _ = self.stopping.wait_for(|it| *it) => return,
                reconnected = self.connections.changed() => match reconnected {
                    Ok(()) => {}
                    Err(_) => return, // the agent is gone
                },
            }
            self.report(RUNNING, None).await;
        }
    }

    /// Reports until it is acknowledged.
    async fn report(&self, status: &'static str, exit_code: Option<i32>) {
        let change = |name: &String| ecs::ContainerStateChange {
            container_name: Some(name.clone()),
            runtime_id: self.arn.rsplit('/').next().map(|id| format!("{id}{id}")),
            exit_code,
            status: Some(status.into()),
            ..ecs::ContainerStateChange::default()
        };
        let request = ecs::SubmitTaskStateChangeRequest {
            cluster: Some(self.cluster.clone()),
            task: Some(self.arn.clone()),
            status: Some(status.into()),
            reason: Some(String::new()),
            containers: Some(self.containers.iter().map(change).collect()),
            ..ecs::SubmitTaskStateChangeRequest::default()
        };
        loop {
            let event = {
                let _slot = self.slots.acquire().await;
                match self.client.call(&request).await {
                    Ok(_) => Some(AgentEvent::Reported { task: self.arn.clone(), status }),
                    Err(CallError::NoAnswer(_)) => None,
                    Err(error) => {
                        let what = format!("SubmitTaskStateChange {} {status}: {error}", self.arn);
                        Some(AgentEvent::Refused { what })
                    }
                }
            };
            if let Some(event) = event {
                // Whoever listened may not care any more.
                let _ = self.events.send(event);
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
