//! Operations on clusters.

use std::sync::Arc;

use longshore_model::{Cluster, ClusterName, ClusterStatus, Tags};
use longshore_store::{State, StoreError};

use crate::Control;

/// Why a cluster cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// There is none of that name.
    #[error("Cluster not found.")]
    NotFound,
    /// It was deleted.
    #[error("The referenced cluster was inactive.")]
    Inactive,
}

/// Why a cluster cannot be deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteClusterError {
    /// It cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// It has container instances that are not INACTIVE.
    #[error("The Cluster cannot be deleted while Container Instances are active or draining.")]
    ContainsContainerInstances,
    /// It has tasks that are not STOPPED.
    #[error("The Cluster cannot be deleted while Tasks are active.")]
    ContainsTasks,
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The cluster of this name, if it is in use.
pub fn active<'a>(state: &'a State, name: &ClusterName) -> Result<&'a Arc<Cluster>, ClusterError> {
    let cluster = state.cluster(name).ok_or(ClusterError::NotFound)?;
    match cluster.status {
        ClusterStatus::Active => Ok(cluster),
        ClusterStatus::Inactive => Err(ClusterError::Inactive),
    }
}

/// The clusters that are listed: those in use, by name, after the one given.
pub fn listed<'a>(
    state: &'a State,
    after: Option<&ClusterName>,
) -> impl Iterator<Item = &'a Arc<Cluster>> {
    state.clusters_after(after).filter(|it| it.status == ClusterStatus::Active)
}

impl Control {
    /// CreateCluster. A cluster of this name that is in use is given back as it is; a deleted one
    /// comes to life again, with these tags only; its failures stay counted as long as it is
    /// remembered.
    pub async fn create_cluster(
        &self,
        name: ClusterName,
        tags: Tags,
    ) -> Result<Arc<Cluster>, StoreError> {
        let now = self.now();
        self.store
            .update(|tx| {
                if let Ok(cluster) = active(tx, &name) {
                    return Ok(Arc::clone(cluster));
                }
                let placement_failures = tx.cluster(&name).map_or(0, |it| it.placement_failures);
                let cluster = Arc::new(Cluster {
                    name,
                    status: ClusterStatus::Active,
                    created_at: now,
                    deleted_at: None,
                    placement_failures,
                    tags,
                });
                tx.put_cluster(Arc::clone(&cluster));
                Ok(cluster)
            })
            .await
    }

    /// DeleteCluster: it is INACTIVE from now on, and remembered for a while. One that is INACTIVE
    /// already stays as it is.
    pub async fn delete_cluster(
        &self,
        name: ClusterName,
    ) -> Result<Arc<Cluster>, DeleteClusterError> {
        let now = self.now();
        self.store
            .update(|tx| {
                let cluster = tx.cluster(&name).ok_or(ClusterError::NotFound)?;
                if cluster.status == ClusterStatus::Inactive {
                    return Ok(Arc::clone(cluster));
                }
                let counts = tx.counts(&name);
                if counts.registered_instances > 0 {
                    return Err(DeleteClusterError::ContainsContainerInstances);
                }
                if counts.running_tasks + counts.pending_tasks > 0 {
                    return Err(DeleteClusterError::ContainsTasks);
                }
                let cluster = Arc::new(Cluster {
                    status: ClusterStatus::Inactive,
                    deleted_at: Some(now),
                    ..Cluster::clone(cluster)
                });
                tx.put_cluster(Arc::clone(&cluster));
                self.fleets.forget(&name);
                Ok(cluster)
            })
            .await
    }
}
