//! The agents' door: one websocket an agent, over which it is told what to run.
//!
//! `assignment` decides what is still to be said, `payload` says it in the agents' terms, `manifest`
//! says all at once what should run, `session` holds one socket and `hub` wakes the right one when the
//! state changes, noting which tasks to look at. What is said is always worked out from the state, so a
//! connection that comes back, or that changes have passed by, looks at every task and is told all that
//! it has missed.

mod assignment;
mod contest;
mod hello;
mod hub;
mod manifest;
mod payload;
mod sequence;
mod session;

pub(crate) use hello::{Hello, NAMES, Names, may_connect, refuse};
pub(crate) use hub::{Hub, Seat};
pub(crate) use session::{Session, serve};
