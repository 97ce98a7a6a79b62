//! The agents' other door: one websocket an agent, over which it tells how its tasks and its
//! container instance fare.
//!
//! `session` holds one socket, `take` says what a message means and what it is answered, and `hub`
//! knows whose socket counts and follows the state: it ends the sessions of instances that are gone
//! and forgets the figures of tasks that have ended. Nothing of it says that an agent is connected;
//! that is ACS's alone.

mod hub;
mod session;
mod take;

pub(crate) use hub::Hub;
pub(crate) use session::{NAMES, Session, serve};
