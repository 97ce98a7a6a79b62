//! The agents' socket for telemetry.

mod connections;
mod messages;
mod refusals;
pub(crate) mod scene;
