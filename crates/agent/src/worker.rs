//! One task: its state, and the performance of what the engine asks for.
//!
//! The worker alone holds the state. Effects run beside it, all at once, and come back as inputs.
//! It holds no rule: what is to be done, and in which order, the engine says.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use longshore_model::DesiredStatus;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{error, info, warn};

use crate::engine::{ContainerStatus, Effect, Input, Policy, TaskState, step, wake_at};
use crate::files::Files;
use crate::reporter::Reporter;
use crate::runtime::{Common, Daemon};
use crate::system::{now, until};

/// What all workers share.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) daemon: Daemon,
    pub(crate) common: Arc<Common>,
    pub(crate) reporter: Reporter,
    pub(crate) files: Files,
    pub(crate) policy: Policy,
    /// Between SIGTERM and SIGKILL.
    pub(crate) stop_timeout: Duration,
}

/// An input from outside.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) input: Input,
    /// Told when what the input changed is on file.
    pub(crate) saved: oneshot::Sender<io::Result<()>>,
}

/// The owner of one task.
pub(crate) struct Worker {
    state: TaskState,
    tools: Tools,
    messages: mpsc::UnboundedReceiver<Message>,
    /// Whether the task is still meant to run, for those who only want to know that.
    live: Arc<AtomicBool>,
    effects: JoinSet<Option<Input>>,
    /// What to drop once the container has stopped.
    pending: Vec<(usize, AbortHandle)>,
}

impl Worker {
    pub(crate) fn new(
        state: TaskState,
        tools: Tools,
        messages: mpsc::UnboundedReceiver<Message>,
        live: Arc<AtomicBool>,
    ) -> Self {
        Self { state, tools, messages, live, effects: JoinSet::new(), pending: Vec::new() }
    }

    /// Carries the task on from `first` until nothing of it is left.
    pub(crate) async fn run(mut self, first: Message) {
        let mut next = (first.input, Some(first.saved));
        loop {
            self.advance(next.0, next.1);
            if self.state.is_over() {
                self.tools.files.remove_task(&self.state.spec.arn);
                return;
            }
            let wake_at = wake_at(&self.state, &self.tools.policy);
            let pause = wake_at.map_or(Duration::MAX, until);
            next = tokio::select! {
                Some(message) = self.messages.recv() => (message.input, Some(message.saved)),
                Some(outcome) = self.effects.join_next() => match outcome {
                    Ok(Some(input)) => (input, None),
                    // Dropped, or nothing to tell.
                    Ok(None) | Err(_) => (Input::Tick, None),
                },
                () = tokio::time::sleep(pause), if wake_at.is_some() => (Input::Tick, None),
                else => return,
            };
        }
    }

