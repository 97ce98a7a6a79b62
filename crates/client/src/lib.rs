//! Calls of a control plane's API: signed, one attempt each, bounded in time and size, over
//! connections that are kept open; and connections for the agents' sockets.
//!
//! A server is believed by TLS only with a certificate for the very name or address that the URL
//! has, at this time, signed by an authority that is trusted: one of the system's, one in a file,
//! or the one with a given fingerprint.
//!
//! Whether to try again is for the caller to decide; [`CallError::is_final`] says whether that can
//! help.

mod client;
mod clock;
mod connector;
mod endpoint;
mod error;
mod signer;
mod socket;
mod trust;
mod verifier;

pub use client::{Bounds, Client};
pub use connector::{Connector, Stream};
pub use endpoint::{Endpoint, EndpointError, Scheme};
pub use error::{CallError, causes};
pub use longshore_wire::{Fingerprint, FingerprintError};
pub use signer::{Credentials, Signer};
pub use socket::{SocketEndpoint, SocketEndpointError};
pub use trust::{Trust, TrustError};
