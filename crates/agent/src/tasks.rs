//! All tasks of the container instance: who owns which, and what an earlier run left behind.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;

use longshore_model::DesiredStatus;
use longshore_wire::acs;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::engine::{ContainerStatus, Found, Input, Rejection, TaskState};
use crate::runtime::Inventory;
use crate::system::{IdsOfTask, RandomIds};
use crate::worker::{Message, Tools, Worker};

/// The most tasks that are over and remembered. A message that is late for long is not looked for.
const MOST_OVER: usize = 100;

/// The tasks of one container instance. Dropping it ends the workers and leaves the containers.
pub(crate) struct Tasks {
    tools: Tools,
    inventory: Inventory,
    workers: HashMap<String, Handle>,
    running: JoinSet<String>,
    /// The last of those that are over: one that is told of again does not begin again.
    over: VecDeque<String>,
    /// Looks for what belongs to nobody; the latest look alone counts.
    looking: JoinSet<()>,
}

/// The way to a worker.
struct Handle {
    messages: mpsc::UnboundedSender<Message>,
    live: watch::Receiver<bool>,
}

/// Why an assignment is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssignError {
    /// It cannot even be reported.
    #[error("a task without an ARN")]
    NoArn,
    /// It is reported STOPPED.
    #[error("the task was rejected")]
    Rejected,
    /// The control plane is to send it again.
    #[error("the task could not be saved")]
    Save(#[from] io::Error),
}

impl Tasks {
    /// Takes over what an earlier run left: tasks from their files, containers by their labels.
    /// When this returns nothing that ran before can be started again.
    pub(crate) async fn resume(tools: Tools, inventory: Inventory) -> io::Result<Self> {
        let (workers, running, over, looking) = Default::default();
        let mut saved = tools.files.tasks()?;
        // Of those that have stopped, the oldest are the first to make room.
        saved.sort_by_key(|it| it.told_at);
        let mut tasks = Self { tools, inventory, workers, running, over, looking };
        for state in saved {
            let first = tasks.adoption(&state).await;
            // Its file is what it was read from; a failure to write it is logged.
            drop(tasks.spawn(state, first));
        }
        if !tasks.workers.is_empty() {
            info!(tasks = tasks.workers.len(), "tasks of before are adopted");
        }
        Ok(tasks)
    }

    /// Begins a task, or stops a known one. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`AssignError`] when the control plane must not take it as understood and saved.
    pub(crate) async fn assign(&mut self, task: acs::Task) -> Result<(), AssignError> {
        if task.arn.is_empty() {
            return Err(AssignError::NoArn);
        }
        self.forget_those_that_are_over();
        if self.workers.contains_key(&task.arn) {
            if DesiredStatus::parse(&task.desired_status) == Some(DesiredStatus::Stopped) {
                self.stop(&task.arn).await?;
            }
            return Ok(());
        }
        if self.over.contains(&task.arn) {
            info!(arn = task.arn, "a task that is over is told of again: passing it over");
            return Ok(());
        }
        let arn = task.arn.clone();
        let state = match TaskState::load(task, &IdsOfTask::new(&arn)) {
            Ok(state) => state,
            Err(rejection) => {
                self.reject(rejection).await?;
                return Err(AssignError::Rejected);
            }
        };
        info!(task = state.spec.short_id(), desired = state.desired.as_str(), "assigned");
        let first = self.adoption(&state).await;
        self.spawn(state, first).await.map_err(|_| gone())??;
        Ok(())
    }

    /// Reports a task that cannot be loaded as STOPPED.
    pub(crate) async fn reject(&mut self, rejection: Rejection) -> Result<(), AssignError> {
        let Rejection { arn, reason } = &rejection;
        warn!(arn, %reason, "the task is rejected");
        if arn.is_empty() {
            return Err(AssignError::NoArn);
        }
        if !self.workers.contains_key(arn) {
            let state = TaskState::rejected(rejection, &RandomIds);
            self.spawn(state, Input::Tick).await.map_err(|_| gone())??;
        }
        Ok(())
    }