    /// Docker is asked before the state is on file: should we die in between, Docker tells what
    /// came of it. The control plane is told after: were we to forget what it knows, a task that
    /// it has counted out could begin again.
    fn advance(&mut self, input: Input, saved: Option<oneshot::Sender<io::Result<()>>>) {
        let before: Vec<ContainerStatus> =
            self.state.containers.iter().map(|it| it.known).collect();
        let is_news = input != Input::Tick;
        let effects = step(&mut self.state, input, &self.tools.policy, now());
        self.live.store(self.state.desired == DesiredStatus::Running, Ordering::Relaxed);
        self.drop_what_is_settled();
        let save = is_news || !effects.is_empty();
        let (reports, deeds): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|it| matches!(it, Effect::Submit(_)));
        for deed in deeds {
            self.perform(deed);
        }
        self.tell(&before);
        let result = if save { self.tools.files.save_task(&self.state) } else { Ok(()) };
        if let Err(error) = &result {
            error!(task = self.id(), %error, "the task's file cannot be written");
        }
        for report in reports {
            self.perform(report);
        }
        if let Some(saved) = saved {
            // Whoever asked may be gone; the state is on file all the same.
            let _ = saved.send(result);
        }
    }

    fn perform(&mut self, effect: Effect) {
        let tools = self.tools.clone();
        match effect {
            Effect::Pull(container) => {
                let Some(spec) = self.state.spec.containers.get(container) else { return };
                let (image, started_at) = (spec.image.clone(), now());
                info!(task = self.id(), container = spec.name, image, "pulling");
                let handle = self.effects.spawn(async move {
                    let outcome = tools.daemon.pull(&image).await;
                    Some(Input::Pulled { container, started_at, outcome })
                });
                self.pending.push((container, handle));
            }
            Effect::Create(container) => {
                let body = tools.daemon.creation(&tools.common, &self.state, container);
                self.effects.spawn(async move {
                    let outcome = tools.daemon.create(body).await;
                    Some(Input::Created { container, outcome })
                });
            }
            Effect::Start(container) => {
                let Some(docker_id) = self.docker_id(container) else { return };
                let spec = self.state.spec.containers.get(container);
                let offers_ports = spec.is_some_and(|it| it.offers_ports());
                self.effects.spawn(async move {
                    let outcome = tools.daemon.start(&docker_id, offers_ports).await;
                    Some(Input::Started { container, outcome })
                });
            }
            Effect::Watch(container) => {
                let Some(docker_id) = self.docker_id(container) else { return };
                self.effects.spawn(async move {
                    let (exit_code, reason) = tools.daemon.exit(&docker_id).await;
                    Some(Input::Exited { container, exit_code, reason })
                });
            }
            Effect::Stop(container) => {
                let Some(docker_id) = self.docker_id(container) else { return };
                let handle = self.effects.spawn(async move {
                    tools.daemon.stop(&docker_id, tools.stop_timeout).await;
                    None
                });
                self.pending.push((container, handle));
            }
            Effect::Submit(report) => {
                let (arn, id) = (self.state.spec.arn.clone(), self.id().to_owned());
                self.effects.spawn(async move {
                    if report.tells_an_end() {
                        tools.files.sync_task(&arn).await;
                    }
                    tools.reporter.submit(&arn, &id, report).await;
                    Some(Input::ReportAccepted)
                });
            }
            Effect::CleanUp { containers, volumes } => {
                info!(task = self.id(), "removing its containers");
                self.effects.spawn(async move {
                    tools.daemon.clean_up(&containers, &volumes).await;
                    Some(Input::CleanedUp)
                });
            }
        }
    }

    fn docker_id(&self, container: usize) -> Option<String> {
        self.state.containers.get(container)?.docker_id.clone()
    }

    /// A pull or a stop of a container that has stopped is of no use any more.
    fn drop_what_is_settled(&mut self) {
        let containers = &self.state.containers;
        self.pending.retain(|(container, handle)| {
            let stopped =
                containers.get(*container).is_none_or(|it| it.known == ContainerStatus::Stopped);
            if stopped {
                handle.abort();
            }
            !stopped
        });
    }

    fn id(&self) -> &str {
        self.state.spec.short_id()
    }

    /// Logs what became of the containers in this step.
    fn tell(&self, before: &[ContainerStatus]) {
        let containers = self.state.spec.containers.iter().zip(&self.state.containers);
        for ((spec, state), before) in containers.zip(before) {
            let (task, container) = (self.id(), spec.name.as_str());
            match state.known {
                known if known == *before => {}
                ContainerStatus::Running => info!(task, container, "running"),
                ContainerStatus::Stopped => match (&state.reason, state.exit_code) {
                    (Some(reason), code) => {
                        warn!(task, container, exit_code = ?code, %reason, "stopped");
                    }
                    (None, Some(exit_code)) => info!(task, container, exit_code, "stopped"),
                    (None, None) => info!(task, container, "stopped before it ran"),
                },
                ContainerStatus::None | ContainerStatus::Pulled | ContainerStatus::Created => {}
            }
        }
    }
}
