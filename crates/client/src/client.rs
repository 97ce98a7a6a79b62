//! One attempt at a call.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use longshore_wire::{CONTENT_TYPE, ErrorBody, TARGET_HEADER, ecs, own, sigv4};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::connector::Connector;
use crate::endpoint::Endpoint;
use crate::error::CallError;
use crate::signer::Signer;
use crate::trust::{Trust, TrustError};

/// How long is waited, and for how much.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the whole answer is there.
    pub answer: Duration,
    /// Until a connection that is not used is closed.
    pub idle: Duration,
    /// The longest answer, in bytes.
    pub answer_bytes: usize,
}

impl Default for Bounds {
    /// For answers of a few KiB from a server that is not far.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(15),
            idle: Duration::from_secs(90),
            answer_bytes: 4 * 1024 * 1024,
        }
    }
}

/// A client of one control plane. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    signer: Signer,
    bounds: Bounds,
    connector: Connector,
    http: legacy::Client<Connector, Full<Bytes>>,
}

impl Client {
    /// A client of the control plane there. Nothing is asked of it yet.
    ///
    /// # Errors
    /// Where what is to be trusted cannot be read, and is needed.
    pub fn new(
        endpoint: Endpoint,
        trust: &Trust,
        signer: Signer,
        bounds: Bounds,
    ) -> Result<Self, TrustError> {
        let connector = Connector::new(&endpoint, trust, bounds.connect)?;
        let http = legacy::Client::builder(TokioExecutor::new())
            .retry_canceled_requests(false)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(bounds.idle)
            .build(connector.clone());
        Ok(Self { shared: Arc::new(Shared { endpoint, signer, bounds, connector, http }) })
    }

    /// Where it calls.
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// What connects, to there and to where it says that its sockets are.
    pub fn connector(&self) -> &Connector {
        &self.shared.connector
    }

    /// Who signs.
    pub fn signer(&self) -> &Signer {
        &self.shared.signer
    }

    /// What is to be added to this machine's time to have the control plane's, in seconds: nothing
    /// as long as the control plane accepts signatures by this machine's clock.
    pub fn clock_correction_secs(&self) -> i64 {
        self.signer().clock.correction_secs()
    }

    /// Calls an operation of the ECS API.
    pub async fn call<R: ecs::Request>(&self, request: &R) -> Result<R::Response, CallError> {
        let target = R::OPERATION.target();
        self.exchange(&Addressed { path: "/", target: Some(target) }, request).await
    }

