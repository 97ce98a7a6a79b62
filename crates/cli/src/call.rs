//! A call of the control plane for a person who waits, and what went wrong in words.

use std::time::Duration;

use anyhow::{Error, anyhow};
use longshore_client::{Bounds, CallError, Client};
use longshore_wire::ErrorBody;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::options::Connection;

/// A cluster of thousands of instances takes its time to be explained, one by one.
pub(crate) const BOUNDS: Bounds = Bounds {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(60),
    idle: Duration::from_secs(10),
    answer_bytes: 256 * 1024 * 1024,
};

/// A client of the control plane that is called.
pub(crate) fn client(connection: &Connection) -> anyhow::Result<Client> {
    let (endpoint, signer) = (connection.endpoint()?, connection.signer()?);
    Ok(Client::new(endpoint, &connection.trust(), signer, BOUNDS)?)
}

/// Calls an operation of Longshore's own and gives its answer as it came.
pub(crate) async fn ask(
    connection: &Connection,
    operation: &str,
    request: &serde_json::Value,
) -> anyhow::Result<serde_json::Value> {
    let client = client(connection)?;
    client.call_own(operation, request).await.map_err(|it| in_words(it, &client))
}

/// Calls an operation of Longshore's own by its shapes.
pub(crate) async fn ask_as<T: DeserializeOwned>(
    client: &Client,
    operation: &str,
    request: &impl Serialize,
) -> anyhow::Result<T> {
    client.call_own(operation, request).await.map_err(|it| in_words(it, client))
}

/// What a person is told of a call that did not succeed.
pub(crate) fn in_words(error: CallError, client: &Client) -> Error {
    match error {
        CallError::Refused { error, .. } => refused(&error),
        CallError::NoAnswer(_) | CallError::Untrusted(_) | CallError::Unreadable { .. } => {
            anyhow!("the server at {}: {error}", client.endpoint())
        }
    }
}

/// An exception in words.
pub(crate) fn refused(error: &ErrorBody) -> Error {
    let hint = match error.code.as_str() {
        "UnrecognizedClientException" | "InvalidSignatureException" => {
            "; `longshore env` prints this server's key on its machine"
        }
        _ => "",
    };
    anyhow!("{} ({}){hint}", error.message, error.code)
}
