//! Finding the ACS endpoint and opening the socket, signed.

use std::time::Duration;

use http::{Request, Uri};
use longshore_client::{CallError, Client, Connector, SocketEndpoint, SocketEndpointError, causes};
use longshore_wire::acs::{CONTESTED, Refusal};
use longshore_wire::ecs;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::Socket;
use crate::backoff::is_denied;
use crate::files::Identity;

pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The longest message of the control plane, in bytes: a manifest of some 70,000 tasks.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

const READ_BUFFER: usize = 16 * 1024;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the container instance is inactive: {0}")]
    Inactive(String),
    #[error("{0}")]
    Contested(String),
    #[error("the handshake was refused: {0}")]
    Denied(String),
    #[error("the handshake was refused: {0}")]
    Refused(String),
    #[error("the endpoint cannot be asked for: {0}")]
    Discover(#[from] CallError),
    #[error(transparent)]
    Endpoint(#[from] SocketEndpointError),
    #[error("the session token cannot stand in a header: {0}")]
    Token(#[from] http::Error),
    #[error("no connection: {}", causes(.0))]
    Network(#[from] std::io::Error),
    #[error("the handshake failed: {0}")]
    Handshake(Box<tungstenite::Error>),
    #[error("the handshake took too long")]
    TimedOut,
}

impl ConnectError {
    /// Whether the control plane refuses this agent, rather than this attempt of it.
    pub(super) fn is_denial(&self) -> bool {
        match self {
            Self::Denied(_) | Self::Contested(_) => true,
            Self::Discover(error) => is_denied(error),
            _ => false,
        }
    }
}

/// Makes one attempt.
pub(super) async fn connect(
    api: &Client,
    identity: &Identity,
    docker_version: &str,
    run: &str,
    send_credentials: bool,
) -> Result<Socket, ConnectError> {
    let question = ecs::DiscoverPollEndpointRequest {
        container_instance: Some(identity.container_instance_arn.clone()),
        cluster: Some(identity.cluster.clone()),
        zone_id: None,
    };
    let endpoint = api.call(&question).await?.endpoint.unwrap_or_default();
    let socket = SocketEndpoint::parse(&endpoint, api.endpoint().scheme())?;
    let docker_version = format!("DockerVersion: {docker_version}");
    let parameters = [
        ("agentHash", "longshore"),
        ("agentRun", run),
        ("agentVersion", env!("CARGO_PKG_VERSION")),
        ("clusterArn", &identity.cluster),
        ("containerInstanceArn", &identity.container_instance_arn),
        ("dockerVersion", &docker_version),
        ("protocolVersion", "2"),
        ("sendCredentials", if send_credentials { "true" } else { "false" }),
        ("seqNum", "1"),
    ];
    let request = socket.request(&parameters, api.signer())?;
    let open = open(api.connector(), socket.uri(), request);
    timeout(TIME_LIMIT, open).await.map_err(|_| ConnectError::TimedOut)?
}

pub(crate) async fn open(
    connector: &Connector,
    endpoint: &Uri,
    request: Request<()>,
) -> Result<Socket, ConnectError> {
    let stream = connector.open(endpoint).await?;
    let bounds = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(bounds)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err(match Refusal::decode(body) {
                Some(it) if it.exception == "InactiveInstanceException" => {
                    ConnectError::Inactive(it.message)
                }
                Some(it) if it.exception == CONTESTED => ConnectError::Contested(it.message),
                Some(it) => ConnectError::Denied(format!("{}: {}", it.exception, it.message)),
                None => ConnectError::Refused(response.status().to_string()),
            })
        }
        Err(error) => Err(ConnectError::Handshake(Box::new(error))),
    }
}