    /// Stops a task, if it is known.
    pub(crate) async fn stop(&mut self, arn: &str) -> io::Result<()> {
        let Some(handle) = self.workers.get(arn) else { return Ok(()) };
        let (saved, is_saved) = oneshot::channel();
        let message = Message { input: Input::StopRequested, saved };
        // A worker that is gone has nothing left to stop.
        match handle.messages.send(message) {
            Ok(()) => is_saved.await.unwrap_or(Ok(())),
            Err(_) => Ok(()),
        }
    }

    /// Every task that is not over, by its ARN, and what is meant for it.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, DesiredStatus)> {
        self.workers.iter().map(|(arn, worker)| match *worker.live.borrow() {
            true => (arn.as_str(), DesiredStatus::Running),
            false => (arn.as_str(), DesiredStatus::Stopped),
        })
    }

    /// Removes containers that were made, never started, and belong to no task: not to one that is
    /// here, nor to one of those that the control plane lists. An agent that was killed while Docker
    /// made one may have left it, and Docker may have been longer about it than the task lived.
    pub(crate) fn discard_what_is_nobodys(&mut self, mut listed: HashSet<String>) {
        listed.extend(self.workers.keys().cloned());
        let Tools { daemon, board, common, .. } = self.tools.clone();
        self.looking.abort_all();
        self.looking.spawn(async move {
            let made = match daemon.never_started(&common.container_instance).await {
                Ok(made) => made,
                Err(error) => return warn!(error, "containers cannot be listed"),
            };
            // Asked after Docker: whoever has a container made shows its task first.
            listed.extend(board.tasks().iter().map(|it| it.arn.clone()));
            let is_nobodys = |(_, task): &(String, String)| !listed.contains(task);
            for (container, task) in made.into_iter().filter(is_nobodys) {
                info!(container, task, "a container that never started is nobody's: removing it");
                daemon.clean_up(&[container], &[]).await;
            }
        });
    }

    /// Gives up every task, and leaves its containers as they are.
    pub(crate) fn abandon(mut self) {
        self.running.abort_all();
        for arn in self.workers.keys() {
            self.tools.files.remove_task(arn);
            self.tools.board.forget(arn);
        }
    }

    /// What Docker has of the task's containers, if it may have any.
    async fn adoption(&mut self, state: &TaskState) -> Input {
        let docker_ids = self.inventory.take(&state.spec.arn);
        let is_new = state.containers.iter().all(|it| it.known < ContainerStatus::Created);
        if docker_ids.is_empty() && is_new {
            return Input::Tick;
        }
        let mut found = Vec::new();
        for (spec, container) in state.spec.containers.iter().zip(&state.containers) {
            let is_settled = container.known == ContainerStatus::Stopped;
            let ids = docker_ids.get(&spec.name).filter(|_| !is_settled);
            let mut there = Vec::new();
            for docker_id in ids.into_iter().flatten() {
                there.push(self.tools.daemon.find(docker_id).await);
            }
            found.push(Found::of_several(there, container.docker_id.as_deref()));
        }
        Input::Adopted(found)
    }

    fn spawn(&mut self, state: TaskState, first: Input) -> oneshot::Receiver<io::Result<()>> {
        let (sender, messages) = mpsc::unbounded_channel();
        let (saved, is_saved) = oneshot::channel();
        let arn = state.spec.arn.clone();
        let (live, is_live) = watch::channel(true);
        self.workers.insert(arn.clone(), Handle { messages: sender, live: is_live });
        let worker = Worker::new(state, self.tools.clone(), messages, live);
        self.running.spawn(async move {
            worker.run(Message { input: first, saved }).await;
            arn
        });
        is_saved
    }

    fn forget_those_that_are_over(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            if let Ok(arn) = ended {
                self.workers.remove(&arn);
                self.over.truncate(MOST_OVER - 1);
                self.over.push_front(arn);
            }
        }
    }
}

fn gone() -> AssignError {
    AssignError::Save(io::Error::other("the task's worker is gone"))
}
