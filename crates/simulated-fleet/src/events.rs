//! What the agents of a fleet tell whoever watches them.

/// What happened to an agent. Events of one agent, and of one task, come in their order.
#[derive(Clone, Debug)]
pub enum AgentEvent {
    /// Its registration was acknowledged.
    Registered {
        /// The container instance's ARN.
        instance: String,
    },
    /// Its socket is open.
    Connected,
    /// Its socket was closed.
    Disconnected {
        /// Tasks that it was told to run, or that were listed, while the socket was open.
        told_to_run: u64,
    },
    /// It was told of a task.
    Told {
        /// The container instance's ARN.
        instance: String,
        /// The task's ARN.
        task: String,
        /// `RUNNING` or `STOPPED`.
        desired_status: String,
    },
    /// A manifest listed tasks that it has.
    Listed {
        /// How many.
        tasks: u64,
    },
    /// A report was acknowledged.
    Reported {
        /// The task's ARN.
        task: String,
        /// `RUNNING` or `STOPPED`.
        status: &'static str,
    },
    /// The server refused a call that it must not refuse.
    Refused {
        /// What, and why.
        what: String,
    },
    /// Nobody answered; it is tried again.
    NoAnswer {
        /// What, and why.
        what: String,
    },
}
