//! What containers' health checks say: every 20 s, of tasks that have such checks, once there is
//! a first result.

use crate::shape::shape;
use crate::timestamp::Timestamp;

shape! {
    /// The health of some of an instance's tasks.
    pub struct PublishHealthRequest {
        metadata: HealthMetadata = "metadata",
        tasks: Option<Vec<TaskHealth>> = "tasks",
        timestamp: Option<Timestamp> = "timestamp",
    }

    /// Who speaks, and which part of a round this is.
    pub struct HealthMetadata {
        cluster: String = "cluster",
        container_instance: String = "containerInstance",
        message_id: String = "messageId",
        /// The last message of its round.
        fin: bool = "fin",
    }

    /// The health of one task.
    pub struct TaskHealth {
        task_arn: String = "taskArn",
        task_definition_family: String = "taskDefinitionFamily",
        /// The revision, as text.
        task_definition_version: String = "taskDefinitionVersion",
        containers: Option<Vec<ContainerHealth>> = "containers",
    }

    /// The health of one container.
    pub struct ContainerHealth {
        container_name: String = "containerName",
        /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
        health_status: String = "healthStatus",
        status_since: Option<Timestamp> = "statusSince",
    }
}
