//! What agents tell of how tasks and container instances fare, of the last hour, in memory alone.
//!
//! Nobody decides anything by it. What is kept is bounded by what was placed: a task has at most as
//! many series as its definition has containers, and one for agents that name none; a task that
//! ended is forgotten, as is an instance that was deregistered. Health is no figure but a fact of
//! the task, and durable (`tasks::report`).

mod checks;
mod series;
mod tasks;

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_model::{ContainerName, InstanceId, LastStatus, Task, TaskId, Timestamp};
use longshore_store::State;

use crate::Control;

pub use checks::{Check, CheckKind, CheckStatus};
pub use series::{KEPT_MINUTES, Minute, Sampled, Series, Usage};
pub use tasks::{TaskFigures, Traffic};

use tasks::TaskHistory;

/// A round is good for so long: agents make one every 20 s.
const FRESH_MILLIS: i64 = 90_000;

/// What an agent says of one of its tasks.
#[derive(Clone, Debug)]
pub struct TaskUsage {
    /// The task.
    pub task: TaskId,
    /// Its containers; agents of 2017 do not name them.
    pub containers: Vec<ContainerUsage>,
}

/// What an agent says of one container.
#[derive(Clone, Debug)]
pub struct ContainerUsage {
    /// The name in the definition.
    pub name: Option<ContainerName>,
    /// CPU and memory.
    pub usage: Usage,
    /// Bytes over the network and block devices; agents of 2017 do not tell.
    pub traffic: Option<Traffic>,
}

/// Which part of a round a message is.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// All messages of a round have the same.
    pub message_id: &'a str,
    /// Whether it is the last one.
    pub is_last: bool,
}

/// A message is about a task of another instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The task {0} does not run on the container instance that opened this connection.")]
pub struct ForeignTask(pub TaskId);

/// The figures of all tasks and container instances.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Of tasks that have not stopped.
    tasks: Mutex<HashMap<TaskId, TaskHistory>>,
    /// Of instances that are registered.
    instances: Mutex<HashMap<InstanceId, InstanceHistory>>,
}

#[derive(Debug, Default)]
struct InstanceHistory {
    series: Series,
    /// The round that is under way.
    round: Option<Round>,
    /// When the last round was complete, and what its tasks used together.
    last: Option<(Timestamp, Usage)>,
    /// What the instance's own checks said, while its agent is there.
    checks: Vec<Check>,
}

#[derive(Debug)]
struct Round {
    /// Of its messages' id, which may be of any length.
    hash: u64,
    usage: Usage,
}

impl Telemetry {
    fn tasks(&self) -> MutexGuard<'_, HashMap<TaskId, TaskHistory>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instances(&self) -> MutexGuard<'_, HashMap<InstanceId, InstanceHistory>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an instance's tasks use together, if that was told lately.
    pub fn used(&self, instance: InstanceId, now: Timestamp) -> Option<Usage> {
        let (at, usage) = self.instances().get(&instance)?.last?;
        (now.millis() - at.millis() <= FRESH_MILLIS).then_some(usage)
    }

    /// The last hour of what an instance's tasks used together.
    pub fn of_instance(&self, instance: InstanceId) -> Option<Series> {
        self.instances().get(&instance).map(|it| it.series.clone())
    }

    /// The last hour of a task.
    pub fn of_task(&self, task: TaskId) -> Option<TaskFigures> {
        self.tasks().get(&task).map(TaskHistory::figures)
    }

    /// What each container of a task used in the last minute that was told, which may be long ago,
    /// and its counters.
    pub fn latest(
        &self,
        task: TaskId,
        mut show: impl FnMut(Option<&ContainerName>, Minute, Option<Traffic>),
    ) {
        if let Some(history) = self.tasks().get(&task) {
            history.latest(&mut show);
        }
    }

    /// What an instance's own checks say; nothing where its agent is not there or does not tell.
    pub fn checks(&self, instance: InstanceId) -> Vec<Check> {
        self.instances().get(&instance).map(|it| it.checks.clone()).unwrap_or_default()
    }

