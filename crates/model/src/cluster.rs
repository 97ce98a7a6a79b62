//! A cluster: a name under which container instances and tasks are grouped.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::names::ClusterName;
use crate::status::ClusterStatus;
use crate::tags::Tags;

/// A cluster. Its counts are computed from its instances and tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Unique among the clusters of the control plane.
    pub name: ClusterName,
    /// ACTIVE, or INACTIVE once deleted.
    pub status: ClusterStatus,
    /// When it was created, or created again.
    pub created_at: Timestamp,
    /// When it was deleted; `None` while it is ACTIVE. The reaper counts from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// How many RunTask calls could place nothing, ever. What is remembered of them one by one is in
    /// [`PlacementFailure`](crate::PlacementFailure).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub placement_failures: u64,
    /// The callers' tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
