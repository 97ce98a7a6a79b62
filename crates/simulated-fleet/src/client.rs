//! A client of the ECS API: signed, one attempt a call, connections kept open.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use longshore_wire::{CONTENT_TYPE, ErrorBody, TARGET_HEADER, ecs, sigv4};
use tokio::sync::RwLock;
use tokio::time::timeout;

/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection unused for so long is closed, so that the server's memory for it is not taken for
/// memory of what was asked for.
const IDLE: Duration = Duration::from_secs(1);

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

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server answered with an exception: it did nothing.
    #[error("{error} (HTTP {status})")]
    Refused {
        /// HTTP's.
        status: StatusCode,
        /// ECS's.
        error: ErrorBody,
    },
    /// Nobody answered, or not in time. What was asked for may or may not have happened.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer is none that ECS gives.
    #[error("an answer that cannot be read (HTTP {status}): {body}")]
    Unreadable {
        /// HTTP's.
        status: StatusCode,
        /// Its beginning.
        body: String,
    },
}

impl CallError {
    /// Whether the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused { status, .. } | Self::Unreadable { status, .. } => {
                status.is_server_error()
            }
            Self::NoAnswer(_) => true,
        }
    }
}

/// A client of one server. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    /// Calls are made only while this can be read-locked, and hold the lock while they last.
    gate: Option<Arc<RwLock<()>>>,
}

struct Shared {
    endpoint: Uri,
    region: String,
    authority: String,
    key: RootKey,
    http: legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// A client of the server at `host:port` that has the region of servers which were not told
    /// another.
    pub fn new(authority: &str, key: RootKey) -> anyhow::Result<Self> {
        Self::in_region(authority, REGION, key)
    }

    /// A client of the server at `host:port`, signing for the region.
    pub fn in_region(authority: &str, region: &str, key: RootKey) -> anyhow::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = legacy::Client::builder(TokioExecutor::new())
            .retry_canceled_requests(false)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let endpoint = format!("http://{authority}/").parse()?;
        let shared = Shared {
            endpoint,
            region: region.to_owned(),
            authority: authority.to_owned(),
            key,
            http,
        };
        Ok(Self { shared: Arc::new(shared), gate: None })
    }

    /// The same client behind a gate: whoever write-locks it waits until its calls are over and
    /// keeps others from being made.
    pub fn behind(&self, gate: Arc<RwLock<()>>) -> Self {
        Self { shared: Arc::clone(&self.shared), gate: Some(gate) }
    }

    /// Such as `127.0.0.1:8327`.
    pub fn authority(&self) -> &str {
        &self.shared.authority
    }

    /// Makes one attempt.
    pub async fn call<R: ecs::Request>(&self, request: &R) -> Result<R::Response, CallError> {
        let _open = match &self.gate {
            Some(gate) => Some(gate.read().await),
            None => None,
        };
        let no_answer = |error: &dyn std::error::Error| CallError::NoAnswer(causes(error));
        let body = serde_json::to_vec(request).map_err(|error| no_answer(&error))?;
        let request = self.sign(R::OPERATION.target(), body).map_err(|error| no_answer(&error))?;
        let exchange = async {
            let response =
                self.shared.http.request(request).await.map_err(|error| no_answer(&error))?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|error| no_answer(&error))?;
            Ok((status, body.to_bytes()))
        };
        let late = |_| CallError::NoAnswer("it took too long".to_owned());
        let (status, body) = timeout(PATIENCE, exchange).await.map_err(late)??;
        let unreadable = || {
            let body = String::from_utf8_lossy(&body).chars().take(200).collect();
            CallError::Unreadable { status, body }
        };
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| unreadable());
        }
        let error = ErrorBody::decode(&body).ok_or_else(unreadable)?;
        Err(CallError::Refused { status, error })
    }

    /// The bytes of a signed request, for a caller that sends the same one many times and spends
    /// nothing on it. A signature is good for a quarter of an hour.
    pub fn signed_bytes<R: ecs::Request>(&self, request: &R) -> anyhow::Result<Vec<u8>> {
        let body = serde_json::to_vec(request)?;
        let target = R::OPERATION.target();
        let headers = self.headers(target);
        let signature = self.signature("POST", "/", "", &headers, &body);
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: {CONTENT_TYPE}\r\n\
             {TARGET_HEADER}: {target}\r\nx-amz-date: {}\r\nauthorization: {}\r\n\
             content-length: {}\r\n\r\n",
            self.shared.authority,
            signature.amz_date,
            signature.authorization,
            body.len(),
        );
        Ok([head.into_bytes(), body].concat())
    }

    /// What is signed beside the date.
    fn headers<'a>(&'a self, target: &'a str) -> [(&'a str, &'a [u8]); 3] {
        [
            ("host", self.shared.authority.as_bytes()),
            ("content-type", CONTENT_TYPE.as_bytes()),
            (TARGET_HEADER, target.as_bytes()),
        ]
    }

    fn sign(&self, target: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>, http::Error> {
        let headers = self.headers(target);
        let signature = self.signature("POST", "/", "", &headers, &body);
        let mut request = Request::post(self.shared.endpoint.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request
            .header("x-amz-date", signature.amz_date)
            .header(header::AUTHORIZATION, signature.authorization)
            .body(Full::new(Bytes::from(body)))
    }

    pub(crate) fn signature(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &[u8])],
        body: &[u8],
    ) -> sigv4::Signature {
        let RootKey { access_key_id, secret_access_key } = &self.shared.key;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        sigv4::sign(
            &sigv4::SignedRequest { method, path, query, headers, body },
            sigv4::Credentials { access_key_id, secret_access_key },
            &self.shared.region,
            "ecs",
            i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        )
    }
}

/// An error with its causes, which hyper's own text leaves out.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        text = format!("{text}: {it}");
        cause = it.source();
    }
    text
}
