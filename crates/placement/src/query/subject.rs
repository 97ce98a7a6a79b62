//! What an expression can ask about.

/// What a comparison is about. Source: Amazon ECS Developer Guide, "Cluster query language".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// `attribute:NAME`, or whichever attribute a change is about.
    Attribute(&'a str),
    /// `task:group`
    TaskGroup,
    /// `agentConnected`
    AgentConnected,
    /// `agentVersion`
    AgentVersion,
    /// `ec2InstanceId`
    Ec2InstanceId,
    /// `registeredAt`
    RegisteredAt,
    /// `runningTasksCount`
    RunningTasksCount,
}
