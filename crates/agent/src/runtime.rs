//! The Docker Engine as the engine's effects need it.
//!
//! An operation here ends with the Engine's verdict and with nothing less: while the daemon is
//! away it waits, and afterwards looks at what is there before it does anything again. So a
//! restart of `dockerd` neither fails a task nor does a thing twice.

mod adoption;
mod body;
mod cleanup;
mod create;
mod daemon;
mod exit;
mod facts;
mod health;
mod image;
mod instant;
mod limits;
mod look;
mod pull;
mod start;
mod stop;
mod volume;

pub(crate) use adoption::Inventory;
pub(crate) use body::Common;
pub(crate) use daemon::{Daemon, DockerErrors};
pub(crate) use facts::Facts;
pub(crate) use limits::ControlGroups;
pub(crate) use look::{Compared, LookError, Mount, Sight};
