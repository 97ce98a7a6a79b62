//! The ACS socket: the signed handshake.

use std::time::Duration;

use anyhow::Context;
use http::header::{AUTHORIZATION, CONNECTION, UPGRADE};
use http::{Request, Uri};
use longshore_client::Stream;
use longshore_wire::sigv4;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
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
    let endpoint: Uri = endpoint.parse()?;
    let authority = endpoint.authority().context("an endpoint without a host")?.as_str();
    let path = format!("{}/ws", endpoint.path().trim_end_matches('/'));
    let query = format!(
        "agentHash=simulated&agentVersion={}&clusterArn={}&containerInstanceArn={}\
         &dockerVersion=DockerVersion%3A%200.0.0&protocolVersion=2&sendCredentials=true&seqNum=1",
        env!("CARGO_PKG_VERSION"),
        percent_encoded(cluster),
        percent_encoded(instance),
    );
    let mut headers: Vec<(&str, &[u8])> = vec![("host", authority.as_bytes())];
    client.signer().push_token(&mut headers);
    let unsigned = sigv4::SignedRequest {
        method: "GET",
        path: &path,
        query: &query,
        headers: &headers,
        body: b"",
    };
    let signature = client.signer().sign(&unsigned);
    let mut request = Request::get(format!("ws://{authority}{path}?{query}"))
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key())
        .header("x-amz-date", signature.amz_date)
        .header(AUTHORIZATION, signature.authorization);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(())?;
    let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    let open = async {
        let stream = client.connector().open(&endpoint).await?;
        let opened =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        let (socket, _) = opened?;
        Ok(socket)
    };
    timeout(PATIENCE, open).await?
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
