//! Calls of a control plane's API: signed, one attempt each, bounded in time and size, over
//! connections that are kept open.
//!
//! Whether to try again is for the caller to decide; [`CallError::is_final`] says whether that can
//! help.

mod client;
mod endpoint;
mod error;
mod signer;

pub use client::{Bounds, Client};
pub use endpoint::{Endpoint, EndpointError};
pub use error::CallError;
pub use signer::{Credentials, Signer};
