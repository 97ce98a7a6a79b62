//! A real `longshore` process, driven from outside over its real protocol: a signed client, agents
//! that only say that they run containers, and the figures and kills that come of it.
//!
//! Nothing here knows the server's inside. What it promises (what was acknowledged is never lost,
//! no status goes back, no instance is over-committed) is held against what it answers.

mod agent_process;
mod announced;
pub mod faults;
mod fleet_process;
pub mod kills;
mod server_process;
mod usage;

pub use agent_process::AgentProcess;
pub use fleet_process::FleetProcess;
pub use longshore_simulated_fleet::{
    AgentEvent, AgentSpec, CallError, Client, Life, Limits, Plan, Random, RootKey, SimulatedAgent,
    SimulatedFleet, Span, raise_open_files,
};
pub use server_process::{ServerOptions, ServerProcess, binary, free_port};
pub use usage::Usage;
