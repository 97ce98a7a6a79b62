//! Operations on task definitions.

mod check;
mod list;
pub mod requires;
mod retire;

use std::sync::{Arc, PoisonError};

use longshore_model::container_definition::ContainerDefinition;
use longshore_model::task_definition::{IpcMode, NetworkMode, PidMode, RuntimePlatform, Volume};
use longshore_model::task_size::TaskSize;
use longshore_model::{DefinitionKey, DefinitionStatus, Family, LaunchKind, Tags, TaskDefinition};
use longshore_placement::{Constraint, Queries, Query, QueryError};
use longshore_store::{State, StoreError};

pub use check::DefinitionError;
pub use list::{FamilyStatus, ListTaskDefinitions, Sort, families, list};
pub(crate) use retire::deletable;
pub use retire::{DeleteRefusal, DeregisterError};

use crate::Control;
use crate::reference::DefinitionReference;

/// A task definition to be registered, whose members are valid by themselves.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The family; a new revision of it is made.
    pub family: Family,
    /// The containers.
    pub containers: Vec<ContainerDefinition>,
    /// The volumes.
    pub volumes: Vec<Volume>,
    /// The role of the containers.
    pub task_role_arn: Option<String>,
    /// The network.
    pub network_mode: Option<NetworkMode>,
    /// `memberOf` constraints.
    pub member_of: Vec<Query>,
    /// The revision's tags.
    pub tags: Tags,
    /// CPU and memory of the task as a whole.
    pub size: TaskSize,
    /// Whose processes the containers see.
    pub pid_mode: Option<PidMode>,
    /// With whom they share System V IPC.
    pub ipc_mode: Option<IpcMode>,
    /// What they are built for.
    pub runtime_platform: Option<RuntimePlatform>,
    /// The caller's note of a role.
    pub execution_role_arn: Option<String>,
    /// The launch types that it was checked against.
    pub requires_compatibilities: Option<Vec<LaunchKind>>,
    /// The caller, as an ARN.
    pub registered_by: Option<String>,
}

impl Registration {
    /// One with nothing set but its containers.
    pub fn new(family: Family, containers: Vec<ContainerDefinition>) -> Self {
        Self {
            family,
            containers,
            volumes: Vec::new(),
            task_role_arn: None,
            network_mode: None,
            member_of: Vec::new(),
            tags: Tags::default(),
            size: TaskSize::default(),
            pid_mode: None,
            ipc_mode: None,
            runtime_platform: None,
            execution_role_arn: None,
            requires_compatibilities: None,
            registered_by: None,
        }
    }
}

/// Why a task definition cannot be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Its members contradict each other.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a task definition cannot be launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsableError {
    /// No such family or revision, or none that is ACTIVE.
    #[error("TaskDefinition not found.")]
    NotFound,
    /// The named revision was deregistered.
    #[error("TaskDefinition is inactive")]
    Inactive,
}

/// The definition that a reference names, whatever its status; without a revision the newest
/// ACTIVE one.
pub fn find<'a>(
    state: &'a State,
    reference: &DefinitionReference,
) -> Option<&'a Arc<TaskDefinition>> {
    match reference.revision {
        Some(revision) => {
            state.definition(&DefinitionKey { family: reference.family.clone(), revision })
        }
        None => state
            .revisions(&reference.family)
            .rev()
            .find(|it| it.status == DefinitionStatus::Active),
    }
}

/// The definition that a reference names, if tasks may be launched from it.
pub fn usable<'a>(
    state: &'a State,
    reference: &DefinitionReference,
) -> Result<&'a Arc<TaskDefinition>, UsableError> {
    let definition = find(state, reference).ok_or(UsableError::NotFound)?;
    match definition.status {
        DefinitionStatus::Active => Ok(definition),
        DefinitionStatus::Inactive | DefinitionStatus::DeleteInProgress => {
            Err(UsableError::Inactive)
        }
    }
}

/// The constraints that a definition brings to each placement of its tasks.
///
/// # Errors
/// When an expression cannot be read: registration refuses those, but the definition may be of an
/// earlier version, which took more, or of a snapshot that was made up.
pub(crate) fn constraints(
    definition: &TaskDefinition,
    queries: &mut Queries,
) -> Result<Vec<Constraint>, QueryError> {
    definition.member_of.iter().map(|it| queries.parse(it).map(Constraint::MemberOf)).collect()
}

impl Control {
    /// The same, from expressions that were read lately.
    pub(crate) fn constraints(
        &self,
        definition: &TaskDefinition,
    ) -> Result<Vec<Constraint>, QueryError> {
        if definition.member_of.is_empty() {
            return Ok(Vec::new());
        }
        let mut queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        constraints(definition, &mut queries)
    }

    /// RegisterTaskDefinition: the next revision of the family, one more than any before it.
    pub async fn register_task_definition(
        &self,
        registration: Registration,
    ) -> Result<Arc<TaskDefinition>, RegisterError> {
        check::check(&registration)?;
        let now = self.now();
        self.store
            .update(|tx| {
                let revision = tx.highest_revision(&registration.family).saturating_add(1);
                let key = DefinitionKey { family: registration.family, revision };
                let mut definition = TaskDefinition {
                    volumes: registration.volumes,
                    task_role_arn: registration.task_role_arn,
                    network_mode: registration.network_mode,
                    member_of: registration.member_of.iter().map(ToString::to_string).collect(),
                    tags: registration.tags,
                    size: registration.size,
                    pid_mode: registration.pid_mode,
                    ipc_mode: registration.ipc_mode,
                    runtime_platform: registration.runtime_platform,
                    execution_role_arn: registration.execution_role_arn,
                    requires_compatibilities: registration.requires_compatibilities,
                    registered_by: registration.registered_by,
                    ..TaskDefinition::new(key, registration.containers, now)
                };
                definition.requires_attributes = requires::of_definition(&definition);
                let definition = Arc::new(definition);
                tx.put_definition(Arc::clone(&definition));
                Ok(definition)
            })
            .await
    }
}
