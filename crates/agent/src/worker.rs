//! One task: its state, and the performance of what the engine asks for.
//!
//! The worker alone holds the state. Effects run beside it, all at once, and come back as inputs.
//! It holds no rule: what is to be done, and in which order, the engine says.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use longshore_model::DesiredStatus;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{info, warn};

use crate::board::Board;
use crate::engine::{
    ContainerStatus, CreateOutcome, Effect, Failure, Input, Limits, Policy, Reason, StartOutcome,
    TaskSpec, TaskState, VolumeSource, step, wake_at,
};
use crate::files::Files;
use crate::images::{Images, Pull, Wanted};
use crate::kept::Kept;
use crate::pulse::Pulse;
use crate::reporter::Reporter;
use crate::runtime::{Common, ControlGroups, Daemon};
use crate::system::{now, until};
use crate::turns::{Arrival, Turn, Turns};

/// What all workers share.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) daemon: Daemon,
    pub(crate) board: Board,
    pub(crate) pulse: Pulse,
    pub(crate) common: Arc<Common>,
    /// `None` where tasks cannot be limited as a whole.
    pub(crate) groups: Option<ControlGroups>,
    pub(crate) images: Arc<Images>,
    /// To make containers and to start them.
    pub(crate) turns: Turns,
    pub(crate) reporter: Reporter,
    pub(crate) files: Files,
    pub(crate) policy: Policy,
    /// The stopped tasks.
    pub(crate) kept: Kept,
    /// For those of them that are to make room.
    pub(crate) least_cleanup_wait: Duration,
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

/// What came of an effect.
struct Outcome {
    input: Option<Input>,
    /// Kept until the engine has asked for what follows: the start of a container that was made.
    turn: Option<Turn>,
}

