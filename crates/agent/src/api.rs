//! Calls of the control plane's API: signed, one attempt each, with a time limit.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use longshore_wire::{CONTENT_TYPE, ErrorBody, TARGET_HEADER, ecs, sigv4};

use crate::config::Credentials;
use crate::system::now;

const TIME_LIMIT: Duration = Duration::from_secs(15);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// An answer of the API is a few KiB.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

const TOKEN_HEADER: &str = "x-amz-security-token";

/// A client of one control plane.
#[derive(Debug)]
pub(crate) struct Api {
    endpoint: Uri,
    authority: String,
    signer: Signer,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Who signs, and for where.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
}

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The control plane answered with an error.
    #[error("{error} (HTTP {status})")]
    Refused {
        /// HTTP's.
        status: StatusCode,
        /// ECS's.
        error: ErrorBody,
    },
    /// Nobody answered, or not in time.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer is none that ECS gives.
    #[error("an answer that cannot be read (HTTP {0})")]
    Unreadable(StatusCode),
}

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint {0:?} is not of the form http://host:port")]
pub struct EndpointError(String);

impl Api {
    /// A client of the control plane at `http://host:port`.
    pub(crate) fn new(endpoint: &str, signer: Signer) -> Result<Self, EndpointError> {
        let unusable = || EndpointError(endpoint.to_owned());
        let uri: Uri = endpoint.parse().map_err(|_| unusable())?;
        let authority = uri.authority().ok_or_else(unusable)?.to_string();
        if uri.scheme_str() != Some("http") {
            return Err(unusable());
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_LIMIT));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { endpoint: uri, authority, signer, client })
    }

    /// Whether the control plane is on this very host.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.endpoint.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Makes one attempt.
    pub(crate) async fn call<R: ecs::Request>(
        &self,
        request: &R,
    ) -> Result<R::Response, CallError> {
        let no_answer = |error: &dyn std::fmt::Display| CallError::NoAnswer(error.to_string());
        let body = serde_json::to_vec(request).map_err(|error| no_answer(&error))?;
        let request = self.sign(R::OPERATION.target(), body).map_err(|error| no_answer(&error))?;
        let exchange = async {
            let response =
                self.client.request(request).await.map_err(|it| no_answer(&causes(&it)))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| no_answer(&error))?;
            Ok((status, body.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(TIME_LIMIT, exchange)
            .await
            .map_err(|_| no_answer(&"it took too long"))??;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| CallError::Unreadable(status));
        }
        let error = ErrorBody::decode(&body).ok_or(CallError::Unreadable(status))?;
        Err(CallError::Refused { status, error })
    }

    fn sign(&self, target: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut headers: Vec<(&str, &[u8])> = vec![
            ("host", self.authority.as_bytes()),
            ("content-type", CONTENT_TYPE.as_bytes()),
            (TARGET_HEADER, target.as_bytes()),
        ];
        self.signer.push_token(&mut headers);
        let unsigned = sigv4::SignedRequest {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: &body,
        };
        let signature = self.signer.sign(&unsigned);
        let mut request = Request::builder().method(Method::POST).uri(self.endpoint.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request
            .header("x-amz-date", signature.amz_date)
            .header(header::AUTHORIZATION, signature.authorization)
            .body(Full::new(Bytes::from(body)))
    }
}

impl Signer {
    pub(crate) fn sign(&self, request: &sigv4::SignedRequest<'_>) -> sigv4::Signature {
        let credentials = sigv4::Credentials {
            access_key_id: &self.credentials.access_key_id,
            secret_access_key: &self.credentials.secret_access_key,
        };
        let now_secs = now().millis().div_euclid(1000);
        sigv4::sign(request, credentials, &self.region, "ecs", now_secs)
    }

    /// Temporary credentials say so in a header of their own.
    pub(crate) fn push_token<'a>(&'a self, headers: &mut Vec<(&'a str, &'a [u8])>) {
        if let Some(token) = &self.credentials.session_token {
            headers.push((TOKEN_HEADER, token.as_bytes()));
        }
    }
}

impl CallError {
    /// Whether another attempt cannot succeed until somebody changes something.
    pub(crate) fn is_final(&self) -> bool {
        const PASSING: [&str; 3] =
            ["ThrottlingException", "ServerException", "LimitExceededException"];
        match self {
            Self::Refused { status, error } => {
                status.is_client_error() && !PASSING.contains(&error.code.as_str())
            }
            Self::NoAnswer(_) | Self::Unreadable(_) => false,
        }
    }
}

/// An error with its causes, which hyper's own text leaves out.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        text.push_str(": ");
        text.push_str(&it.to_string());
        cause = it.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(endpoint: &str) -> Result<Api, EndpointError> {
        let credentials = Credentials {
            access_key_id: "AK".into(),
            secret_access_key: "s".into(),
            session_token: Some("token".into()),
        };
        Api::new(endpoint, Signer { credentials, region: "us-east-1".into() })
    }

    #[test]
    fn only_plain_http_is_understood() {
        for endpoint in ["https://a:1", "a:1", "", "http://", "/x"] {
            assert!(api(endpoint).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn a_local_control_plane_is_recognised() {
        assert!(api("http://127.0.0.1:80").unwrap().is_local());
        assert!(api("http://[::1]:80").unwrap().is_local());
        assert!(api("http://localhost:80").unwrap().is_local());
        assert!(!api("http://10.0.0.1:80").unwrap().is_local());
    }

    #[test]
    fn a_request_is_signed_with_its_token() {
        let request = api("http://127.0.0.1:80").unwrap().sign("Target", b"{}".to_vec()).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(header(TOKEN_HEADER), "token");
        assert!(header("authorization").contains(
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
        ));
    }
}
