//! The agents' door: what an agent is told, when, and on which connection.

mod connections;
mod heartbeats;
mod payloads;
mod telling;
