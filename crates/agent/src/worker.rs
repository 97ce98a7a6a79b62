//! One task: its state, and the performance of what the engine asks for.
//!
//! The worker alone holds the state. Effects run beside it, all at once, and come back as inputs.
//! It holds no rule: what is to be done, and in which order, the engine says.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use longshore_model::DesiredStatus;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{error, info, warn};

use crate::board::Board;
use crate::engine::{
    ContainerStatus, Effect, Failure, Input, Limits, Policy, Reason, TaskSpec, TaskState,
    VolumeSource, step, wake_at,
};
use crate::files::Files;
use crate::images::{Images, Pull};
use crate::reporter::Reporter;
use crate::runtime::{Common, ControlGroups, Daemon};
use crate::system::{now, until};

/// What all workers share.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) daemon: Daemon,
    pub(crate) board: Board,
    pub(crate) common: Arc<Common>,
    /// `None` where tasks cannot be limited as a whole.
    pub(crate) groups: Option<ControlGroups>,
    pub(crate) images: Arc<Images>,
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
    /// Who follows the health of which container.
    followers: HashMap<usize, AbortHandle>,
}

impl Worker {
    pub(crate) fn new(
        state: TaskState,
        tools: Tools,
        messages: mpsc::UnboundedReceiver<Message>,
        live: Arc<AtomicBool>,
    ) -> Self {
        let (effects, pending, followers) = Default::default();
        Self { state, tools, messages, live, effects, pending, followers }
    }

    /// Carries the task on from `first` until nothing of it is left.
    pub(crate) async fn run(mut self, first: Message) {
        let mut next = (first.input, Some(first.saved));
        loop {
            self.advance(next.0, next.1);
            if self.state.is_over() {
                self.tools.files.remove_task(&self.state.spec.arn);
                self.tools.board.forget(&self.state.spec.arn);
                return;
            }
            let wake_at = wake_at(&self.state, &self.tools.policy, now());
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
        let before: Vec<_> =
            self.state.containers.iter().map(|it| (it.known, it.restarts)).collect();
        let is_news = input != Input::Tick;
        let effects = step(&mut self.state, input, &self.tools.policy, now());
        self.live.store(self.state.desired == DesiredStatus::Running, Ordering::Relaxed);
        self.tools.board.show(&self.state);
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
            Effect::Prepare => {
                let spec = self.state.spec.clone();
                self.effects
                    .spawn(async move { Some(Input::Prepared(tools.prepare(&spec).await)) });
            }
            Effect::Pull(container) => {
                let Some(spec) = self.state.spec.containers.get(container) else { return };
                let (image, login) = (spec.image.clone(), spec.registry_login.clone());
                info!(task = self.id(), container = spec.name, image, "pulling");
                let handle = self.effects.spawn(async move {
                    let pull = tools.images.pull(&tools.daemon, &image, login.as_ref()).await;
                    let Pull { started_at, outcome } = pull;
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
                    let exit = tools.daemon.exit(&docker_id).await;
                    Some(Input::Exited { container, exit })
                });
            }
            Effect::FollowHealth { container, known } => {
                let Some(docker_id) = self.docker_id(container) else { return };
                let handle = self.effects.spawn(async move {
                    let status = tools.daemon.health(&docker_id, known).await;
                    Some(Input::Health { container, status })
                });
                if let Some(earlier) = self.followers.insert(container, handle) {
                    earlier.abort();
                }
            }
            Effect::Stop(container) => {
                let Some(docker_id) = self.docker_id(container) else { return };
                let spec = self.state.spec.containers.get(container);
                let own_timeout = spec.and_then(|it| it.stop_timeout_secs);
                let own_timeout = own_timeout.map(|it| Duration::from_secs(it.into()));
                let handle = self.effects.spawn(async move {
                    let timeout = own_timeout.unwrap_or(tools.stop_timeout);
                    tools.daemon.stop(&docker_id, timeout).await;
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
            Effect::CleanUp { containers, volumes, limits } => {
                info!(task = self.id(), "removing its containers");
                let group = self.state.spec.file_name();
                self.effects.spawn(async move {
                    tools.daemon.clean_up(&containers, &volumes).await;
                    if let Some(groups) = tools.groups.filter(|_| limits) {
                        groups.remove(&group);
                    }
                    Some(Input::CleanedUp)
                });
            }
        }
    }

    fn docker_id(&self, container: usize) -> Option<String> {
        self.state.containers.get(container)?.docker_id.clone()
    }

    /// A pull, a stop, or the health of a container that has stopped is of no use any more.
    fn drop_what_is_settled(&mut self) {
        let containers = &self.state.containers;
        let is_of_use = |container: usize, handle: &AbortHandle| {
            let stopped =
                containers.get(container).is_none_or(|it| it.known == ContainerStatus::Stopped);
            if stopped {
                handle.abort();
            }
            !stopped
        };
        self.pending.retain(|(container, handle)| is_of_use(*container, handle));
        self.followers.retain(|container, handle| is_of_use(*container, handle));
    }

    fn id(&self) -> &str {
        self.state.spec.short_id()
    }

    /// Logs what became of the containers in this step.
    fn tell(&self, before: &[(ContainerStatus, u32)]) {
        let containers = self.state.spec.containers.iter().zip(&self.state.containers);
        for ((spec, state), (before, restarts)) in containers.zip(before) {
            let (task, container) = (self.id(), spec.name.as_str());
            match state.known {
                _ if state.restarts > *restarts => {
                    let (exit_code, restarts) = (state.exit_code, state.restarts);
                    info!(task, container, ?exit_code, restarts, "ended: starting it again");
                }
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

impl Tools {
    /// Makes what the task's containers need together.
    async fn prepare(&self, task: &TaskSpec) -> Result<(), Reason> {
        if task.limits != Limits::default() {
            let failed = |text: String| Failure::ResourceInitialization.because(text);
            let groups = self.groups.as_ref().ok_or_else(|| {
                failed("this container instance cannot limit a task's cpu and memory".to_owned())
            })?;
            let made = groups.make(&task.file_name(), task.limits);
            made.map_err(|error| failed(format!("cgroup: {error}")))?;
        }
        for volume in &task.volumes {
            if let VolumeSource::Configured(volume) = &volume.source {
                self.daemon.provide_volume(volume).await?;
            }
        }
        Ok(())
    }
}
