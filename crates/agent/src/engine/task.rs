//! Where a task stands: what is wanted, what is known of each container, what is yet to be told.

use std::collections::VecDeque;

use longshore_model::{DesiredStatus, HealthStatus, Ids, LastStatus, NetworkBinding, Timestamp};
use longshore_wire::acs;
use serde::{Deserialize, Serialize};

use super::dependency;
use super::reason::{Failure, Reason};
use super::report::Report;
use super::spec::{ContainerSpec, Rejection, TaskSpec};

/// A task on this container instance. One owner holds it and hands it to
/// [`step`](super::step()); what survives a restart of the agent is its serialized form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskState {
    /// What it is made of.
    pub spec: TaskSpec,
    /// STOPPED once the control plane said so or an essential container ended; never RUNNING again.
    pub desired: DesiredStatus,
    /// One for each of the spec's, in its order.
    pub containers: Vec<ContainerState>,
    /// Reports that the control plane has not accepted yet, oldest first. Only the first is sent.
    pub outbox: VecDeque<Report>,
    /// The status that the newest report gave.
    pub reported: LastStatus,
    /// Why the task as a whole failed.
    pub reason: Option<String>,
    /// When the first pull began.
    pub pull_started_at: Option<Timestamp>,
    /// When the last pull ended.
    pub pull_stopped_at: Option<Timestamp>,
    /// When the first essential container ended.
    pub execution_stopped_at: Option<Timestamp>,
    /// When the control plane had taken in all there was to tell of the stopped task; from then on
    /// the containers are kept for a while.
    pub told_at: Option<Timestamp>,
    /// Whether what its containers need together is there. A host that was switched off may have
    /// lost it, so every run of the agent sees to it again.
    #[serde(skip)]
    pub preparation: Preparation,
    /// Whether the first report of the outbox is being sent.
    #[serde(skip)]
    pub submitting: bool,
    /// How far the removal of the containers is.
    #[serde(skip)]
    pub cleanup: Cleanup,
}

/// How far the making of what a task's containers need together is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preparation {
    /// Not begun.
    #[default]
    Due,
    /// Asked for.
    Running,
    /// All of it is there.
    Done,
}

/// How far the removal of a stopped task's containers is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleanup {
    /// Not begun.
    #[default]
    Due,
    /// Asked for.
    Running,
    /// Nothing of the task is left: it can be forgotten.
    Done,
}

/// What is known of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerState {
    /// Its name in Docker, chosen before it is created so that it is found after a crash.
    pub docker_name: String,
    /// Its id in Docker, once created.
    pub docker_id: Option<String>,
    /// What it asks about itself by, a UUID; empty where an agent began it that had no answers.
    #[serde(default)]
    pub metadata_id: String,
    /// Only ever becomes greater.
    pub known: ContainerStatus,
    /// The action whose outcome is awaited; no other is asked for meanwhile.
    #[serde(skip)]
    pub in_flight: Option<Action>,
    /// Docker said that the image is not there; only a pull can help.
    #[serde(skip)]
    pub image_missing: bool,
    /// Why the pull failed. Becomes the reason only if the image turns out to be missing.
    pub pull_failure: Option<Reason>,
    /// Only of a container that ran and ended.
    pub exit_code: Option<i32>,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// The ports of the host that lead to it.
    pub network_bindings: Vec<NetworkBinding>,
    /// The status that the newest report gave.
    pub reported: LastStatus,
    /// Of the image, if it came from a registry.
    #[serde(default)]
    pub image_digest: Option<String>,
    /// When it came to run for the first time.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// It ended and is to run again. Docker tells anew after a restart of the agent.
    #[serde(skip)]
    pub between_runs: bool,
    /// How often it ended and was to run again.
    #[serde(default)]
    pub restarts: u32,
    /// As its health check last had it.
    #[serde(default)]
    pub health: HealthStatus,
    /// Since when; rises with every change, whatever the clock does.
    #[serde(default)]
    pub health_since: Option<Timestamp>,
    /// The health that the newest report gave.
    #[serde(default)]
    pub reported_health: HealthStatus,
    /// What whoever follows its health was told that we know; `None` if nobody does.
    #[serde(skip)]
    pub followed: Option<HealthStatus>,
}

/// How far a container is. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ContainerStatus {
    /// Nothing is done yet.
    None,
    /// A pull is over, well or not.
    Pulled,
    /// It exists.
    Created,
    /// It runs.
    Running,
    /// It ended, or will never be started.
    Stopped,
}

/// What can be under way for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Getting the image.
    Pull,
    /// Creating it.
    Create,
    /// Starting it.
    Start,
    /// Stopping it; ends with its exit.
    Stop,
}

