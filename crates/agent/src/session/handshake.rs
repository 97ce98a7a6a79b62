//! Finding the ACS endpoint and opening the socket, signed.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONNECTION, HOST, UPGRADE};
use http::{Request, Uri};
use longshore_client::{CallError, Client, Connector, Scheme, Signer, causes};
use longshore_wire::acs::Refusal;
use longshore_wire::{ecs, sigv4};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::Socket;
use crate::files::Identity;

const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the container instance is inactive: {0}")]
    Inactive(String),
    #[error("the handshake was refused: {0}")]
    Refused(String),
    #[error("the endpoint cannot be asked for: {0}")]
    Discover(#[from] CallError),
    #[error("the endpoint {0:?} is not of the form https://host:port/path/, or http:")]
    Endpoint(String),
    #[error("the control plane was reached by TLS, but says that its socket is at {0}")]
    Downgrade(String),
    #[error("no connection: {}", causes(.0))]
    Network(#[from] std::io::Error),
    #[error("the handshake failed: {0}")]
    Handshake(Box<tungstenite::Error>),
    #[error("the handshake took too long")]
    TimedOut,
}

/// Makes one attempt.
pub(super) async fn connect(
    api: &Client,
    identity: &Identity,
    docker_version: &str,
    send_credentials: bool,
) -> Result<Socket, ConnectError> {
    let question = ecs::DiscoverPollEndpointRequest {
        container_instance: Some(identity.container_instance_arn.clone()),
        cluster: Some(identity.cluster.clone()),
        zone_id: None,
    };
    let endpoint = api.call(&question).await?.endpoint.unwrap_or_default();
    let target = Target::parse(&endpoint)?;
    if (api.endpoint().scheme(), target.scheme) == (Scheme::Https, Scheme::Http) {
        return Err(ConnectError::Downgrade(endpoint));
    }
    let query = query(identity, docker_version, send_credentials);
    let request = request(&target, &query, api.signer())
        .map_err(|_| ConnectError::Endpoint(endpoint.clone()))?;
    let open = open(api.connector(), &target, request);
    timeout(TIME_LIMIT, open).await.map_err(|_| ConnectError::TimedOut)?
}

async fn open(
    connector: &Connector,
    target: &Target,
    request: Request<()>,
) -> Result<Socket, ConnectError> {
    let stream = connector.open(&target.endpoint).await?;
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err(match Refusal::decode(body) {
                Some(it) if it.exception == "InactiveInstanceException" => {
                    ConnectError::Inactive(it.message)
                }
                Some(it) => ConnectError::Refused(format!("{}: {}", it.exception, it.message)),
                None => ConnectError::Refused(response.status().to_string()),
            })
        }
        Err(error) => Err(ConnectError::Handshake(Box::new(error))),
    }
}

/// Where the socket is.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    endpoint: Uri,
    scheme: Scheme,
    authority: String,
    path: String,
}

impl Target {
    fn parse(endpoint: &str) -> Result<Self, ConnectError> {
        let unusable = || ConnectError::Endpoint(endpoint.to_owned());
        let uri: Uri = endpoint.parse().map_err(|_| unusable())?;
        let authority = uri.authority().ok_or_else(unusable)?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(unusable()),
        };
        Ok(Self {
            scheme,
            authority: authority.to_string(),
            path: format!("{}/ws", uri.path().trim_end_matches('/')),
            endpoint: uri,
        })
    }
}

/// The parameters by which agents introduce themselves, sorted.
fn query(identity: &Identity, docker_version: &str, send_credentials: bool) -> String {
    let docker_version = format!("DockerVersion: {docker_version}");
    let parameters = [
        ("agentHash", "longshore"),
        ("agentVersion", env!("CARGO_PKG_VERSION")),
        ("clusterArn", &identity.cluster),
        ("containerInstanceArn", &identity.container_instance_arn),
        ("dockerVersion", &docker_version),
        ("protocolVersion", "2"),
        ("sendCredentials", if send_credentials { "true" } else { "false" }),
        ("seqNum", "1"),
    ];
    let parameters = parameters.map(|(name, value)| format!("{name}={}", percent_encode(value)));
    parameters.join("&")
}

fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn request(target: &Target, query: &str, signer: &Signer) -> Result<Request<()>, http::Error> {
    let mut headers: Vec<(&str, &[u8])> = vec![("host", target.authority.as_bytes())];
    signer.push_token(&mut headers);
    let unsigned = sigv4::SignedRequest {
        method: "GET",
        path: &target.path,
        query,
        headers: &headers,
        body: b"",
    };
    let signature = signer.sign(&unsigned);
    let mut request = Request::builder()
        .method("GET")
        .uri(format!("ws://{}{}?{query}", target.authority, target.path))
        .header(HOST, &target.authority)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key())
        .header("x-amz-date", signature.amz_date)
        .header(AUTHORIZATION, signature.authorization);
    for (name, value) in headers.into_iter().filter(|(name, _)| *name != "host") {
        request = request.header(name, value);
    }
    request.body(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(endpoint: &str, expect: Option<(Scheme, &str, &str)>) {
        let target = Target::parse(endpoint).ok();
        let seen = target.as_ref().map(|it| (it.scheme, it.authority.as_str(), it.path.as_str()));
        assert_eq!(seen, expect, "{endpoint}");
    }

    #[test]
    fn an_endpoint_is_read_with_and_without_its_last_slash() {
        let (http, https) = (Scheme::Http, Scheme::Https);
        check("http://127.0.0.1:18080/acs/", Some((http, "127.0.0.1:18080", "/acs/ws")));
        check("https://127.0.0.1:18080/acs", Some((https, "127.0.0.1:18080", "/acs/ws")));
        check("http://host", Some((http, "host", "/ws")));
        check("https://[::1]:1/", Some((https, "[::1]:1", "/ws")));
    }

    #[test]
    fn other_schemes_are_refused() {
        for endpoint in ["", "wss://a/", "ws://a/", "a:1"] {
            check(endpoint, None);
        }
    }

    #[test]
    fn the_query_is_sorted_and_encoded() {
        let identity = Identity {
            container_instance_arn: "arn:aws:ecs:r:1:container-instance/c/x".into(),
            cluster: "c".into(),
        };
        let query = query(&identity, "20.10.24+dfsg1", true);
        let names: Vec<&str> = query.split('&').filter_map(|it| it.split('=').next()).collect();
        assert!(names.is_sorted());
        assert!(query.contains("dockerVersion=DockerVersion%3A%2020.10.24%2Bdfsg1&"));
        assert!(query.contains(
            "containerInstanceArn=arn%3Aaws%3Aecs%3Ar%3A1%3Acontainer-instance%2Fc%2Fx&"
        ));
    }
}
