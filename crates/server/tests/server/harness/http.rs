//! Signed requests over a real connection.

use std::net::SocketAddr;

use ::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST as HOST_HEADER};
use ::http::{HeaderMap, Request};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use longshore_server::RootKey;
use longshore_wire::sigv4::{Credentials, SignedRequest, sign};
use longshore_wire::{Operation, TARGET_HEADER};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::soon;

/// The name under which clients reach the server: always the same one, whatever port it has.
pub(crate) const HOST: &str = "longshore.test:18080";

/// The root access key of every server here.
pub(crate) const KEY: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEX");

pub(crate) fn root_key() -> RootKey {
    RootKey { access_key_id: KEY.0.into(), secret_access_key: KEY.1.into() }
}

/// A request that is still to be signed. What a test alters here is covered by the signature; what
/// it alters in the [`Request`] made of it is not.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) target: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) key: (String, String),
    pub(crate) service: &'static str,
    pub(crate) signed_at_secs: i64,
}

impl Call {
    pub(crate) fn new(operation: Operation, body: impl Into<Bytes>, now_secs: i64) -> Self {
        Self {
            method: "POST",
            path: "/".into(),
            query: String::new(),
            target: Some(operation.target().into()),
            body: body.into(),
            key: (KEY.0.into(), KEY.1.into()),
            service: "ecs",
            signed_at_secs: now_secs,
        }
    }

    /// A call of Longshore's own API.
    pub(crate) fn own(operation: &str, body: impl Into<Bytes>, now_secs: i64) -> Self {
        Self {
            path: format!("/longshore/v1/{operation}"),
            target: None,
            ..Self::new(Operation::RunTask, body, now_secs)
        }
    }

    pub(crate) fn signed(&self) -> Request<Full<Bytes>> {
        let mut headers: Vec<(&str, &[u8])> = vec![
            (HOST_HEADER.as_str(), HOST.as_bytes()),
            (CONTENT_TYPE.as_str(), longshore_wire::CONTENT_TYPE.as_bytes()),
        ];
        headers.extend(self.target.as_ref().map(|it| (TARGET_HEADER, it.as_bytes())));
        let unsigned = SignedRequest {
            method: self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: &self.body,
        };
        let credentials =
            Credentials { access_key_id: &self.key.0, secret_access_key: &self.key.1 };
        let signature =
            sign(&unsigned, credentials, "us-east-1", self.service, self.signed_at_secs);
        let question_mark = if self.query.is_empty() { "" } else { "?" };
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("{}{question_mark}{}", self.path, self.query));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request
            .header("x-amz-date", signature.amz_date)
            .header(AUTHORIZATION, signature.authorization)
            .body(Full::new(self.body.clone()))
            .unwrap()
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn success(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// The HTTP status, the exception's name and its message as a client reads them.
    #[track_caller]
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let error = longshore_wire::ErrorBody::decode(self.text.as_bytes());
        let error = error.unwrap_or_else(|| panic!("no exception: {} {}", self.status, self.text));
        (self.status, error.code, error.message)
    }
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    try_send(address, request).await.unwrap()
}

/// The same where the server may be about to end.
pub(crate) async fn try_send(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    soon("an answer", async { send_on(TcpStream::connect(address).await?, request).await }).await
}

/// Sends one request on this connection.
pub(crate) async fn send_on<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    soon("an answer", async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        let text = String::from_utf8(body.to_vec())?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, text })
    })
    .await
}
