//! Operations on clusters.

use std::sync::Arc;

use longshore_model::{Cluster, ClusterName, ClusterStatus};
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

/// The cluster of this name, if it is in use.
pub fn active<'a>(state: &'a State, name: &ClusterName) -> Result<&'a Arc<Cluster>, ClusterError> {
    let cluster = state.cluster(name).ok_or(ClusterError::NotFound)?;
    match cluster.status {
        ClusterStatus::Active => Ok(cluster),
        ClusterStatus::Inactive => Err(ClusterError::Inactive),
    }
}

impl Control {
    /// CreateCluster. A cluster of this name that is in use is given back as it is; a deleted one
    /// comes to life again.
    pub async fn create_cluster(&self, name: ClusterName) -> Result<Arc<Cluster>, StoreError> {
        let now = self.now();
        self.store
            .update(|tx| {
                if let Ok(cluster) = active(tx, &name) {
                    return Ok(Arc::clone(cluster));
                }
                let cluster = Cluster { name, status: ClusterStatus::Active, created_at: now };
                tx.put_cluster(cluster.clone());
                Ok(Arc::new(cluster))
            })
            .await
    }
}
