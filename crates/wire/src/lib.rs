//! The bytes both sides agree on: ECS API shapes, ACS and TCS messages, AWS JSON 1.1 and SigV4.
//!
//! Every shape decodes what AWS sends and encodes what AWS's clients accept; golden files prove
//! it. A shape is not yet a valid request: what a member means, and whether it may be missing, is
//! decided by whoever turns the shape into a type of the domain.

#![allow(missing_docs, reason = "a member's meaning is ECS's; its name on the wire says which")]

pub mod acs;
pub mod ecs;
mod envelope;
mod fingerprint;
pub mod join_token;
mod json;
pub mod own;
pub mod percent;
pub mod prometheus;
mod shape;
pub mod sigv4;
pub mod tcs;
mod timestamp;

pub use envelope::FrameError;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use json::{CONTENT_TYPE, ErrorBody, Operation, TARGET_HEADER};
pub use shape::{
    Kind, Member, Mismatch, Parsed, Reader, Secret, Shape, Structure, Unknown, parse, salvage,
};
pub use timestamp::Timestamp;
