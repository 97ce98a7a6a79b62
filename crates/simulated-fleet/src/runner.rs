//! Carries out the tasks of a whole fleet: one loop, one queue of timers, and a bounded number of
//! reports under way, which share the client's connections.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use longshore_client::CallError;
use longshore_wire::{acs, ecs};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::agent::{LONGEST_RETRY, RETRY};
use crate::client::Client;
use crate::events::AgentEvent;
use crate::tasks::{Manner, Report, Status, Tasks};

/// How long the last reports may take.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Taken in at once, before reports are looked at again.
const BATCH: usize = 256;

/// An agent was told of a task.
pub(crate) struct Told {
    pub(crate) task: acs::Task,
    pub(crate) manner: Manner,
}

/// A handle of the loop, which ends with it.
pub(crate) struct Runner {
    told: mpsc::UnboundedSender<Told>,
    end: Option<oneshot::Sender<()>>,
    work: JoinHandle<()>,
}

impl Runner {
    pub(crate) fn spawn(
        client: Client,
        cluster: String,
        reports_at_once: usize,
        events: mpsc::UnboundedSender<AgentEvent>,
    ) -> Self {
        let (told, inbox) = mpsc::unbounded_channel();
        let (end, ending) = oneshot::channel();
        let work = Work {
            reporter: Reporter { client, cluster: cluster.into(), events },
            reports_at_once: reports_at_once.max(1),
            inbox,
            tasks: Tasks::default(),
            waiting: VecDeque::new(),
        };
        Self { told, end: Some(end), work: tokio::spawn(work.run(ending)) }
    }

    /// Makes no more reports and waits, for a while, until those under way are answered.
    pub(crate) async fn end(mut self) {
        self.end = None;
        let _ = timeout(LAST_ANSWERS, &mut self.work).await;
    }

    pub(crate) fn inbox(&self) -> mpsc::UnboundedSender<Told> {
        self.told.clone()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.work.abort();
    }
}

struct Work {
    reporter: Reporter,
    reports_at_once: usize,
    inbox: mpsc::UnboundedReceiver<Told>,
    tasks: Tasks,
    /// Reports that no call has been made for yet.
    waiting: VecDeque<Report>,
}

impl Work {
    /// Until the other end of `ending` is gone.
    async fn run(mut self, mut ending: oneshot::Receiver<()>) {
        let mut calls = FuturesUnordered::new();
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            while calls.len() < self.reports_at_once
                && let Some(report) = self.waiting.pop_front()
            {
                calls.push(self.reporter.clone().send(report));
            }
            let next_at = self.tasks.next_at();
            tokio::select! {
                _ = &mut ending => break,
                _ = self.inbox.recv_many(&mut batch, BATCH) => {
                    for told in batch.drain(..) {
                        self.told(told);
                    }
                }
                Some(report) = calls.next() => {
                    self.waiting.extend(self.tasks.reported(&report, Instant::now()));
                }
                () = until(next_at) => {
                    let now = Instant::now();
                    while let Some(report) = self.tasks.due(now) {
                        self.waiting.push_back(report);
                    }
                }
            }
        }
        while calls.next().await.is_some() {}
    }

    fn told(&mut self, Told { task, manner }: Told) {
        let containers = task.containers.into_iter().map(|it| it.name);
        let report = if task.desired_status == "STOPPED" {
            self.tasks.stop(&task.arn, containers)
        } else {
            self.tasks.run(&task.arn, containers, manner, Instant::now())
        };
        self.waiting.extend(report);
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[derive(Clone)]
struct Reporter {
    client: Client,
    cluster: Arc<str>,
    events: mpsc::UnboundedSender<AgentEvent>,
}

impl Reporter {
    /// Reports until it is answered.
    async fn send(self, report: Report) -> Report {
        let request = submission(&self.cluster, &report);
        let status = match report.status {
            Status::Running => "RUNNING",
            Status::Stopped { .. } => "STOPPED",
        };
        let mut pause = RETRY;
        let what = |error| format!("SubmitTaskStateChange {} {status}: {error}", report.task);
        loop {
            let (event, is_over) = match self.client.call(&request).await {
                Ok(_) => (AgentEvent::Reported { task: report.task.to_string(), status }, true),
                Err(error @ (CallError::NoAnswer(_) | CallError::Untrusted(_))) => {
                    (AgentEvent::NoAnswer { what: what(error) }, false)
                }
                Err(error) => {
                    let is_over = error.is_final();
                    (AgentEvent::Refused { what: what(error) }, is_over)
                }
            };
            // Whoever listened may not care any more.
            let _ = self.events.send(event);
            if is_over {
                return report;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }
}

/// What an agent says.
fn submission(cluster: &str, report: &Report) -> ecs::SubmitTaskStateChangeRequest {
    let (status, exit_code, reason) = match report.status {
        Status::Running => ("RUNNING", None, None),
        Status::Stopped { exit_code: Some(code) } => ("STOPPED", Some(code), None),
        Status::Stopped { exit_code: None } => {
            ("STOPPED", None, Some("CannotStartContainerError: simulated"))
        }
    };
    let change = |name: &String| ecs::ContainerStateChange {
        container_name: Some(name.clone()),
        runtime_id: report.task.rsplit('/').next().map(|id| format!("{id}{id}")),
        exit_code,
        reason: reason.map(Into::into),
        status: Some(status.into()),
        ..ecs::ContainerStateChange::default()
    };
    ecs::SubmitTaskStateChangeRequest {
        cluster: Some(cluster.into()),
        task: Some(report.task.to_string()),
        status: Some(status.into()),
        reason: Some(reason.unwrap_or_default().into()),
        containers: Some(report.containers.iter().map(change).collect()),
        ..ecs::SubmitTaskStateChangeRequest::default()
    }
}
