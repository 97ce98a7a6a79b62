//! TCS: the socket on which agents tell how tasks and container instances fare.
//!
//! The agent sends requests by type, and each is answered by an acknowledgement of its own type.
//! Its frames have a block of headers before their JSON ([`frame`]).

mod agent_message;
pub mod frame;
mod health;
mod instance_status;
mod metrics;
mod server_message;

pub use agent_message::AgentMessage;
pub use health::{ContainerHealth, HealthMetadata, PublishHealthRequest, TaskHealth};
pub use instance_status::{InstanceStatus, InstanceStatusMetadata, PublishInstanceStatusRequest};
pub use metrics::{
    ContainerMetrics, LongStatsSet, MetricsMetadata, NetworkStatsSet, PublishMetricsRequest,
    StatsSet, StorageStatsSet, TaskMetrics,
};
pub use server_message::{
    AckPublishHealth, AckPublishInstanceStatus, AckPublishMetric, BadRequestException,
    HeartbeatMessage, InvalidParameterException, ResourceValidationException, ServerException,
    ServerMessage, StopTelemetrySessionMessage,
};

#[cfg(test)]
mod tests;
