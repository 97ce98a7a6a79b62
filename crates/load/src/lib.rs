//! A real `longshore` process, driven from outside over its real protocol: a signed client, agents
//! that only say that they run containers, and the figures and kills that come of it.
//!
//! Nothing here knows the server's inside. What it promises (what was acknowledged is never lost,
//! no status goes back, no instance is over-committed) is held against what it answers.

mod agent;
mod client;
pub mod kills;
mod random;
mod server_process;
mod usage;

pub use agent::{AgentEvent, AgentSpec, SimulatedAgent, Work};
pub use client::{CallError, Client, RootKey};
pub use random::Random;
pub use server_process::{ServerOptions, ServerProcess, binary, free_port};
pub use usage::Usage;
