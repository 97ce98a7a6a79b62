//! The agents' socket for telemetry.

mod connections;
mod messages;
mod refusals;
mod scene;
