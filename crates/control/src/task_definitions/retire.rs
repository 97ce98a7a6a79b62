//! DeregisterTaskDefinition and DeleteTaskDefinitions: a revision goes out of use, and away.

use std::sync::Arc;

use longshore_model::{DefinitionKey, DefinitionStatus, TaskDefinition};
use longshore_store::{State, StoreError};

use crate::Control;

/// Why a task definition cannot be deregistered.
#[derive(Debug, thiserror::Error)]
pub enum DeregisterError {
    /// There is no such revision.
    #[error("Unable to describe task definition.")]
    NotFound,
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why one of the task definitions named is not deleted. Texts as ECS sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteRefusal {
    /// The text names no revision.
    #[error(
        "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
    )]
    Invalid,
    /// There is no such revision.
    #[error(
        "The specified task definition does not exist. Specify a valid account, family, revision and try again."
    )]
    NotFound,
    /// It was not deregistered.
    #[error(
        "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
    )]
    Active,
}

impl Control {
    /// DeregisterTaskDefinition: no new task is made from it; those that were go on. One that is
    /// out of use already stays as it is.
    pub async fn deregister_task_definition(
        &self,
        key: DefinitionKey,
    ) -> Result<Arc<TaskDefinition>, DeregisterError> {
        let now = self.now();
        self.store
            .update(|tx| {
                let definition = tx.definition(&key).ok_or(DeregisterError::NotFound)?;
                if definition.status != DefinitionStatus::Active {
                    return Ok(Arc::clone(definition));
                }
                let definition = Arc::new(TaskDefinition {
                    status: DefinitionStatus::Inactive,
                    deregistered_at: Some(now),
                    ..TaskDefinition::clone(definition)
                });
                tx.put_definition(Arc::clone(&definition));
                Ok(definition)
            })
            .await
    }

    /// DeleteTaskDefinitions: INACTIVE ones are DELETE_IN_PROGRESS from now on, until the reaper
    /// finds no task of theirs. An outcome for each that was named, in the order of the request.
    pub async fn delete_task_definitions(
        &self,
        keys: Vec<DefinitionKey>,
    ) -> Result<Vec<Result<Arc<TaskDefinition>, DeleteRefusal>>, StoreError> {
        self.store
            .update(|tx| {
                let delete = |key: &DefinitionKey| {
                    let definition = tx.definition(key).ok_or(DeleteRefusal::NotFound)?;
                    match definition.status {
                        DefinitionStatus::Active => Err(DeleteRefusal::Active),
                        DefinitionStatus::DeleteInProgress => Ok(Arc::clone(definition)),
                        DefinitionStatus::Inactive => {
                            let definition = Arc::new(TaskDefinition {
                                status: DefinitionStatus::DeleteInProgress,
                                ..TaskDefinition::clone(definition)
                            });
                            tx.put_definition(Arc::clone(&definition));
                            Ok(definition)
                        }
                    }
                };
                Ok(keys.iter().map(delete).collect())
            })
            .await
    }
}

/// The definitions in deletion that no task is left of. There can be no new one, so what is true
/// of a view stays true.
pub(crate) fn deletable(state: &State) -> Vec<DefinitionKey> {
    let in_deletion =
        state.definitions().filter(|it| it.status == DefinitionStatus::DeleteInProgress);
    let unused = in_deletion.filter(|it| state.tasks_of_definition(&it.key) == 0);
    unused.map(|it| it.key.clone()).collect()
}
