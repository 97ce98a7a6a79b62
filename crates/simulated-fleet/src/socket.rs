//! The ACS socket: the signed handshake.

use std::time::Duration;

use longshore_client::{SocketEndpoint, Stream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::client::Client;

pub(super) type Socket = WebSocketStream<Stream>;

const PATIENCE: Duration = Duration::from_secs(30);

/// Of each socket, in bytes; a message may be larger. A fleet has thousands of sockets.
const BUFFER: usize = 4096;

/// Makes one attempt.
pub(super) async fn connect(
    client: &Client,
    endpoint: &str,
    cluster: &str,
    instance: &str,
) -> anyhow::Result<Socket> {
    let endpoint = SocketEndpoint::parse(endpoint, client.scheme())?;
    let parameters = [
        ("agentHash", "simulated"),
        ("agentVersion", env!("CARGO_PKG_VERSION")),
        ("clusterArn", cluster),
        ("containerInstanceArn", instance),
        ("dockerVersion", "DockerVersion: 0.0.0"),
        ("protocolVersion", "2"),
        ("sendCredentials", "true"),
        ("seqNum", "1"),
    ];
    let request = endpoint.request(&parameters, client.signer())?;
    let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    let open = async {
        let stream = client.connector().open(endpoint.uri()).await?;
        let opened =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        let (socket, _) = opened?;
        Ok(socket)
    };
    timeout(PATIENCE, open).await?
}
