//! What a caller changes for one task, as sent and as echoed.

use super::KeyValuePair;
use crate::shape::shape;

shape! {
    pub struct TaskOverride {
        container_overrides: Option<Vec<ContainerOverride>> = "containerOverrides",
        task_role_arn: Option<String> = "taskRoleArn",
        /// CPU of the task as a whole, as text.
        cpu: Option<String> = "cpu",
        /// Memory of the task as a whole, as text.
        memory: Option<String> = "memory",
    }

    pub struct ContainerOverride {
        name: Option<String> = "name",
        command: Option<Vec<String>> = "command",
        environment: Option<Vec<KeyValuePair>> = "environment",
        /// Units of 1/1024 CPU.
        cpu: Option<i32> = "cpu",
        /// Hard limit in MiB.
        memory: Option<i32> = "memory",
        /// Soft limit in MiB.
        memory_reservation: Option<i32> = "memoryReservation",
    }
}
