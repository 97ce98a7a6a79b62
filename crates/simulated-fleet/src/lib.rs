//! A fleet of simulated agents. They speak the real protocol with a real server: registration,
//! endpoint, signed socket, acknowledgements, reports. Behind them nothing runs: what becomes of
//! each task is said by a seeded plan.
//!
//! Nothing here knows the server's inside.

mod agent;
mod client;
mod events;
mod fleet;
mod open_files;
mod plan;
mod progress;
mod random;
mod run;
mod runner;
mod socket;
mod spec;
mod tasks;

pub use agent::{AgentSpec, SimulatedAgent, registration};
pub use client::{Client, RootKey};
pub use events::AgentEvent;
pub use fleet::{Limits, SimulatedFleet};
pub use longshore_client::CallError;
pub use open_files::raise_open_files;
pub use plan::{Life, Plan, Span};
pub use random::Random;
pub use run::{Course, run};
pub use spec::{AttributeValues, FleetSpec, Shape, SpecError};
