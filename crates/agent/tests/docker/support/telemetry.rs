//! The control plane's end of TCS: it verifies what comes, keeps it, and says what a test wants.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use longshore_wire::sigv4::{SignedRequest, Verifier};
use longshore_wire::tcs::frame;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server;

use super::control_plane::{ACCESS_KEY, SECRET_KEY};

/// Whoever connects is greeted by a heartbeat.
pub(crate) struct Telemetry {
    port: u16,
    frames: Mutex<Vec<Value>>,
    /// Changes whenever a frame arrives.
    news: watch::Sender<u64>,
}

impl Telemetry {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let telemetry =
            Arc::new(Self { port, frames: Mutex::default(), news: watch::Sender::new(0) });
        let of_listener = telemetry.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(session(of_listener.clone(), stream));
            }
        });
        telemetry
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/tcs/", self.port)
    }

    /// Waits for a message of this type of which `is_it` is true.
    pub(crate) async fn wait(&self, message_type: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut news = self.news.subscribe();
        let search = async {
            loop {
                let found = {
                    let frames = self.frames.lock().unwrap();
                    let of_type = frames.iter().filter(|it| it["type"] == message_type);
                    of_type.map(|it| &it["message"]).find(|it| is_it(it)).cloned()
                };
                if let Some(found) = found {
                    return found;
                }
                news.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(Duration::from_secs(90), search).await {
            Ok(found) => found,
            Err(_) => panic!("no such {message_type}: {:#?}", self.frames.lock().unwrap()),
        }
    }
}

async fn session(telemetry: Arc<Telemetry>, stream: TcpStream) {
    let mut uri = None;
    #[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
    let note = |request: &server::Request, response: server::Response| {
        let headers: Vec<(&str, &[u8])> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        verify(request.uri(), &headers, b"");
        uri = Some(request.uri().clone());
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, note).await.unwrap();
    let uri = uri.unwrap();
    let heartbeat = json!({"type": "HeartbeatMessage", "message": {"healthy": true}});
    socket.send(Message::text(heartbeat.to_string())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let body = frame::json(&text);
        let head = text.strip_suffix(body).unwrap().trim_end();
        let headers: Vec<(&str, &[u8])> = head
            .split("\r\n")
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name, value.as_bytes()))
            .collect();
        verify(&uri, &headers, body.as_bytes());
        telemetry.frames.lock().unwrap().push(serde_json::from_str(body).unwrap());
        telemetry.news.send_modify(|it| *it += 1);
    }
}

fn verify(uri: &http::Uri, headers: &[(&str, &[u8])], body: &[u8]) {
    let query = uri.query().unwrap_or_default();
    let request = SignedRequest { method: "GET", path: uri.path(), query, headers, body };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let secret = |key: &str| (key == ACCESS_KEY).then_some(SECRET_KEY);
    Verifier::new("ecs").verify(&request, now as i64, secret).expect("a signature that verifies");
}
