//! How the container instance itself fares, by agents of later years.

use crate::shape::shape;
use crate::timestamp::Timestamp;

shape! {
    /// What an instance's own checks say.
    pub struct PublishInstanceStatusRequest {
        metadata: InstanceStatusMetadata = "metadata",
        statuses: Option<Vec<InstanceStatus>> = "statuses",
        timestamp: Option<Timestamp> = "timestamp",
    }

    /// Who speaks.
    pub struct InstanceStatusMetadata {
        cluster: String = "cluster",
        container_instance: String = "containerInstance",
        request_id: String = "requestId",
    }

    /// What one check says.
    pub struct InstanceStatus {
        /// Such as `ContainerRuntime`.
        kind: String = "type",
        /// Such as `OK` or `IMPAIRED`.
        status: String = "status",
        last_updated: Option<Timestamp> = "lastUpdated",
        last_status_change: Option<Timestamp> = "lastStatusChange",
    }
}