    /// The agent is gone, and with it what it knows by itself.
    pub fn forget_checks(&self, instance: InstanceId) {
        if let Some(history) = self.instances().get_mut(&instance) {
            history.checks.clear();
        }
    }

    /// A task has stopped.
    pub fn forget_task(&self, task: TaskId) {
        let mut tasks = self.tasks();
        tasks.remove(&task);
        if tasks.capacity() > 4 * tasks.len() + 1024 {
            tasks.shrink_to_fit();
        }
    }

    /// An instance was deregistered.
    pub fn forget_instance(&self, instance: InstanceId) {
        self.instances().remove(&instance);
    }

    /// Forgets all that is not there any more, for whoever does not know what has gone.
    pub fn forget_absent(&self, state: &State) {
        self.tasks().retain(|id, _| state.task(*id).is_some_and(|it| is_live(it)));
        self.instances().retain(|id, _| is_registered(state, *id));
    }

    /// How many tasks and container instances there are figures of.
    pub fn len(&self) -> (usize, usize) {
        (self.tasks().len(), self.instances().len())
    }
}

impl Control {
    /// Takes in a message of metrics: what of it is of tasks that ended meanwhile is passed over.
    ///
    /// # Errors
    /// [`ForeignTask`], and nothing is recorded.
    pub fn record_metrics(
        &self,
        instance: InstanceId,
        part: Part<'_>,
        told: &[TaskUsage],
    ) -> Result<(), ForeignTask> {
        check_own(&self.view(), instance, told.iter().map(|it| it.task))?;
        let now = self.now();
        let telemetry = self.telemetry();
        let mut together = Usage::NOTHING;
        {
            let mut histories = telemetry.tasks();
            // Read under the lock: whoever forgets a task does so after the state has.
            let state = self.view();
            for TaskUsage { task, containers } in told {
                let Some(task) = state.task(*task).filter(|it| is_live(it)) else { continue };
                let history = histories.entry(task.id).or_default();
                together = together.beside(history.record(task, containers, now));
            }
        }
        let mut instances = telemetry.instances();
        if is_registered(&self.view(), instance) {
            instances.entry(instance).or_default().take_part(part, together, now);
        }
        Ok(())
    }

    /// Takes in what an instance's own checks say.
    pub fn record_instance_checks(&self, instance: InstanceId, checks: Vec<Check>) {
        let mut instances = self.telemetry().instances();
        if is_registered(&self.view(), instance) {
            let history = instances.entry(instance).or_default();
            checks.into_iter().for_each(|it| it.put_into(&mut history.checks));
        }
    }
}

impl InstanceHistory {
    fn take_part(&mut self, part: Part<'_>, usage: Usage, now: Timestamp) {
        let mut hasher = DefaultHasher::new();
        part.message_id.hash(&mut hasher);
        let hash = hasher.finish();
        let before = self.round.take().filter(|it| it.hash == hash);
        let usage = before.map_or(usage, |it| it.usage.beside(usage));
        if part.is_last {
            self.series.record(usage, now);
            self.last = Some((now, usage));
        } else {
            self.round = Some(Round { hash, usage });
        }
    }
}

/// Whether all tasks that are known are this instance's.
pub(crate) fn check_own(
    state: &State,
    instance: InstanceId,
    tasks: impl IntoIterator<Item = TaskId>,
) -> Result<(), ForeignTask> {
    let is_own = |it: &Arc<Task>| it.container_instance == instance;
    match tasks.into_iter().find(|it| state.task(*it).is_some_and(|it| !is_own(it))) {
        Some(foreign) => Err(ForeignTask(foreign)),
        None => Ok(()),
    }
}

fn is_live(task: &Task) -> bool {
    task.last_status != LastStatus::Stopped
}

fn is_registered(state: &State, instance: InstanceId) -> bool {
    let status = state.instance(instance).map(|it| it.status);
    status.is_some_and(|it| it != longshore_model::InstanceStatus::Inactive)
}

#[cfg(test)]
mod tests;
