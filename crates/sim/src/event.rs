//! All that can happen.

use longshore_agent::engine::Input;
use longshore_model::Timestamp;
use longshore_wire::ecs::{RegisterContainerInstanceRequest, SubmitTaskStateChangeRequest};

use crate::docker::Work;
use crate::network::LinkId;
use crate::workload::ClientCall;

/// Something that happens at its time.
pub(crate) enum Event {
    /// A client thinks of a call.
    Client,
    /// A client's call arrives at the control plane.
    ClientCalls(ClientCall),
    /// Something goes wrong.
    Fault,
    /// The control plane forgets old tasks.
    Reap,
    /// The control plane gives up tasks on machines that stay away.
    Lose,
    /// The control plane, whose journal failed, stops.
    PlaneStops,
    /// The control plane starts on the journal that it had.
    PlaneStarts,
    /// The control plane's session looks whether it has something to say.
    Turn(LinkId),
    /// A frame of the control plane arrives.
    ToAgent(LinkId, String),
    /// A frame of the agent arrives.
    ToPlane(LinkId, String),
    /// The control plane finds out that a connection is over.
    PlaneLoses(LinkId),
    /// The agent finds it out.
    AgentLoses(LinkId),
    /// The agent's process starts.
    Boot(usize),
    /// It has died, and had this connection.
    Died(usize, Option<LinkId>),
    /// Something happens to one life of an agent; its next life does not know of it.
    Agent(Life, ToLife),
    /// Docker has done something; a machine that was switched off meanwhile has not.
    Docker { machine: usize, boot: u64, work: Work },
}

/// One run of the agent's process on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) machine: usize,
    pub(crate) number: u64,
}

/// What happens to one life of an agent.
pub(crate) enum ToLife {
    /// What an earlier life left is looked through.
    Resumed,
    /// An input for a task.
    Input { task: String, input: Input },
    /// Its call arrives at the control plane.
    Calls { number: u64, call: AgentCall, signed_at: Timestamp },
    /// It hears what came of its call.
    Hears { number: u64, answer: Answer },
    /// It registers again.
    RegisterAgain,
    /// It tries to report again.
    SubmitAgain { task: String, pause: u64 },
    /// It wants to be connected.
    Connect,
    /// Its handshake arrives at the control plane.
    Handshake { attempt: u64, query: String },
    /// It hears what came of its handshake.
    HandshakeOver { attempt: u64, link: Option<LinkId> },
}

/// A call of an agent.
#[derive(Clone)]
pub(crate) enum AgentCall {
    Register(Box<RegisterContainerInstanceRequest>),
    Submit(Box<SubmitTaskStateChangeRequest>),
}

/// What came of an agent's call.
pub(crate) enum Answer {
    /// Registered, under this ARN.
    Registered(String),
    /// The report was accepted.
    Accepted,
    /// The signature is of another time than this, the control plane's.
    WrongTime(Timestamp),
    /// An error, or silence.
    Nothing,
}
