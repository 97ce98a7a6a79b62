//! What a caller writes to name a resource, parsed: a short name, an id, or an ARN of either
//! generation. The checks on an ARN are made in the order in which ECS makes them.

use longshore_model::arn::{Arn, Owner};
use longshore_model::names::NameError;
use longshore_model::{ClusterName, DefinitionKey, Family, InstanceId, ServiceName, TaskId};
use longshore_store::State;

use crate::tags::Taggable;

/// The cluster that is meant where none is named.
pub const DEFAULT_CLUSTER: &str = "default";

/// Why a reference names nothing that could exist. Texts as ECS sends them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The ARN is of another kind of resource, or no ECS ARN at all.
    #[error("Unsupported resource type: {0}")]
    WrongKind(String),
    /// The ARN is of another account.
    #[error("Identifier is for {found}. Your accountId is {own}")]
    WrongAccount {
        /// The account in the ARN.
        found: String,
        /// The account of this control plane.
        own: String,
    },
    /// The ARN names another cluster than the request does.
    #[error("Invalid identifier: Identifier is for cluster {found}. Your cluster is {own}")]
    WrongCluster {
        /// The cluster in the ARN.
        found: String,
        /// The cluster of the request.
        own: ClusterName,
    },
    /// Not a cluster name.
    #[error(r"Cluster must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was {0}")]
    Cluster(String),
    /// Not a task id.
    #[error("Task Identifier is invalid")]
    Task,
    /// Not a container instance id.
    #[error("Container Instance Identifier is invalid")]
    ContainerInstance,
    /// Not a service name.
    #[error(r"ServiceName must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was {0}")]
    Service(String),
    /// Not a family.
    #[error("Family contains invalid characters.")]
    Family,
    /// No ARN where only an ARN will do.
    #[error("Invalid arn syntax: {0}")]
    NotAnArn(String),
    /// A short ARN where only a long one will do.
    #[error("Long arn format must be used for tagging operations")]
    ShortArn,
    /// A task definition's ARN without a revision.
    #[error("Task definition must be specified with its revision.")]
    NoRevision,
    /// The resource's kind exists, but none of that kind do here.
    #[error("The specified {0} was not found. Specify a valid {0} and try again.")]
    NoSuch(&'static str),
    /// Not a revision: a whole number from 1.
    #[error("Invalid revision number. Number: {0}")]
    Revision(String),
}

/// The cluster that a request names; absent or empty means the default one.
pub fn cluster(text: Option<&str>, owner: &Owner) -> Result<ClusterName, ReferenceError> {
    let text = text.filter(|it| !it.is_empty()).unwrap_or(DEFAULT_CLUSTER);
    let name = match arn_of(text, "cluster", owner)? {
        Some(arn) => arn.rest,
        None => text.into(),
    };
    name.parse().map_err(|_: NameError| ReferenceError::Cluster(name))
}

/// The task that a request names within a cluster.
pub fn task(text: &str, cluster: &ClusterName, owner: &Owner) -> Result<TaskId, ReferenceError> {
    id_within(text, "task", cluster, owner)?.parse().map_err(|_| ReferenceError::Task)
}

/// The container instance that a request names within a cluster.
pub fn container_instance(
    text: &str,
    cluster: &ClusterName,
    owner: &Owner,
) -> Result<InstanceId, ReferenceError> {
    id_within(text, "container-instance", cluster, owner)?
        .parse()
        .map_err(|_| ReferenceError::ContainerInstance)
}

/// The service that a request names within a cluster.
pub fn service(
    text: &str,
    cluster: &ClusterName,
    owner: &Owner,
) -> Result<ServiceName, ReferenceError> {
    let name = id_within(text, "service", cluster, owner)?;
    name.parse().map_err(|_: NameError| ReferenceError::Service(name))
}

fn id_within(
    text: &str,
    kind: &str,
    cluster: &ClusterName,
    owner: &Owner,
) -> Result<String, ReferenceError> {
    let Some(arn) = arn_of(text, kind, owner)? else { return Ok(text.into()) };
    match arn.cluster_and_id() {
        (Some(found), _) if found != cluster.as_str() => {
            Err(ReferenceError::WrongCluster { found: found.into(), own: cluster.clone() })
        }
        (_, id) => Ok(id.into()),
    }
}

/// The ARN of the task of this id: its own where it is known, else what it would be.
pub fn task_arn(state: &State, cluster: &ClusterName, id: TaskId, owner: &Owner) -> String {
    let known = state.task(id).filter(|it| it.cluster == *cluster);
    let form = known.map_or_else(|| state.account_settings().task_arns(), |it| it.arn_form);
    owner.task_arn(form, cluster, id)
}

