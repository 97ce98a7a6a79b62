//! Where a socket of the agents' is, and the signed request that opens it.

use http::header::{AUTHORIZATION, CONNECTION, UPGRADE};
use http::{Request, Uri};
use longshore_wire::{percent, sigv4, tcs};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use crate::{Scheme, Signer};

/// Where a socket is, by what DiscoverPollEndpoint answers: `https://host:port/path/`, or `http:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketEndpoint {
    uri: Uri,
    authority: String,
    path: String,
}

/// Why an answer of DiscoverPollEndpoint names no socket that may be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketEndpointError {
    /// It has another scheme, such as `wss`, or no host.
    #[error("the endpoint {0:?} is not of the form https://host:port/path/, or http:")]
    Form(String),
    /// What goes over the socket would be in plain text although the API is not.
    #[error("the control plane was reached by TLS, but says that its socket is at {0}")]
    Downgrade(String),
}

impl SocketEndpoint {
    /// Reads what DiscoverPollEndpoint answered over an API that was reached so.
    pub fn parse(endpoint: &str, api: Scheme) -> Result<Self, SocketEndpointError> {
        let unusable = || SocketEndpointError::Form(endpoint.to_owned());
        let uri: Uri = endpoint.parse().map_err(|_| unusable())?;
        let authority = uri.authority().ok_or_else(unusable)?.to_string();
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(unusable()),
        };
        if (api, scheme) == (Scheme::Https, Scheme::Http) {
            return Err(SocketEndpointError::Downgrade(endpoint.to_owned()));
        }
        let path = format!("{}/ws", uri.path().trim_end_matches('/'));
        Ok(Self { uri, authority, path })
    }

    /// What to connect to.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The request that opens the socket, signed as of now. Its parameters are encoded and must be
    /// sorted by name.
    ///
    /// # Errors
    /// When a session token cannot stand in a header.
    pub fn request(
        &self,
        parameters: &[(&str, &str)],
        signer: &Signer,
    ) -> Result<Request<()>, http::Error> {
        let query = query(parameters);
        let headers = self.headers(signer);
        let signature = signer.sign(&self.get(&query, &headers, b""));
        let mut request = Request::get(format!("ws://{}{}?{query}", self.authority, self.path))
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", generate_key())
            .header("x-amz-date", signature.amz_date)
            .header(AUTHORIZATION, signature.authorization);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(())
    }

    /// A frame of telemetry with this message, for the socket that was opened with the same
    /// parameters, signed as of now.
    pub fn telemetry_frame(
        &self,
        parameters: &[(&str, &str)],
        message: &tcs::AgentMessage,
        signer: &Signer,
    ) -> String {
        let (query, headers, body) = (query(parameters), self.headers(signer), message.encode());
        let request = self.get(&query, &headers, body.as_bytes());
        tcs::frame::write(&request, &signer.sign(&request))
    }

    fn headers<'a>(&'a self, signer: &'a Signer) -> Vec<(&'a str, &'a [u8])> {
        let mut headers: Vec<(&str, &[u8])> = vec![("host", self.authority.as_bytes())];
        signer.push_token(&mut headers);
        headers
    }

    fn get<'a>(
        &'a self,
        query: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
        body: &'a [u8],
    ) -> sigv4::SignedRequest<'a> {
        sigv4::SignedRequest { method: "GET", path: &self.path, query, headers, body }
    }
}

fn query(parameters: &[(&str, &str)]) -> String {
    let parameter = |(name, value): &(&str, &str)| format!("{name}={}", percent::encoded(value));
    parameters.iter().map(parameter).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Credentials;

    #[track_caller]
    fn check(endpoint: &str, expect: Option<(&str, &str)>) {
        let socket = SocketEndpoint::parse(endpoint, Scheme::Http).ok();
        let seen = socket.as_ref().map(|it| (it.authority.as_str(), it.path.as_str()));
        assert_eq!(seen, expect, "{endpoint}");
    }

    #[test]
    fn an_endpoint_is_read_with_and_without_its_last_slash() {
        check("http://127.0.0.1:18080/acs/", Some(("127.0.0.1:18080", "/acs/ws")));
        check("https://127.0.0.1:18080/acs", Some(("127.0.0.1:18080", "/acs/ws")));
        check("http://host", Some(("host", "/ws")));
        check("https://[::1]:1/", Some(("[::1]:1", "/ws")));
    }

    #[test]
    fn other_schemes_are_refused() {
        for endpoint in ["", "wss://a/", "ws://a/", "a:1"] {
            check(endpoint, None);
        }
    }

    #[test]
    fn whoever_came_by_tls_goes_on_by_it() {
        let refused = SocketEndpoint::parse("http://a/", Scheme::Https).unwrap_err();
        assert_eq!(refused, SocketEndpointError::Downgrade("http://a/".into()));
        assert!(SocketEndpoint::parse("https://a/", Scheme::Https).is_ok());
    }

    #[test]
    fn a_frame_of_telemetry_says_who_signs_it() {
        let credentials = Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: "secret".into(),
            session_token: None,
        };
        let signer = Signer::new(credentials, "r".into());
        let socket = SocketEndpoint::parse("https://host:1/tcs", Scheme::Https).unwrap();
        let message = tcs::AgentMessage::Health(tcs::PublishHealthRequest::default());
        let frame = socket.telemetry_frame(&[("cluster", "default")], &message, &signer);
        assert!(frame.starts_with("Authorization: AWS4-HMAC-SHA256 Credential=AKID/"), "{frame}");
        assert!(frame.contains("\r\nHost: host:1\r\nX-Amz-Date: "), "{frame}");
        assert_eq!(tcs::frame::json(&frame), message.encode());
    }

    #[test]
    fn the_request_has_its_parameters_encoded_and_says_whose_the_token_is() {
        let credentials = Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: "secret".into(),
            session_token: Some("session".into()),
        };
        let signer = Signer::new(credentials, "r".into());
        let socket = SocketEndpoint::parse("https://host:1/acs/", Scheme::Https).unwrap();
        let parameters = [("a", "arn:aws:x/é"), ("b", "1.2+d f")];
        let request = socket.request(&parameters, &signer).unwrap();
        let uri = "ws://host:1/acs/ws?a=arn%3Aaws%3Ax%2F%C3%A9&b=1.2%2Bd%20f";
        assert_eq!(request.uri().to_string(), uri);
        assert_eq!(request.headers()["host"], "host:1");
        assert_eq!(request.headers()["x-amz-security-token"], "session");
        let authorization = request.headers()["authorization"].to_str().unwrap();
        let signed = "SignedHeaders=host;x-amz-date;x-amz-security-token";
        assert!(authorization.contains(signed), "{authorization}");
    }
}
