//! What RunTask and StartTask share: the definition and overrides checked, a task made, failures.

use std::sync::Arc;

use longshore_model::demand::Demand;
use longshore_model::overrides::OverrideError;
use longshore_model::status::{DesiredStatus, LastStatus};
use longshore_model::{
    ArnForm, Attribute, ClientToken, ClusterName, Container, ContainerId, Ids, InstanceId,
    LaunchKind, LaunchType, Overrides, TagError, Tags, Task, TaskDefinition, TaskId, Timestamp,
};
use longshore_placement::{Constraint, MAX_CONSTRAINTS, QueryError, Refusal, Request, Strategy};
use longshore_store::{State, StoreError, Tx};

use crate::clusters::{self, ClusterError};
use crate::reference::DefinitionReference;
use crate::task_definitions::{self, UsableError, requires};

/// What is to be launched, wherever it is placed.
#[derive(Clone, Debug)]
pub struct Launch {
    /// In which cluster.
    pub cluster: ClusterName,
    /// From which definition.
    pub definition: DefinitionReference,
    /// What is changed in it.
    pub overrides: Option<Arc<Overrides>>,
    /// The caller's mark.
    pub started_by: Option<Arc<str>>,
    /// The task group; the definition's family when absent.
    pub group: Option<Arc<str>>,
    /// Which tags its tasks get.
    pub tags: LaunchTags,
}

/// Which tags new tasks get.
#[derive(Clone, Debug, Default)]
pub struct LaunchTags {
    /// The caller's.
    pub own: Tags,
    /// From where others are taken over; the caller's own go before them.
    pub propagate: PropagateTags,
    /// Whether they get the managed ones: `aws:ecs:clusterName`.
    pub managed: bool,
}

/// Whose tags a task takes over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PropagateTags {
    /// Nobody's.
    #[default]
    None,
    /// Those of its task definition.
    TaskDefinition,
}

impl LaunchTags {
    /// Tags need the long form.
    fn check_none(&self) -> Result<(), LaunchError> {
        if self.propagate != PropagateTags::None {
            return Err(LaunchError::ShortArn("propagate tags"));
        }
        if self.managed || !self.own.is_empty() {
            return Err(LaunchError::ShortArn("add tags to the task"));
        }
        Ok(())
    }

    fn of_task(
        &self,
        definition: &TaskDefinition,
        cluster: &ClusterName,
        arn_form: ArnForm,
    ) -> Result<Tags, LaunchError> {
        if !arn_form.is_long() {
            self.check_none()?;
        }
        let tags = match self.propagate {
            PropagateTags::None => self.own.clone(),
            PropagateTags::TaskDefinition => definition.tags.with(&self.own)?,
        };
        Ok(if self.managed { tags.with_cluster_name(cluster.as_str()) } else { tags })
    }
}

/// Why nothing at all could be launched.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The task definition cannot be used.
    #[error(transparent)]
    Definition(#[from] UsableError),
    /// The overrides do not fit the definition.
    #[error(transparent)]
    Overrides(#[from] OverrideError),
    /// Tags for tasks that will have short ARNs.
    #[error(
        "The new ARN and resource ID format must be enabled to {0}. Opt in to the new format and try again."
    )]
    ShortArn(&'static str),
    /// With the definition's there are too many tags.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// There is no ACTIVE instance in the cluster.
    #[error("No Container Instances were found in your cluster.")]
    NoContainerInstances,
    /// An expression of the definition's is one that this version does not take.
    #[error("The task definition has a placement constraint that cannot be read: {0}")]
    Constraint(#[from] QueryError),
    /// With the definition's there are more than ten constraints.
    #[error("Maximum number of constraints is {0}")]
    TooManyConstraints(usize),
    /// The definition is not one for this launch type.
    #[error("Task definition does not support launch_type {}.", .0.as_str())]
    LaunchType(LaunchKind),
    /// The call's token marks another call, which made these tasks.
    #[error("The clientToken was used by a call with other parameters.")]
    TokenConflict(Vec<String>),
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The outcome: some tasks may be placed while others fail.
#[derive(Debug)]
pub struct Launched {
    /// The cluster.
    pub cluster: ClusterName,
    /// The new tasks, PENDING.
    pub tasks: Vec<Arc<Task>>,
    /// The instances that could not take one, each with its reason.
    pub failures: Vec<Failure>,
}

/// A container instance that could not take a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The instance.
    pub container_instance: InstanceId,
    /// Why.
    pub reason: FailureReason,
    /// The figures: what was asked, what remained, what was false.
    pub detail: Option<Box<str>>,
}

/// Why a container instance could not take a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureReason {
    /// There is no such instance in the cluster.
    Missing,
    /// Placement refused it.
    Refused(Refusal),
    /// What the same call was told when it was made before.
    AsBefore(Box<str>),
}

impl FailureReason {
    /// As ECS spells it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Missing => "MISSING",
            Self::Refused(refusal) => refusal.reason(),
            Self::AsBefore(reason) => reason,
        }
    }
}

