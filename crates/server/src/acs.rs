//! The agents' door: one websocket an agent, over which it is told what to run.
//!
//! `assignment` decides what is still to be said, `payload` says it in the agents' terms,
//! `session` holds one socket and `hub` wakes the right one when the state changes. A change only
//! wakes a session; what it says is always worked out from the state, so a connection that comes
//! back is told all that it may have missed.

mod assignment;
mod hub;
mod payload;
mod session;

pub(crate) use hub::{Hub, Seat};
pub(crate) use session::{Hello, Session, refuse, serve};
