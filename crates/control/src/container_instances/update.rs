//! UpdateContainerInstancesState and UpdateContainerAgent.

use std::convert::Infallible;
use std::sync::Arc;

use longshore_model::{ClusterName, ContainerInstance, InstanceId, InstanceStatus};
use longshore_store::{State, StoreError};

use super::{NotFound, find};
use crate::Control;
use crate::clusters::{self, ClusterError};

/// Why no instance's state can be updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateStateError {
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why one of the instances named keeps its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateRefusal {
    /// There is no such instance in the cluster.
    Missing,
    /// It was deregistered.
    Inactive,
}

impl UpdateRefusal {
    /// As ECS spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// Why an agent is not updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateAgentError {
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No such instance in this cluster.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// The instance was deregistered.
    #[error("The referenced container instance was inactive.")]
    Inactive,
    /// The agent never told its version.
    #[error("The version of the container agent is not known.")]
    MissingVersion,
    /// There is no newer one.
    #[error("There is no update available for your container agent.")]
    NoUpdateAvailable,
}

impl Control {
    /// UpdateContainerInstancesState. `status` is ACTIVE or DRAINING. Tasks stay where they are;
    /// none is placed on an instance that is DRAINING. An outcome for each that was named, in the
    /// order of the request.
    pub async fn update_container_instances_state(
        &self,
        cluster: ClusterName,
        ids: &[InstanceId],
        status: InstanceStatus,
    ) -> Result<Vec<Result<Arc<ContainerInstance>, UpdateRefusal>>, UpdateStateError> {
        self.store
            .update(|tx| {
                clusters::active(tx, &cluster)?;
                let update = |id: &InstanceId| {
                    let instance = find(tx, &cluster, *id).ok_or(UpdateRefusal::Missing)?;
                    if instance.status == InstanceStatus::Inactive {
                        return Err(UpdateRefusal::Inactive);
                    }
                    if instance.status == status {
                        return Ok(Arc::clone(instance));
                    }
                    let instance = Arc::new(ContainerInstance {
                        status,
                        version: instance.version + 1,
                        ..ContainerInstance::clone(instance)
                    });
                    tx.put_instance(Arc::clone(&instance));
                    Ok(instance)
                };
                Ok(ids.iter().map(update).collect())
            })
            .await
    }
}

/// UpdateContainerAgent. No agent updates itself on being told to: a newer one is installed as any
/// other program is. So this says why not, and never that it will be done.
pub fn update_agent(
    state: &State,
    cluster: &ClusterName,
    id: InstanceId,
) -> Result<Infallible, UpdateAgentError> {
    clusters::active(state, cluster)?;
    let instance = find(state, cluster, id).ok_or(NotFound)?;
    Err(match (instance.status, &instance.version_info.agent_version) {
        (InstanceStatus::Inactive, _) => UpdateAgentError::Inactive,
        (_, None) => UpdateAgentError::MissingVersion,
        (_, Some(_)) => UpdateAgentError::NoUpdateAvailable,
    })
}
