//! What a caller writes to name a resource, parsed: a short name, an id, or an ARN of either
//! generation. The checks on an ARN are made in the order in which ECS makes them.

use longshore_model::arn::{Arn, Owner};
use longshore_model::names::NameError;
use longshore_model::{ClusterName, DefinitionKey, Family, InstanceId, ServiceName, TaskId};

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

fn arn_of(text: &str, kind: &str, owner: &Owner) -> Result<Option<Arn>, ReferenceError> {
    if !Arn::is_meant_by(text) {
        return Ok(None);
    }
    let arn: Arn = text.parse().map_err(|_| ReferenceError::WrongKind(text.into()))?;
    if arn.kind != kind {
        return Err(ReferenceError::WrongKind(arn.kind));
    }
    if arn.account != owner.account {
        return Err(ReferenceError::WrongAccount {
            found: arn.account,
            own: owner.account.clone(),
        });
    }
    Ok(Some(arn))
}

#[cfg(test)]
mod tests;