/// A launch whose cluster, definition and overrides are known to be usable.
pub(super) struct Ready {
    pub(super) cluster: ClusterName,
    pub(super) definition: Arc<TaskDefinition>,
    overrides: Option<Arc<Overrides>>,
    pub(super) started_by: Option<Arc<str>>,
    pub(super) group: Arc<str>,
    arn_form: ArnForm,
    tags: Tags,
    /// Set where the caller marked the call.
    pub(super) client_token: Option<Arc<ClientToken>>,
    pub(super) demand: Demand,
    pub(super) requires: Vec<Attribute>,
}

impl Launch {
    /// Checks the launch against the present state.
    pub(super) fn ready(self, state: &State) -> Result<Ready, LaunchError> {
        let cluster = clusters::active(state, &self.cluster)?;
        let definition = Arc::clone(task_definitions::usable(state, &self.definition)?);
        let overrides = self.overrides;
        if let Some(overrides) = &overrides {
            overrides.check(&definition)?;
        }
        let arn_form = state.account_settings().task_arns();
        let default_group = || Arc::from(format!("family:{}", definition.key.family));
        Ok(Ready {
            cluster: cluster.name.clone(),
            demand: Demand::of(&definition, overrides.as_deref()),
            requires: requires::of_task(&definition, overrides.as_deref()),
            group: self.group.unwrap_or_else(default_group),
            started_by: self.started_by,
            tags: self.tags.of_task(&definition, &cluster.name, arn_form)?,
            arn_form,
            client_token: None,
            overrides,
            definition,
        })
    }
}

impl Ready {
    /// Checks what the call asks of the placement, and gives all constraints: the definition's and
    /// the caller's.
    pub(super) fn check(
        &self,
        kind: Option<LaunchKind>,
        of_definition: Vec<Constraint>,
        of_caller: Vec<Constraint>,
    ) -> Result<Vec<Constraint>, LaunchError> {
        self.check_launch_type(kind)?;
        let mut constraints = of_definition;
        constraints.extend(of_caller);
        if constraints.len() > MAX_CONSTRAINTS {
            return Err(LaunchError::TooManyConstraints(MAX_CONSTRAINTS));
        }
        Ok(constraints)
    }

    /// What placement is asked for.
    pub(super) fn request<'a>(
        &'a self,
        kind: Option<LaunchKind>,
        constraints: &'a [Constraint],
        strategies: &'a [Strategy],
        count: u32,
    ) -> Request<'a> {
        Request {
            kind,
            demand: &self.demand,
            requires: &self.requires,
            group: &self.group,
            constraints,
            strategies,
            count,
        }
    }

    /// Checks that the definition is one for this launch type: FARGATE needs the size of the task
    /// as a whole.
    fn check_launch_type(&self, kind: Option<LaunchKind>) -> Result<(), LaunchError> {
        let size = self.definition.size;
        match kind {
            Some(kind @ LaunchKind::Fargate)
                if size.cpu_units.is_none() || size.memory_mib.is_none() =>
            {
                Err(LaunchError::LaunchType(kind))
            }
            None | Some(LaunchKind::Ec2 | LaunchKind::External | LaunchKind::Fargate) => Ok(()),
        }
    }

    /// Makes a task on this instance and puts it into the state. Where its caller named no launch
    /// type, the instance says it.
    pub(super) fn put_task(
        &self,
        tx: &mut Tx<'_>,
        container_instance: InstanceId,
        launch_type: Option<LaunchType>,
        now: Timestamp,
        ids: &dyn Ids,
    ) -> Arc<Task> {
        let of_instance = || {
            let instance = tx.instance(container_instance);
            instance.map(|it| it.launch_type_of(&self.definition)).unwrap_or_default()
        };
        let launch_type = launch_type.unwrap_or_else(of_instance);
        let container = |name| Container {
            id: ContainerId::new(now, ids.next_bits()),
            name,
            last_status: LastStatus::Pending,
            exit_code: None,
            reason: None,
            network_bindings: Box::default(),
            runtime_id: None,
            image_digest: None,
            health: None,
            health_since: None,
        };
        let task = Task {
            id: TaskId::new(now, ids.next_bits()),
            arn_form: self.arn_form,
            cluster: self.cluster.clone(),
            definition: self.definition.key.clone(),
            container_instance,
            overrides: self.overrides.clone(),
            last_status: LastStatus::Pending,
            desired_status: DesiredStatus::Running,
            containers: self
                .definition
                .containers
                .iter()
                .map(|it| container(it.name.clone()))
                .collect(),
            started_by: self.started_by.clone(),
            group: Arc::clone(&self.group),
            tags: self.tags.clone(),
            launch_type,
            client_token: self.client_token.clone(),
            version: 1,
            stopped_reason: None,
            stop_code: None,
            created_at: now,
            started_at: None,
            stopping_at: None,
            stopped_at: None,
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
            lost: None,
        };
        let shared = Arc::new(task);
        tx.put_task(Arc::clone(&shared));
        shared
    }
}
