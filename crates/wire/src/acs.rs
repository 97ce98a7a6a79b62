//! ACS: the messages between control plane and agent by which tasks are told.

mod agent_message;
mod payload;
mod refusal;
mod server_message;

pub use agent_message::{
    AckRequest, AgentMessage, HeartbeatAckRequest, IAMRoleCredentialsAckRequest, NackRequest,
    TaskResendRequest, TaskStopVerificationMessage,
};
pub use payload::{
    BasicAuthData, Container, ContainerDependency, DockerConfig, DockerVolumeConfiguration,
    EcrAuthData, HostVolume, MountPoint, Overrides, PayloadMessage, PortMapping,
    RegistryAuthentication, RestartPolicy, RoleCredentials, Task, Volume, VolumeFrom,
};
pub use refusal::{CONTESTED, Refusal};
pub use server_message::{
    BadRequestException, CloseMessage, ErrorMessage, HeartbeatMessage, IAMRoleCredentialsMessage,
    InvalidInstanceException, ManifestTask, PerformUpdateMessage, ServerMessage,
    StageUpdateMessage, TaskManifestMessage, TaskStopVerificationAck,
};

#[cfg(test)]
mod tests;
