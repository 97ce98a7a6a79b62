//! Operations on tags, of whatever resource an ARN names.

use std::sync::Arc;

use longshore_model::{
    Cluster, ClusterName, ContainerInstance, DefinitionKey, DefinitionStatus, InstanceId,
    InstanceStatus, LastStatus, TagError, Tags, Task, TaskDefinition, TaskId,
};
use longshore_store::{State, StoreError, Tx};

use crate::Control;
use crate::clusters::{self, ClusterError};

/// A resource that can have tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taggable {
    /// A cluster.
    Cluster(ClusterName),
    /// A revision of a task definition.
    TaskDefinition(DefinitionKey),
    /// A container instance of a cluster.
    ContainerInstance(ClusterName, InstanceId),
    /// A task in a cluster.
    Task(ClusterName, TaskId),
}

/// Why a resource's tags cannot be read or changed. Texts after the one that ECS has for clusters.
#[derive(Debug, thiserror::Error)]
pub enum TagResourceError {
    /// There is no such cluster.
    #[error("Cluster not found.")]
    ClusterNotFound,
    /// There is no such resource of this kind.
    #[error("The specified {0} was not found. Specify a valid {0} and try again.")]
    NotFound(&'static str),
    /// Its life is over.
    #[error("The specified {0} is inactive. Specify an active {0} and try again.")]
    Inactive(&'static str),
    /// The task's life is over.
    #[error("The specified task is stopped. Specify a running task and try again.")]
    Stopped,
    /// It was created while the account had chosen short ARNs.
    #[error(
        "The specified {0} does not have the longArn format. Only {0}s created after opting in will have the new format."
    )]
    ShortArn(&'static str),
    /// It would have too many tags.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ClusterError> for TagResourceError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::NotFound => Self::ClusterNotFound,
            ClusterError::Inactive => Self::Inactive("cluster"),
        }
    }
}

/// What a task definition, a container instance and a cluster are called here.
const DEFINITION: &str = "task definition";
const INSTANCE: &str = "container instance";

/// ListTagsForResource. What has stopped keeps its tags for as long as it is remembered.
pub fn tags_of(state: &State, resource: &Taggable) -> Result<Tags, TagResourceError> {
    Ok(find(state, resource)?.tags().clone())
}

impl Control {
    /// TagResource: the resource has these tags besides those it had.
    pub async fn tag_resource(
        &self,
        resource: Taggable,
        tags: Tags,
    ) -> Result<(), TagResourceError> {
        self.change_tags(resource, |had| had.with(&tags)).await
    }

    /// UntagResource: the resource has no tags of these keys any more.
    pub async fn untag_resource(
        &self,
        resource: Taggable,
        keys: Vec<String>,
    ) -> Result<(), TagResourceError> {
        self.change_tags(resource, |had| Ok(had.without(&keys))).await
    }

    async fn change_tags(
        &self,
        resource: Taggable,
        change: impl FnOnce(&Tags) -> Result<Tags, TagError>,
    ) -> Result<(), TagResourceError> {
        self.store
            .update(|tx| {
                let found = find(tx, &resource)?;
                found.check_active()?;
                let tags = change(found.tags())?;
                found.put(tags, tx);
                Ok(())
            })
            .await
    }
}

/// The record of a resource.
enum Found {
    Cluster(Arc<Cluster>),
    Definition(Arc<TaskDefinition>),
    Instance(Arc<ContainerInstance>),
    Task(Arc<Task>),
}

fn find(state: &State, resource: &Taggable) -> Result<Found, TagResourceError> {
    let found = match resource {
        Taggable::Cluster(name) => {
            return Ok(Found::Cluster(Arc::clone(clusters::active(state, name)?)));
        }
        Taggable::TaskDefinition(key) => {
            let known = state.definition(key).map(Arc::clone);
            known.map(Found::Definition).ok_or(DEFINITION)
        }
        Taggable::ContainerInstance(cluster, id) => {
            let known = state.instance(*id).filter(|it| it.cluster == *cluster).map(Arc::clone);
            known.map(Found::Instance).ok_or(INSTANCE)
        }
        Taggable::Task(cluster, id) => {
            let known = state.task(*id).filter(|it| it.cluster == *cluster).map(Arc::clone);
            known.map(Found::Task).ok_or("task")
        }
    };
    found.map_err(TagResourceError::NotFound)?.long()
}

impl Found {
    /// Tags need the long form.
    fn long(self) -> Result<Self, TagResourceError> {
        match self {
            Self::Instance(it) if !it.arn_form.is_long() => {
                Err(TagResourceError::ShortArn(INSTANCE))
            }
            Self::Task(it) if !it.arn_form.is_long() => Err(TagResourceError::ShortArn("task")),
            found => Ok(found),
        }
    }

    fn tags(&self) -> &Tags {
        match self {
            Self::Cluster(it) => &it.tags,
            Self::Definition(it) => &it.tags,
            Self::Instance(it) => &it.tags,
            Self::Task(it) => &it.tags,
        }
    }

    /// Only what is in use gets other tags.
    fn check_active(&self) -> Result<(), TagResourceError> {
        match self {
            Self::Definition(it) if it.status != DefinitionStatus::Active => {
                Err(TagResourceError::Inactive(DEFINITION))
            }
            Self::Instance(it) if it.status == InstanceStatus::Inactive => {
                Err(TagResourceError::Inactive(INSTANCE))
            }
            Self::Task(it) if it.last_status == LastStatus::Stopped => {
                Err(TagResourceError::Stopped)
            }
            Self::Cluster(_) | Self::Definition(_) | Self::Instance(_) | Self::Task(_) => Ok(()),
        }
    }

    /// Puts the record with these tags. Its version stays: a change of tags is no event of ECS.
    fn put(&self, tags: Tags, tx: &mut Tx<'_>) {
        match self {
            Self::Cluster(it) => tx.put_cluster(Cluster { tags, ..(**it).clone() }),
            Self::Definition(it) => tx.put_definition(TaskDefinition { tags, ..(**it).clone() }),
            Self::Instance(it) => tx.put_instance(ContainerInstance { tags, ..(**it).clone() }),
            Self::Task(it) => tx.put_task(Task { tags, ..(**it).clone() }),
        }
    }
}