    /// The bytes of a signed call, for a caller that sends the same one many times and spends
    /// nothing on it. A signature is good for a quarter of an hour.
    ///
    /// # Errors
    /// If the request cannot be written as JSON.
    pub fn signed_bytes<R: ecs::Request>(&self, request: &R) -> Result<Vec<u8>, serde_json::Error> {
        let body = serde_json::to_vec(request)?;
        let addressed = Addressed { path: "/", target: Some(R::OPERATION.target()) };
        let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in self.headers(&addressed, &body) {
            bytes.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
        bytes.extend(body);
        Ok(bytes)
    }

    /// Calls an operation of Longshore's own, which is a word of its path.
    pub async fn call_own<T: DeserializeOwned>(
        &self,
        operation: &str,
        request: &impl Serialize,
    ) -> Result<T, CallError> {
        let path = own_path(operation);
        self.exchange(&Addressed { path: &path, target: None }, request).await
    }

    /// Calls an operation of Longshore's own whose answer may be longer than memory should hold:
    /// `take` gets piece after piece, and says whether it wants more. The bound on time is for
    /// each piece, that on size is not for it.
    pub async fn download(
        &self,
        operation: &str,
        request: &impl Serialize,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), CallError> {
        let path = own_path(operation);
        let request = self.request(&Addressed { path: &path, target: None }, request)?;
        let response = self.in_time(self.send(request)).await?;
        if !response.status().is_success() {
            return Err(refusal(&self.in_time(self.whole(response)).await?));
        }
        let mut body = response.into_body();
        while let Some(frame) = self.in_time(async { Ok(body.frame().await) }).await? {
            let frame = frame.map_err(|it| CallError::no_answer(&it))?;
            if frame.data_ref().is_some_and(|it| !take(it)) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        addressed: &Addressed<'_>,
        request: &impl Serialize,
    ) -> Result<T, CallError> {
        let mut response = self.attempt(self.request(addressed, request)?).await?;
        if self.signer().clock.follow(&response, self.endpoint()) {
            // The first did nothing: it was refused for its date.
            response = self.attempt(self.request(addressed, request)?).await?;
        }
        if !response.status().is_success() {
            return Err(refusal(&response));
        }
        serde_json::from_slice(response.body())
            .map_err(|_| CallError::unreadable(response.status(), response.body()))
    }

    async fn attempt(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, CallError> {
        self.in_time(async { self.whole(self.send(request).await?).await }).await
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let late = |_| CallError::NoAnswer("it took too long".into());
        timeout(self.shared.bounds.answer, work).await.map_err(late)?
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CallError> {
        self.shared.http.request(request).await.map_err(|it| CallError::no_answer(&it))
    }

    /// Waits for all of an answer.
    async fn whole(&self, response: Response<Incoming>) -> Result<Response<Bytes>, CallError> {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.shared.bounds.answer_bytes).collect().await;
        let body = body.map_err(|error| CallError::no_answer(&*error))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    fn request(
        &self,
        addressed: &Addressed<'_>,
        request: &impl Serialize,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let body = serde_json::to_vec(request).map_err(|it| CallError::no_answer(&it))?;
        let endpoint = self.shared.endpoint.uri(addressed.path);
        let mut request = Request::post(endpoint.map_err(|it| CallError::no_answer(&it))?);
        for (name, value) in self.headers(addressed, &body) {
            request = request.header(name, value);
        }
        request.body(Full::new(Bytes::from(body))).map_err(|it| CallError::no_answer(&it))
    }

    /// All headers but the length, the signature among them.
    fn headers(&self, addressed: &Addressed<'_>, body: &[u8]) -> Vec<(String, Vec<u8>)> {
        let Shared { endpoint, signer, .. } = &*self.shared;
        let mut headers: Vec<(&str, &[u8])> = vec![
            ("host", endpoint.authority().as_bytes()),
            ("content-type", CONTENT_TYPE.as_bytes()),
        ];
        headers.extend(addressed.target.map(|it| (TARGET_HEADER, it.as_bytes())));
        signer.push_token(&mut headers);
        let Addressed { path, .. } = *addressed;
        let unsigned =
            sigv4::SignedRequest { method: "POST", path, query: "", headers: &headers, body };
        let signature = signer.sign(&unsigned);
        headers.push(("x-amz-date", signature.amz_date.as_bytes()));
        headers.push((header::AUTHORIZATION.as_str(), signature.authorization.as_bytes()));
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// What an answer that is no success says.
fn refusal(response: &Response<Bytes>) -> CallError {
    let (status, body) = (response.status(), response.body());
    match ErrorBody::decode(body) {
        Some(error) => CallError::Refused { status, error },
        None => CallError::unreadable(status, body),
    }
}

fn own_path(operation: &str) -> String {
    format!("{}{}/{operation}", own::PATH, own::VERSION)
}

/// What of a control plane is called.
struct Addressed<'a> {
    path: &'a str,
    /// The operation of the ECS API.
    target: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::Credentials;

    #[test]
    fn a_request_is_signed_with_its_token() {
        let credentials = Credentials {
            access_key_id: "AK".into(),
            secret_access_key: "s".into(),
            session_token: Some("token".into()),
        };
        let signer = Signer::new(credentials, "us-east-1".into());
        let endpoint = "http://127.0.0.1:80".parse().unwrap();
        let client = Client::new(endpoint, &Trust::default(), signer, Bounds::default()).unwrap();
        let addressed = Addressed { path: "/", target: Some("Target") };
        let request = client.request(&addressed, &serde_json::json!({})).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(header("x-amz-security-token"), "token");
        assert!(header("authorization").contains(
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
        ));
    }
}