/// The owner of one task.
pub(crate) struct Worker {
    state: TaskState,
    tools: Tools,
    messages: mpsc::UnboundedReceiver<Message>,
    /// Whether the task is still meant to run, for those who only want to know that.
    live: watch::Sender<bool>,
    arrival: Arrival,
    /// Its images are not removed as long as it is there.
    _images: Wanted,
    /// Once it has stopped and all of it is told: says when it is to make room.
    room: Option<Arc<Notify>>,
    effects: JoinSet<Outcome>,
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
        live: watch::Sender<bool>,
    ) -> Self {
        let arrival = tools.turns.arrive();
        let _images = tools.images.want(&state.spec);
        let room = state.told_at.map(|_| tools.kept.add());
        let (effects, pending, followers) = Default::default();
        Self { state, tools, messages, live, arrival, _images, room, effects, pending, followers }
    }

    /// Carries the task on from `first` until nothing of it is left.
    pub(crate) async fn run(mut self, first: Message) {
        let mut next = (first.input, Some(first.saved), None);
        let mut is_first = true;
        loop {
            let saved = self.advance(next.0, next.1);
            if let (Err(reason), true) = (saved, std::mem::take(&mut is_first)) {
                // The file cannot be written now either; whatever that says was said.
                let _ = self.advance(Input::Unsaved(reason), None);
            }
            drop(next.2);
            if self.state.is_over() {
                self.tools.files.remove_task(&self.state.spec.arn);
                self.tools.board.forget(&self.state.spec.arn);
                return;
            }
            if self.state.told_at.is_some() && self.room.is_none() {
                self.room = Some(self.tools.kept.add());
            }
            let wake_at = wake_at(&self.state, &self.tools.policy, now());
            let pause = wake_at.map_or(Duration::MAX, until);
            next = tokio::select! {
                Some(message) = self.messages.recv() => (message.input, Some(message.saved), None),
                Some(outcome) = self.effects.join_next() => match outcome {
                    Ok(Outcome { input, turn }) => (input.unwrap_or(Input::Tick), None, turn),
                    // Dropped.
                    Err(_) => (Input::Tick, None, None),
                },
                () = tokio::time::sleep(pause), if wake_at.is_some() => (Input::Tick, None, None),
                () = wanted(self.room.as_deref()) => {
                    self.make_room();
                    (Input::Tick, None, None)
                }
                else => return,
            };
        }
    }

    /// From now on its containers are kept for as short as may be.
    fn make_room(&mut self) {
        let least = u32::try_from(self.tools.least_cleanup_wait.as_secs()).unwrap_or(u32::MAX);
        let policy = &mut self.tools.policy;
        policy.cleanup_wait_secs = policy.cleanup_wait_secs.min(least);
    }

    /// Docker is asked before the state is on file: should we die in between, Docker tells what
    /// came of it. The control plane is told after: were we to forget what it knows, a task that
    /// it has counted out could begin again.
    ///
    /// Says why the state is not on file, if it is not; the files have logged that.
    fn advance(
        &mut self,
        input: Input,
        saved: Option<oneshot::Sender<io::Result<()>>>,
    ) -> Result<(), Reason> {
        let before: Vec<_> =
            self.state.containers.iter().map(|it| (it.known, it.restarts)).collect();
        let is_news = input != Input::Tick;
        let effects = step(&mut self.state, input, &self.tools.policy, now());
        self.tools.board.show(&self.state);
        let live = self.state.desired == DesiredStatus::Running;
        self.live.send_if_modified(|it| std::mem::replace(it, live) != live);
        self.drop_what_is_settled();
        let save = is_news || !effects.is_empty();
        let (reports, deeds): (Vec<_>, Vec<_>) =
            effects.into_iter().partition(|it| matches!(it, Effect::Submit(_)));
        for deed in deeds {
            self.perform(deed);
        }
        self.tell(&before);
        let result = if save { self.tools.files.save_task(&self.state) } else { Ok(()) };
        let is_saved = result.as_ref().map(drop).map_err(|error| {
            let text = format!("the agent's data directory cannot be written: {error}");
            Failure::ResourceInitialization.because(text)
        });
        for report in reports {
            self.perform(report);
        }
        if let Some(saved) = saved {
            // Whoever asked may be gone; the state is on file all the same.
            let _ = saved.send(result);
        }
        is_saved
    }

    fn perform(&mut self, effect: Effect) {
        let tools = self.tools.clone();
        match effect {
            Effect::Prepare => {
                let spec = self.state.spec.clone();
                self.spawn(async move { Some(Input::Prepared(tools.prepare(&spec).await)) });
            }
            Effect::Pull(container) => {
                let Some(spec) = self.state.spec.containers.get(container) else { return };
                let (image, login) = (spec.image.clone(), spec.registry_login.clone());
                info!(task = self.id(), container = spec.name, image, "pulling");
                let handle = self.spawn(async move {
                    let pull = tools.images.pull(&image, login.as_ref()).await;
                    let Pull { started_at, outcome } = pull;
                    if started_at.is_some() {
                        tools.pulse.pulled(outcome.is_ok());
                    }
                    Some(Input::Pulled { container, started_at, outcome })
                });
                self.pending.push((container, handle));
            }
            Effect::Create(container) => {
                let body = tools.daemon.creation(&tools.common, &self.state, container);
                let (place, stops) = (tools.turns.ask(self.arrival), self.stops());
                self.effects.spawn(async move {
                    let create = tools.daemon.create(body);
                    let (outcome, turn) = place.then(stops, create).await;
                    let outcome = outcome.unwrap_or(CreateOutcome::NotBegun);
                    Outcome { input: Some(Input::Created { container, outcome }), turn }
                });
            }
            Effect::Start(container) => {
                let Some(docker_id) = self.docker_id(container) else { return };
                let spec = self.state.spec.containers.get(container);
                let offers_ports = spec.is_some_and(|it| it.offers_ports());
                let (place, stops) = (tools.turns.ask(self.arrival), self.stops());
                self.effects.spawn(async move {
                    let start = tools.daemon.start(&docker_id, offers_ports);
                    let (outcome, turn) = place.then(stops, start).await;
                    let outcome = outcome.unwrap_or(StartOutcome::NotBegun);
                    Outcome { input: Some(Input::Started { container, outcome }), turn }
                });
            }
            Effect::Watch(container) => {
                let Some(docker_id) = self.docker_id(container) else { return };
                self.spawn(async move {
                    let exit = tools.daemon.exit(&docker_id).await;
                    Some(Input::Exited { container, exit })
                });
            }
            Effect::FollowHealth { container, known } => {
                let Some(docker_id) = self.docker_id(container) else { return };
                let handle = self.spawn(async move {
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
                let handle = self.spawn(async move {
                    let timeout = own_timeout.unwrap_or(tools.stop_timeout);
                    tools.daemon.stop(&docker_id, timeout).await;
                    None
                });
                self.pending.push((container, handle));
            }
            Effect::Submit(report) => {
                let (arn, id) = (self.state.spec.arn.clone(), self.id().to_owned());
                self.spawn(async move {
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
                self.spawn(async move {
                    tools.daemon.clean_up(&containers, &volumes).await;
                    if let Some(groups) = tools.groups.filter(|_| limits) {
                        groups.remove(&group);
                    }
                    Some(Input::CleanedUp)
                });
            }
        }
    }

    /// Performs an effect that takes no turn.
    fn spawn(
        &mut self,
        effect: impl Future<Output = Option<Input>> + Send + 'static,
    ) -> AbortHandle {
        self.effects.spawn(async move { Outcome { input: effect.await, turn: None } })
    }

    fn docker_id(&self, container: usize) -> Option<String> {
        self.state.containers.get(container)?.docker_id.clone()
    }

    /// Returns when the task is not meant to run any more.
    fn stops(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut live = self.live.subscribe();
        async move {
            // An error says that the worker is gone, and with it whoever waits here.
            let _ = live.wait_for(|live| !live).await;
        }
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

async fn wanted(room: Option<&Notify>) {
    match room {
        Some(room) => room.notified().await,
        None => std::future::pending().await,
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
