//! An agent's side of the control connection.

use ::http::header::{AUTHORIZATION, CONNECTION, HOST as HOST_HEADER, UPGRADE};
use futures_util::{SinkExt, StreamExt};
use longshore_wire::acs::{AckRequest, AgentMessage, PayloadMessage, ServerMessage, Task};
use longshore_wire::sigv4::{Credentials, SignedRequest, sign};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::http::{HOST, KEY};
use super::{World, soon};

/// A connected agent. It reads when the test says so.
pub(crate) struct Agent {
    /// Its container instance.
    pub(crate) instance: String,
    pub(crate) socket: WebSocketStream<TcpStream>,
}

/// What a handshake says and how it is signed.
pub(crate) struct Handshake {
    pub(crate) path: &'static str,
    pub(crate) query: String,
    pub(crate) secret: &'static str,
    pub(crate) access_key: &'static str,
    pub(crate) signed_at_secs: i64,
    pub(crate) service: &'static str,
}

impl Handshake {
    pub(crate) fn of(world: &World, instance: &str) -> Self {
        let encoded = instance.replace(':', "%3A").replace('/', "%2F");
        let query = format!(
            "agentHash=3be1ebd&agentVersion=1.14.3&clusterArn=default&\
             containerInstanceArn={encoded}&dockerVersion=DockerVersion%3A+1.12.6&\
             sendCredentials=true&seqNum=1"
        );
        let signed_at_secs = world.clock.now_secs();
        let path = "/acs/ws";
        Self { path, query, access_key: KEY.0, secret: KEY.1, signed_at_secs, service: "ecs" }
    }

    /// That of the socket for telemetry, as agents of later years open it.
    pub(crate) fn telemetry(world: &World, instance: &str) -> Self {
        let encoded = instance.replace(':', "%3A").replace('/', "%2F");
        let query = format!(
            "agentHash=3be1ebd&agentVersion=1.40.0&cluster=default&containerInstance={encoded}&\
             dockerVersion=20.10.24"
        );
        Self { path: "/tcs/ws", query, ..Self::of(world, instance) }
    }

    pub(crate) fn signed(&self) -> ::http::Request<()> {
        let unsigned = SignedRequest {
            method: "GET",
            path: self.path,
            query: &self.query,
            headers: &[("host", HOST.as_bytes())],
            body: b"",
        };
        let credentials =
            Credentials { access_key_id: self.access_key, secret_access_key: self.secret };
        let signature =
            sign(&unsigned, credentials, "us-east-1", self.service, self.signed_at_secs);
        ::http::Request::builder()
            .uri(format!("ws://{HOST}{}?{}", self.path, self.query))
            .header(HOST_HEADER, HOST)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", generate_key())
            .header("x-amz-date", signature.amz_date)
            .header(AUTHORIZATION, signature.authorization)
            .body(())
            .unwrap()
    }
}

impl Agent {
    /// Opens the socket; an error is the HTTP status and body of the refusal.
    pub(crate) async fn connect(world: &World, instance: &str) -> Result<Self, (u16, String)> {
        let socket = open(world, Handshake::of(world, instance).signed()).await?;
        Ok(Self { instance: instance.into(), socket })
    }

    /// The next text frame; `None` once the connection is over.
    pub(crate) async fn frame(&mut self) -> Option<String> {
        soon("a frame", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => {}
                }
            }
        })
        .await
    }

    /// The next payload, acknowledged.
    pub(crate) async fn payload(&mut self) -> PayloadMessage {
        loop {
            let frame = self.frame().await.expect("the connection is open");
            if let Some(ServerMessage::Payload(payload)) = ServerMessage::decode(&frame).unwrap() {
                let ack = AgentMessage::Ack(AckRequest {
                    cluster: payload.cluster_arn.clone(),
                    container_instance: self.instance.clone(),
                    message_id: payload.message_id.clone(),
                });
                self.say(&ack.encode()).await;
                return payload;
            }
        }
    }

    /// The one task of the next payload.
    pub(crate) async fn task(&mut self) -> Task {
        let mut tasks = self.payload().await.tasks;
        assert_eq!(tasks.len(), 1);
        tasks.remove(0)
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Closes the connection and waits until that is known.
    pub(crate) async fn leave(mut self, world: &World) {
        let _ = self.socket.close(None).await;
        world.until_connected(&self.instance, false).await;
    }
}

/// Opens a socket with this very request.
pub(crate) async fn open(
    world: &World,
    request: ::http::Request<()>,
) -> Result<WebSocketStream<TcpStream>, (u16, String)> {
    soon("the handshake", async {
        let stream = TcpStream::connect(world.address).await.unwrap();
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8_lossy(body).into_owned()))
            }
            Err(error) => panic!("no handshake: {error}"),
        }
    })
    .await
}
