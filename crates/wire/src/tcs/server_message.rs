//! What the control plane says.

use crate::envelope::messages;
use crate::shape::shape;

messages! {
    /// A message to the agent.
    pub enum ServerMessage {
        /// Sign of life.
        Heartbeat(HeartbeatMessage),
        /// Metrics were taken.
        AckMetric(AckPublishMetric),
        /// Health was taken.
        AckHealth(AckPublishHealth),
        /// An instance's status was taken.
        AckInstanceStatus(AckPublishInstanceStatus),
        /// No more is wanted on this connection.
        Stop(StopTelemetrySessionMessage),
        /// A message cannot be read. Official agents have no handler for this and the next three.
        BadRequest(BadRequestException),
        /// A message is about a task or an instance that is not the sender's.
        ResourceValidation(ResourceValidationException),
        /// A message says what cannot be.
        InvalidParameter(InvalidParameterException),
        /// A message could not be taken.
        Server(ServerException),
    }
}

shape! {
    /// Sign of life; without traffic for a minute or more the agent reconnects.
    pub struct HeartbeatMessage {
        healthy: bool = "healthy",
    }

    /// Metrics were taken.
    pub struct AckPublishMetric {
        message: Option<String> = "message",
    }

    /// Health was taken.
    pub struct AckPublishHealth {
        message: Option<String> = "message",
    }

    /// An instance's status was taken.
    pub struct AckPublishInstanceStatus {
        message: Option<String> = "message",
    }

    /// No more is wanted on this connection.
    pub struct StopTelemetrySessionMessage {
        message: Option<String> = "message",
    }

    /// A message cannot be read.
    pub struct BadRequestException {
        message: Option<String> = "message",
    }

    /// A message is about a task or an instance that is not the sender's.
    pub struct ResourceValidationException {
        message: Option<String> = "message",
    }

    /// A message says what cannot be.
    pub struct InvalidParameterException {
        message: Option<String> = "message",
    }

    /// A message could not be taken.
    pub struct ServerException {
        message: Option<String> = "message",
    }
}