/// The ARN of the container instance of this id: its own where it is known, else what it would be.
pub fn container_instance_arn(
    state: &State,
    cluster: &ClusterName,
    id: InstanceId,
    owner: &Owner,
) -> String {
    let known = state.instance(id).filter(|it| it.cluster == *cluster);
    let settings = state.account_settings();
    let form = known.map_or_else(|| settings.container_instance_arns(), |it| it.arn_form);
    owner.container_instance_arn(form, cluster, id)
}

/// A task definition as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionReference {
    /// The family.
    pub family: Family,
    /// The revision; `None` means the newest ACTIVE one.
    pub revision: Option<u32>,
}

impl DefinitionReference {
    /// The one revision that is named; `None` where only the family is.
    pub fn key(self) -> Option<DefinitionKey> {
        Some(DefinitionKey { family: self.family, revision: self.revision? })
    }
}

impl From<DefinitionKey> for DefinitionReference {
    fn from(key: DefinitionKey) -> Self {
        Self { family: key.family, revision: Some(key.revision) }
    }
}

/// The task definition that a request names: `family`, `family:revision` or an ARN.
pub fn definition(text: &str, owner: &Owner) -> Result<DefinitionReference, ReferenceError> {
    let rest = match arn_of(text, "task-definition", owner)? {
        Some(arn) => arn.rest,
        None => text.strip_prefix("task-definition/").unwrap_or(text).into(),
    };
    let (family, revision) = match rest.split_once(':') {
        Some((family, revision)) => (family, Some(parse_revision(revision)?)),
        None => (rest.as_str(), None),
    };
    Ok(DefinitionReference {
        family: family.parse().map_err(|_| ReferenceError::Family)?,
        revision,
    })
}

fn parse_revision(text: &str) -> Result<u32, ReferenceError> {
    let digits_only = text.bytes().all(|it| it.is_ascii_digit());
    match text.parse() {
        Ok(revision) if digits_only && revision > 0 => Ok(revision),
        _ => Err(ReferenceError::Revision(text.into())),
    }
}

/// The resource that a request on tags names: by its ARN, and where ARNs have a long form by that.
pub fn taggable(text: &str, owner: &Owner) -> Result<Taggable, ReferenceError> {
    let arn: Arn = text.parse().map_err(|_| ReferenceError::NotAnArn(text.into()))?;
    check_account(&arn, owner)?;
    let within_cluster = || match arn.cluster_and_id() {
        (Some(cluster), id) => {
            let name = cluster.parse();
            Ok((name.map_err(|_: NameError| ReferenceError::Cluster(cluster.into()))?, id))
        }
        (None, _) => Err(ReferenceError::ShortArn),
    };
    match arn.kind.as_str() {
        "cluster" => Ok(Taggable::Cluster(cluster(Some(text), owner)?)),
        "task-definition" => match definition(text, owner)? {
            DefinitionReference { family, revision: Some(revision) } => {
                Ok(Taggable::TaskDefinition(DefinitionKey { family, revision }))
            }
            DefinitionReference { revision: None, .. } => Err(ReferenceError::NoRevision),
        },
        "container-instance" => {
            let (cluster, id) = within_cluster()?;
            let id = id.parse().map_err(|_| ReferenceError::ContainerInstance)?;
            Ok(Taggable::ContainerInstance(cluster, id))
        }
        "task" => {
            let (cluster, id) = within_cluster()?;
            Ok(Taggable::Task(cluster, id.parse().map_err(|_| ReferenceError::Task)?))
        }
        "service" => within_cluster().and(Err(ReferenceError::NoSuch("service"))),
        "capacity-provider" => Err(ReferenceError::NoSuch("capacity provider")),
        _ => Err(ReferenceError::WrongKind(arn.kind)),
    }
}

fn arn_of(text: &str, kind: &str, owner: &Owner) -> Result<Option<Arn>, ReferenceError> {
    if !Arn::is_meant_by(text) {
        return Ok(None);
    }
    let arn: Arn = text.parse().map_err(|_| ReferenceError::WrongKind(text.into()))?;
    if arn.kind != kind {
        return Err(ReferenceError::WrongKind(arn.kind));
    }
    check_account(&arn, owner)?;
    Ok(Some(arn))
}

fn check_account(arn: &Arn, owner: &Owner) -> Result<(), ReferenceError> {
    if arn.account == owner.account {
        return Ok(());
    }
    Err(ReferenceError::WrongAccount { found: arn.account.clone(), own: owner.account.clone() })
}

#[cfg(test)]
mod tests;
