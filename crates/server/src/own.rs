//! Longshore's own API, for what ECS has no call for: `POST /longshore/v1/OPERATION`. One file per
//! operation; what they have in common with ECS's, its parsers, is in [`api`].
//!
//! An operation that reads reads one state, whose moment is part of its answer, so that it can be
//! asked of a saved state as well.

mod explain;
mod joining;
mod placement_failures;
mod snapshot;

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Response};
use longshore_control::Control;
use longshore_control::access::{self, Caller, Deed};
use longshore_wire::own::{PATH, VERSION};
use serde::Serialize;

use crate::MasterKey;
use crate::api::{Exception, encode};
use crate::tls::Tls;

pub use explain::{Site, explain};

/// The operations, as paths name them.
const OPERATIONS: &[&str] = &[
    "create-join-token",
    "explain",
    "join",
    "list-instance-keys",
    "list-join-tokens",
    "placement-failures",
    "revoke-instance-key",
    "revoke-join-token",
    "snapshot",
];

/// What an operation may use.
pub(crate) struct OwnCall<'a> {
    pub(crate) control: &'a Control,
    /// What secrets are made from.
    pub(crate) master: &'a MasterKey,
    /// Whose signature the request bears.
    pub(crate) caller: Caller,
    /// The URLs at which other machines reach this server.
    pub(crate) endpoints: Vec<String>,
    /// What TLS is spoken with.
    pub(crate) tls: Option<&'a Tls>,
}

/// The name of the operation of this path, which is what follows [`PATH`].
pub(crate) fn operation(path: &str) -> Option<&'static str> {
    let named = path.strip_prefix(VERSION)?.strip_prefix('/')?;
    OPERATIONS.iter().find(|it| **it == named).copied()
}

/// Answers one request that has been authenticated; `path` is what follows [`PATH`].
pub(crate) async fn answer(
    method: &Method,
    path: &str,
    body: Bytes,
    call: &OwnCall<'_>,
) -> Result<Response<Body>, Exception> {
    let Some(operation) = operation(path).filter(|_| method == Method::POST) else {
        return Err(unknown(method, path));
    };
    let deed = if operation == "join" { Deed::Join } else { Deed::Other };
    access::may(call.caller, &deed, &call.control.view())?;
    match operation {
        "create-join-token" => json(&joining::create_token(&body, call).await?),
        "explain" => json(&explain::answer(body, call.control).await?),
        "join" => json(&joining::join(&body, call).await?),
        "list-instance-keys" => json(&joining::list_keys(&body, call)?),
        "list-join-tokens" => json(&joining::list_tokens(&body, call)?),
        "placement-failures" => json(&placement_failures::answer(&body, call.control)?),
        "revoke-instance-key" => json(&joining::revoke_key(&body, call).await?),
        "revoke-join-token" => json(&joining::revoke_token(&body, call).await?),
        "snapshot" => snapshot::answer(&body, call.control),
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
