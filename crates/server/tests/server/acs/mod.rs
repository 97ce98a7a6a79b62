//! The agents' door: what an agent is told, when, and on which connection.

mod bad_frames;
mod connections;
mod heartbeats;
mod lost;
mod manifests;
mod payloads;
mod telling;
