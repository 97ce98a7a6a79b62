//! What the agent says to the control plane.

use super::server_message::ManifestTask;
use crate::envelope::messages;
use crate::shape::{Secret, shape};

messages! {
    /// A message from the agent.
    pub enum AgentMessage {
        /// A payload or manifest was understood and saved.
        Ack(AckRequest),
        /// A message was refused.
        Nack(NackRequest),
        /// Credentials of a task's role were taken.
        RoleCredentialsAck(IAMRoleCredentialsAckRequest),
        /// Answer to a heartbeat that bore a message id.
        HeartbeatAck(HeartbeatAckRequest),
        /// Tasks that run here although the manifest lacks them.
        TaskStopVerification(TaskStopVerificationMessage),
        /// Tasks of the manifest that are not here.
        TaskResend(TaskResendRequest),
    }
}

shape! {
    /// "Understood and saved": it says nothing about running. Match it by `message_id` only,
    /// agents differ in what they put into `cluster`.
    pub struct AckRequest {
        cluster: String = "cluster",
        container_instance: String = "containerInstance",
        message_id: String = "messageId",
    }

    /// A refusal, used for agent updates.
    pub struct NackRequest {
        cluster: String = "cluster",
        container_instance: String = "containerInstance",
        message_id: String = "messageId",
        reason: String = "reason",
    }

    /// "Taken": one for each task with credentials in a payload, with the payload's message id,
    /// and one for each [`IAMRoleCredentialsMessage`](super::IAMRoleCredentialsMessage).
    pub struct IAMRoleCredentialsAckRequest {
        credentials_id: Secret = "credentialsId",
        /// As it was told.
        expiration: String = "expiration",
        message_id: String = "messageId",
    }

    /// Answer to a heartbeat.
    pub struct HeartbeatAckRequest {
        message_id: String = "messageId",
    }

    /// Asks whether tasks that the manifest lacks are really to be stopped.
    pub struct TaskStopVerificationMessage {
        /// The manifest's.
        message_id: String = "messageId",
        stop_candidates: Vec<ManifestTask> = "stopCandidates",
    }

    /// Asks for tasks that the manifest lists and the agent does not have. Longshore's own:
    /// official agents do not say what they lack.
    pub struct TaskResendRequest {
        cluster: String = "cluster",
        container_instance: String = "containerInstance",
        /// The manifest's.
        message_id: String = "messageId",
        task_arns: Vec<String> = "taskArns",
    }
}
