//! What the control plane says to the agent.

use super::payload::{PayloadMessage, RoleCredentials};
use crate::envelope::messages;
use crate::shape::shape;

messages! {
    /// A message to the agent.
    pub enum ServerMessage {
        /// Tasks to start or stop.
        Payload(PayloadMessage),
        /// Credentials of a task's role, to be had from now on instead of those before.
        RoleCredentials(IAMRoleCredentialsMessage),
        /// Sign of life.
        Heartbeat(HeartbeatMessage),
        /// All tasks that should run on the container instance.
        TaskManifest(TaskManifestMessage),
        /// Which of the stop candidates are really to be stopped.
        TaskStopVerificationAck(TaskStopVerificationAck),
        /// The agent is to fetch a new version of itself and go on as that.
        PerformUpdate(PerformUpdateMessage),
        /// The agent is to fetch a new version of itself.
        StageUpdate(StageUpdateMessage),
        /// Notice that the server is about to close the connection.
        Close(CloseMessage),
        /// Something went wrong on the server's side.
        Error(ErrorMessage),
        /// A message of the agent cannot be read.
        BadRequest(BadRequestException),
        /// A message of the agent is of another container instance.
        InvalidInstance(InvalidInstanceException),
    }
}

shape! {
    /// Sign of life; without traffic for some minutes the agent reconnects.
    pub struct HeartbeatMessage {
        healthy: bool = "healthy",
        /// Agents since 1.52 echo it in a `HeartbeatAckRequest`.
        message_id: Option<String> = "messageId",
    }

    /// New credentials for a task that the agent knows. One that lacks a message id, a task or a
    /// credentials id is dropped by official agents, without an answer.
    pub struct IAMRoleCredentialsMessage {
        message_id: String = "messageId",
        task_arn: String = "taskArn",
        /// Whose role it is: `TaskApplication` for the containers', `TaskExecution` for the agent's.
        /// Agents before 1.16 do not know the member, later ones drop a message without it.
        role_type: String = "roleType",
        role_credentials: RoleCredentials = "roleCredentials",
    }

    /// All tasks that should run on the container instance.
    pub struct TaskManifestMessage {
        message_id: String = "messageId",
        cluster_arn: String = "clusterArn",
        container_instance_arn: String = "containerInstanceArn",
        /// Milliseconds since the epoch.
        generated_at: i64 = "generatedAt",
        /// Must be above every payload's `seqNum` and every earlier `timeline`, or the official
        /// agent skips the manifest without a word.
        timeline: i64 = "timeline",
        tasks: Vec<ManifestTask> = "tasks",
    }

    /// A task as manifests and stop verification name it.
    pub struct ManifestTask {
        task_arn: String = "taskArn",
        desired_status: String = "desiredStatus",
        task_cluster_arn: Option<String> = "taskClusterArn",
    }

    /// The verdict on stop candidates.
    pub struct TaskStopVerificationAck {
        /// The manifest's.
        message_id: String = "messageId",
        /// Milliseconds since the epoch.
        generated_at: i64 = "generatedAt",
        stop_tasks: Vec<ManifestTask> = "stopTasks",
    }

    /// Asks for an update now. What it is to be is left out: nobody here sends or obeys it.
    pub struct PerformUpdateMessage {
        message_id: String = "messageId",
    }

    /// Asks to have an update ready.
    pub struct StageUpdateMessage {
        message_id: String = "messageId",
    }

    /// Notice before the server closes the connection; official agents do nothing with it.
    pub struct CloseMessage {
        message: String = "message",
    }

    /// An error without a type of its own.
    pub struct ErrorMessage {
        message: String = "message",
    }

    /// What the agent said cannot be read. Official agents have no handler for it.
    pub struct BadRequestException {
        message: String = "message",
    }

    /// What the agent said is not its own to say. Official agents have no handler for it.
    pub struct InvalidInstanceException {
        message: String = "message",
    }
}
