//! The agent: makes Docker on one container instance match its assignment.
//!
//! It talks to the control plane as the official agent does, by the API and the ACS socket, and
//! knows nothing of other instances. What is to be done with a task, and in which order, is decided
//! by [`engine`] alone; everything else here is a shell around it. After a restart the agent takes
//! over what runs, by files and labels, before it obeys anything new.

mod agent;
mod backoff;
mod board;
mod config;
pub mod engine;
mod files;
mod images;
mod introspection;
mod join;
mod kept;
mod local_http;
mod look;
mod membership;
mod metadata;
pub mod payload;
mod pulse;
mod register;
mod reporter;
mod runtime;
mod session;
mod system;
mod tasks;
mod telemetry;
mod turns;
mod worker;

pub use agent::{Agent, AgentError};
pub use config::{
    AgentConfig, DEFAULT_RESERVED_PORTS, ImageCleanup, ImagePullBehavior, TaskMetadata,
};
pub use images::LoginsError;
pub use join::{JoinError, Said, join};
pub use membership::Membership;
pub use reporter::submission;
pub use system::IdsOfTask;
