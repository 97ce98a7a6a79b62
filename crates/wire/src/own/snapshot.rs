//! `snapshot`: what placement looks at, as a file. The answer is that file, and no JSON.

use crate::shape::shape;

shape! {
    /// Of which cluster.
    pub struct SnapshotRequest {
        /// Name or ARN; all clusters when absent.
        cluster: Option<String> = "cluster",
    }
}

/// The media type of the answer.
pub const SNAPSHOT_TYPE: &str = "application/x-longshore-snapshot";
