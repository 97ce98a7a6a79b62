//! The agents' door: one websocket an agent, over which it is told what to run.
//!
//! `assignment` decides what is still to be said, `payload` says it in the agents' terms,
//! `session` holds one socket and `hub` wakes the right one when the state changes, noting which
//! tasks to look at. What is said is always worked out from the state, so a connection that comes
//! back, or that changes have passed by, looks at every task and is told all that it has missed.

mod assignment;
mod hub;
mod payload;
mod session;

pub(crate) use hub::{Hub, Seat};
pub(crate) use session::{Hello, NAMES, Names, Session, may_connect, refuse, serve};
