//! What the instance's tasks look like from outside: written by their workers, read by whoever
//! answers questions about them. It decides nothing, and holds no environment and no secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_model::{DesiredStatus, HealthStatus, LastStatus, NetworkBinding, Timestamp};

use crate::engine::{ContainerSpec, ContainerState, ContainerStatus, Limits, TaskState};

/// All tasks that have a worker, by ARN, and where they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    /// The instance's ARN, from the first registration on.
    container_instance: Option<String>,
    tasks: BTreeMap<String, Arc<TaskView>>,
}

/// A task as it was after its worker's latest step.
#[derive(Clone, Debug)]
pub(crate) struct TaskView {
    pub(crate) arn: String,
    pub(crate) family: String,
    /// The task definition's revision, as text.
    pub(crate) version: String,
    pub(crate) desired: DesiredStatus,
    pub(crate) known: ContainerStatus,
    pub(crate) limits: Limits,
    pub(crate) launch_type: Option<String>,
    pub(crate) pull_started_at: Option<Timestamp>,
    pub(crate) pull_stopped_at: Option<Timestamp>,
    pub(crate) execution_stopped_at: Option<Timestamp>,
    /// In the task definition's order.
    pub(crate) containers: Vec<ContainerView>,
}

/// A container of a task.
#[derive(Clone, Debug)]
pub(crate) struct ContainerView {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) docker_name: String,
    /// Once created.
    pub(crate) docker_id: Option<String>,
    /// A UUID by which the container asks about itself; empty for some of an older agent.
    pub(crate) metadata_id: String,
    pub(crate) known: ContainerStatus,
    pub(crate) exit_code: Option<i32>,
    /// And since when. `None` where there is no health check.
    pub(crate) health: Option<(HealthStatus, Option<Timestamp>)>,
    pub(crate) cpu_units: u32,
    /// 0 is no limit.
    pub(crate) memory_mib: u32,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) network_bindings: Vec<NetworkBinding>,
    pub(crate) restarts: u32,
    pub(crate) arn: Option<String>,
    /// `None` where it is not known which options are secrets.
    pub(crate) secret_log_options: Option<Vec<String>>,
}

impl Board {
    /// The control plane knows the instance by this ARN.
    pub(crate) fn set_container_instance(&self, arn: &str) {
        self.lock().container_instance = Some(arn.to_owned());
    }

    pub(crate) fn container_instance(&self) -> Option<String> {
        self.lock().container_instance.clone()
    }

    /// Shows the task as it is now.
    pub(crate) fn show(&self, task: &TaskState) {
        let view = Arc::new(TaskView::from(task));
        self.lock().tasks.insert(view.arn.clone(), view);
    }

    /// Nothing of the task is left.
    pub(crate) fn forget(&self, arn: &str) {
        self.lock().tasks.remove(arn);
    }

    pub(crate) fn task(&self, arn: &str) -> Option<Arc<TaskView>> {
        self.lock().tasks.get(arn).cloned()
    }

    /// In the order of their ARNs.
    pub(crate) fn tasks(&self) -> Vec<Arc<TaskView>> {
        self.lock().tasks.values().cloned().collect()
    }

    /// The first container of which `is_it` is true: its task, and where it is in it.
    pub(crate) fn find(&self, is_it: impl Fn(&ContainerView) -> bool) -> Option<Found> {
        self.lock().tasks.values().find_map(|task| {
            let position = task.containers.iter().position(&is_it)?;
            Some(Found { task: task.clone(), position })
        })
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A container and its task.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) task: Arc<TaskView>,
    position: usize,
}

impl Found {
    pub(crate) fn container(&self) -> &ContainerView {
        &self.task.containers[self.position]
    }
}

impl From<&TaskState> for TaskView {
    fn from(task: &TaskState) -> Self {
        let containers = task.spec.containers.iter().zip(&task.containers);
        Self {
            arn: task.spec.arn.clone(),
            family: task.spec.family.clone(),
            version: task.spec.version.clone(),
            desired: task.desired,
            known: known(task),
            limits: task.spec.limits,
            launch_type: task.spec.launch_type.clone(),
            pull_started_at: task.pull_started_at,
            pull_stopped_at: task.pull_stopped_at,
            execution_stopped_at: task.execution_stopped_at,
            containers: containers.map(|(spec, state)| ContainerView::new(spec, state)).collect(),
        }
    }
}

impl ContainerView {
    fn new(spec: &ContainerSpec, state: &ContainerState) -> Self {
        Self {
            name: spec.name.clone(),
            image: spec.image.clone(),
            docker_name: state.docker_name.clone(),
            docker_id: state.docker_id.clone(),
            metadata_id: state.metadata_id.clone(),
            known: state.known,
            exit_code: state.exit_code,
            health: spec.has_health_check.then_some((state.health, state.health_since)),
            cpu_units: spec.cpu_units,
            memory_mib: spec.memory_mib,
            started_at: state.started_at,
            network_bindings: state.network_bindings.clone(),
            restarts: state.restarts,
            arn: spec.arn.clone(),
            secret_log_options: spec.secret_log_options.clone(),
        }
    }
}

/// Finer than what the control plane is told: PENDING is how far the last of its containers is.
fn known(task: &TaskState) -> ContainerStatus {
    match task.status() {
        LastStatus::Stopped => ContainerStatus::Stopped,
        LastStatus::Running => ContainerStatus::Running,
        LastStatus::Pending => {
            let states = task.containers.iter().map(|it| it.known);
            states.min().unwrap_or(ContainerStatus::None).min(ContainerStatus::Created)
        }
    }
}

impl ContainerStatus {
    pub(crate) const ALL: [Self; 5] =
        [Self::None, Self::Pulled, Self::Created, Self::Running, Self::Stopped];

    /// As ECS's agent spells it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Pulled => "PULLED",
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
        }
    }
}
