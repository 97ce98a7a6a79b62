//! SubmitTaskStateChange and SubmitContainerStateChange: what agents report.

use super::NetworkBinding;
use crate::Timestamp;
use crate::shape::shape;

shape! {
    pub struct SubmitTaskStateChangeRequest {
        cluster: Option<String> = "cluster",
        task: Option<String> = "task",
        status: Option<String> = "status",
        reason: Option<String> = "reason",
        /// Changes since the last report, to be applied in order; one container may come twice.
        containers: Option<Vec<ContainerStateChange>> = "containers",
        pull_started_at: Option<Timestamp> = "pullStartedAt",
        pull_stopped_at: Option<Timestamp> = "pullStoppedAt",
        execution_stopped_at: Option<Timestamp> = "executionStoppedAt",
    }

    pub struct SubmitTaskStateChangeResponse {
        acknowledgment: Option<String> = "acknowledgment",
    }

    pub struct ContainerStateChange {
        container_name: Option<String> = "containerName",
        image_digest: Option<String> = "imageDigest",
        /// Docker's id.
        runtime_id: Option<String> = "runtimeId",
        exit_code: Option<i32> = "exitCode",
        network_bindings: Option<Vec<NetworkBinding>> = "networkBindings",
        reason: Option<String> = "reason",
        status: Option<String> = "status",
        /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`; Longshore's own member, of a container with a
        /// health check. Official agents tell it by telemetry.
        health_status: Option<String> = "healthStatus",
        /// Since when, by the agent's clock. Health comes and goes, so of two reports this tells
        /// which one is late.
        health_status_since: Option<Timestamp> = "healthStatusSince",
    }

    /// How agents before 1.14.4 report a container.
    pub struct SubmitContainerStateChangeRequest {
        cluster: Option<String> = "cluster",
        task: Option<String> = "task",
        container_name: Option<String> = "containerName",
        runtime_id: Option<String> = "runtimeId",
        status: Option<String> = "status",
        exit_code: Option<i32> = "exitCode",
        reason: Option<String> = "reason",
        network_bindings: Option<Vec<NetworkBinding>> = "networkBindings",
    }

    pub struct SubmitContainerStateChangeResponse {
        acknowledgment: Option<String> = "acknowledgment",
    }
}