impl TaskState {
    /// A task that the control plane wants, of which nothing is done yet. One whose containers
    /// wait for each other is stopped from the beginning.
    pub fn new(spec: TaskSpec, desired: DesiredStatus, ids: &dyn Ids) -> Self {
        let containers = spec
            .containers
            .iter()
            .map(|it| ContainerState::new(spec.docker_name(&it.name, ids), ids))
            .collect();
        let mut task = Self {
            spec,
            desired,
            containers,
            outbox: VecDeque::new(),
            reported: LastStatus::Pending,
            reason: None,
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
            told_at: None,
            preparation: Preparation::Due,
            submitting: false,
            cleanup: Cleanup::Due,
        };
        if !dependency::can_be_ordered(&task.spec) {
            task.refuse(Failure::TaskDependency.because(format!(
                "Task dependencies cannot be resolved, taskArn: {}",
                task.spec.arn
            )));
        }
        task
    }

    /// A payload's task.
    ///
    /// # Errors
    /// [`Rejection`] when it makes no sense; then [`Self::rejected`] is what to report.
    pub fn load(task: acs::Task, ids: &dyn Ids) -> Result<Self, Rejection> {
        let rejection = |text: String| Rejection {
            arn: task.arn.clone(),
            reason: Failure::UnrecognizedTask.because(format!("Error loading task - {text}")),
        };
        let desired = DesiredStatus::parse(&task.desired_status).ok_or_else(|| {
            rejection(format!("its desired status {:?} is unknown", task.desired_status))
        })?;
        if desired == DesiredStatus::Running && task.containers.is_empty() {
            return Err(rejection("it has no containers".to_owned()));
        }
        Ok(Self::new(TaskSpec::parse(task, ids)?, desired, ids))
    }

    /// A task that cannot be loaded: all there is to do is to report it STOPPED.
    pub fn rejected(rejection: Rejection, ids: &dyn Ids) -> Self {
        let spec = TaskSpec::unreadable(rejection.arn);
        let mut task = Self::new(spec, DesiredStatus::Stopped, ids);
        task.refuse(rejection.reason);
        task
    }

    /// None of its containers will run.
    pub(super) fn refuse(&mut self, reason: Reason) {
        self.desired = DesiredStatus::Stopped;
        self.reason = Some(reason.as_str().to_owned());
        for container in &mut self.containers {
            container.fail(reason.clone());
        }
    }

    /// What the control plane is to see: the least over the containers. Once an essential
    /// container ended the status stays what it was until all have.
    pub fn status(&self) -> LastStatus {
        let least = self.containers.iter().map(|it| it.known).min();
        let essential_ended = self
            .spec
            .containers
            .iter()
            .zip(&self.containers)
            .any(|(spec, state)| spec.essential && state.known == ContainerStatus::Stopped);
        match least {
            None | Some(ContainerStatus::Stopped) => LastStatus::Stopped,
            _ if essential_ended => self.reported,
            Some(ContainerStatus::Running) => LastStatus::Running,
            Some(_) => LastStatus::Pending,
        }
    }

    /// Whether nothing is left to do: reports are accepted and the containers are removed.
    pub fn is_over(&self) -> bool {
        self.cleanup == Cleanup::Done
    }

    /// The container of this name.
    pub fn container(&self, name: &str) -> Option<&ContainerState> {
        self.spec_and_state(name).map(|it| it.1)
    }

    pub(super) fn spec_and_state(&self, name: &str) -> Option<(&ContainerSpec, &ContainerState)> {
        let mut containers = self.spec.containers.iter().zip(&self.containers);
        containers.find(|(spec, _)| spec.name == name)
    }
}

impl ContainerState {
    fn new(docker_name: String, ids: &dyn Ids) -> Self {
        let metadata_id = uuid::Builder::from_random_bytes(ids.next_bits().to_be_bytes());
        Self {
            docker_name,
            docker_id: None,
            metadata_id: metadata_id.into_uuid().to_string(),
            known: ContainerStatus::None,
            in_flight: None,
            image_missing: false,
            pull_failure: None,
            exit_code: None,
            reason: None,
            network_bindings: Vec::new(),
            reported: LastStatus::Pending,
            image_digest: None,
            started_at: None,
            between_runs: false,
            restarts: 0,
            health: HealthStatus::Unknown,
            health_since: None,
            reported_health: HealthStatus::Unknown,
            followed: None,
        }
    }

    /// The container will never run, or ran no more.
    pub(super) fn fail(&mut self, reason: Reason) {
        self.reason = Some(reason);
        self.settle();
    }

    pub(super) fn settle(&mut self) {
        self.known = ContainerStatus::Stopped;
        self.in_flight = None;
        self.between_runs = false;
    }

    pub(super) fn set_health(&mut self, health: HealthStatus, now: Timestamp) {
        let next = self.health_since.map(|it| Timestamp::from_millis(it.millis() + 1));
        self.health_since = next.max(Some(now));
        self.health = health;
    }

    /// The container runs, for the first time or again.
    pub(super) fn runs(&mut self, now: Timestamp) {
        self.started_at = self.started_at.or(Some(now));
        self.exit_code = None;
        self.reason = None;
        if self.between_runs {
            self.followed = None;
        }
        if self.between_runs || self.health_since.is_none() {
            self.set_health(HealthStatus::Unknown, now);
        }
        self.between_runs = false;
        self.advance(ContainerStatus::Running);
    }

    pub(super) fn advance(&mut self, known: ContainerStatus) {
        self.known = self.known.max(known);
        self.in_flight = None;
    }
}
