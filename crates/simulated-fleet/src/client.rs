//! The client that a fleet's agents share, and that can be kept from calling.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use longshore_client::{
    Bounds, CallError, Connector, Credentials, Endpoint, Scheme, Signer, Trust, TrustError,
};
use longshore_wire::ecs;
use tokio::sync::RwLock;

/// A connection unused for so long is closed, so that the server's memory for it is not taken for
/// memory of what was asked for; and a server under load may take its time to answer.
const BOUNDS: Bounds = Bounds {
    connect: Duration::from_secs(20),
    answer: Duration::from_secs(20),
    idle: Duration::from_secs(1),
    answer_bytes: 64 * 1024 * 1024,
};

/// The region that a server signs for unless told otherwise.
const REGION: &str = "us-east-1";

/// The key that a server makes at its first start.
#[derive(Clone, serde::Deserialize)]
pub struct RootKey {
    /// Public: it travels in requests.
    pub access_key_id: String,
    /// Never travels.
    pub secret_access_key: String,
}

impl RootKey {
    /// Reads it from the server's data directory.
    pub fn load(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("root-key.json");
        let text = fs::read(&path).with_context(|| format!("{} is not there", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is odd", path.display()))
    }
}

/// A client of one server. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    client: longshore_client::Client,
    /// Calls are made only while this can be read-locked, and hold the lock while they last.
    gate: Option<Arc<RwLock<()>>>,
}

impl Client {
    /// A client of the server that speaks plain text at `host:port` and has the region of servers
    /// which were not told another.
    pub fn new(authority: &str, key: RootKey) -> anyhow::Result<Self> {
        let RootKey { access_key_id, secret_access_key } = key;
        let credentials = Credentials { access_key_id, secret_access_key, session_token: None };
        let endpoint = format!("http://{authority}").parse()?;
        let signer = Signer::new(credentials, REGION.into());
        Ok(Self::signing(endpoint, &Trust::default(), signer)?)
    }

    /// A client that signs so.
    ///
    /// # Errors
    /// Where what is to be trusted cannot be read.
    pub fn signing(endpoint: Endpoint, trust: &Trust, signer: Signer) -> Result<Self, TrustError> {
        let client = longshore_client::Client::new(endpoint, trust, signer, BOUNDS)?;
        Ok(Self { client, gate: None })
    }

    /// The same client behind a gate: whoever write-locks it waits until its calls are over and
    /// keeps others from being made.
    pub fn behind(&self, gate: Arc<RwLock<()>>) -> Self {
        Self { client: self.client.clone(), gate: Some(gate) }
    }

    /// Such as `127.0.0.1:8327`.
    pub fn authority(&self) -> &str {
        self.client.endpoint().authority()
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.client.endpoint().scheme()
    }

    pub(crate) fn connector(&self) -> &Connector {
        self.client.connector()
    }

    pub(crate) fn signer(&self) -> &Signer {
        self.client.signer()
    }

    /// Makes one attempt.
    pub async fn call<R: ecs::Request>(&self, request: &R) -> Result<R::Response, CallError> {
        let _open = match &self.gate {
            Some(gate) => Some(gate.read().await),
            None => None,
        };
        self.client.call(request).await
    }

    /// The bytes of a signed request, for a caller that sends the same one many times and spends
    /// nothing on it. A signature is good for a quarter of an hour.
    pub fn signed_bytes<R: ecs::Request>(&self, request: &R) -> anyhow::Result<Vec<u8>> {
        Ok(self.client.signed_bytes(request)?)
    }
}
