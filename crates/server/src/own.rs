//! Longshore's own API, for what ECS has no call for: `POST /longshore/v1/OPERATION`. One file per
//! operation; what they have in common with ECS's, its parsers, is in [`api`].
//!
//! An operation that reads reads one state, whose moment is part of its answer, so that it can be
//! asked of a saved state as well.

mod explain;
mod placement_failures;
mod snapshot;

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Response};
use longshore_control::Control;
use longshore_wire::own::{PATH, VERSION};
use serde::Serialize;

use crate::api::{Exception, encode};

pub use explain::{Site, explain};

/// The operations, as paths name them.
const OPERATIONS: &[&str] = &["explain", "placement-failures", "snapshot"];

/// Answers one request that has been authenticated; `path` is what follows [`PATH`].
pub(crate) async fn answer(
    method: &Method,
    path: &str,
    body: Bytes,
    control: &Control,
) -> Result<Response<Body>, Exception> {
    let operation = path.strip_prefix(VERSION).and_then(|it| it.strip_prefix('/'));
    match operation.filter(|_| method == Method::POST) {
        Some("explain") => json(&explain::answer(body, control).await?),
        Some("placement-failures") => json(&placement_failures::answer(&body, control)?),
        Some("snapshot") => snapshot::answer(&body, control),
        _ => Err(unknown(method, path)),
    }
}

fn json(response: &impl Serialize) -> Result<Response<Body>, Exception> {
    Ok(Response::new(Body::from(encode(response)?)))
}

fn unknown(method: &Method, path: &str) -> Exception {
    let shown: String = path.chars().take(128).collect();
    let there_are: Vec<_> =
        OPERATIONS.iter().map(|it| format!("POST {PATH}{VERSION}/{it}")).collect();
    Exception::not_found(format!(
        "There is no {method} {PATH}{shown}. There are: {}.",
        there_are.join(", ")
    ))
}
