//! A control plane that does as it is told: it takes registrations and reports, and sends the
//! frames that a test wants sent. Every request's signature is verified.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use longshore_wire::sigv4::{SignedRequest, Verifier};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server;

pub(crate) const ACCESS_KEY: &str = "AKIATEST";
pub(crate) const SECRET_KEY: &str = "a secret of the tests";

/// What the control plane and its tests both hold.
pub(crate) struct ControlPlane {
    api_port: u16,
    acs_port: u16,
    arn: String,
    state: Mutex<State>,
    /// Changes whenever anything arrives.
    news: watch::Sender<u64>,
    verifier: Verifier,
}

#[derive(Default)]
struct State {
    reports: Vec<(Instant, Value)>,
    registrations: Vec<Value>,
    frames: Vec<Value>,
    agents: Vec<mpsc::UnboundedSender<Value>>,
    connections: usize,
    refusing: bool,
    forgets_instances: bool,
    telemetry_endpoint: Option<String>,
}

impl ControlPlane {
    pub(crate) async fn start(arn: &str) -> Arc<Self> {
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let acs = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let control_plane = Arc::new(Self {
            api_port: api.local_addr().unwrap().port(),
            acs_port: acs.local_addr().unwrap().port(),
            arn: arn.to_owned(),
            state: Mutex::default(),
            news: watch::Sender::new(0),
            verifier: Verifier::new("ecs"),
        });
        tokio::spawn(serve_api(control_plane.clone(), api));
        tokio::spawn(serve_acs(control_plane.clone(), acs));
        control_plane
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    /// From now on every call of the API fails.
    pub(crate) fn refuse(&self, refusing: bool) {
        self.state.lock().unwrap().refusing = refusing;
    }

    /// From now on no saved container instance is known.
    pub(crate) fn forget_instances(&self) {
        self.state.lock().unwrap().forgets_instances = true;
    }

    /// Where agents are to send telemetry; until this is said, nowhere.
    pub(crate) fn set_telemetry_endpoint(&self, endpoint: String) {
        self.state.lock().unwrap().telemetry_endpoint = Some(endpoint);
    }

    /// Closes the agent's socket, as a control plane that ends does.
    pub(crate) fn hang_up(&self) {
        self.state.lock().unwrap().agents.clear();
    }

    /// Sends a frame to the agent that connected last.
    pub(crate) fn send(&self, message_type: &str, message: Value) {
        let state = self.state.lock().unwrap();
        let agent = state.agents.last().expect("no agent is connected");
        agent.send(json!({"type": message_type, "message": message})).unwrap();
    }

    pub(crate) fn send_tasks(&self, message_id: &str, tasks: Value) {
        let message = json!({"messageId": message_id, "clusterArn": "c",
            "containerInstanceArn": self.instance(), "seqNum": 0, "generatedAt": 0, "tasks": tasks});
        self.send("PayloadMessage", message);
    }

    /// Lists these as all the tasks that are to run.
    pub(crate) fn send_manifest(&self, tasks: &[&str]) {
        let tasks: Vec<_> =
            tasks.iter().map(|it| json!({"taskArn": it, "desiredStatus": "RUNNING"})).collect();
        let message = json!({"messageId": "manifest", "clusterArn": "c", "timeline": 1,
            "containerInstanceArn": self.instance(), "generatedAt": 0, "tasks": tasks});
        self.send("TaskManifestMessage", message);
    }

    /// As what the agent is registered.
    fn instance(&self) -> String {
        match self.state.lock().unwrap().forgets_instances {
            true => format!("{}-anew", self.arn),
            false => self.arn.clone(),
        }
    }

    /// Waits until `look` finds what it looks for; a test that waits too long fails.
    #[track_caller]
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        look: impl Fn(&Self) -> Option<T>,
    ) -> impl Future<Output = T> {
        let mut news = self.news.subscribe();
        async move {
            let search = async {
                loop {
                    if let Some(found) = look(self) {
                        return found;
                    }
                    news.changed().await.unwrap();
                }
            };
            match tokio::time::timeout(Duration::from_secs(60), search).await {
                Ok(found) => found,
                Err(_) => panic!("waited in vain for {what}; reports: {:#?}", self.reports()),
            }
        }
    }

    pub(crate) fn reports(&self) -> Vec<(Instant, Value)> {
        self.state.lock().unwrap().reports.clone()
    }

    pub(crate) fn registrations(&self) -> Vec<Value> {
        self.state.lock().unwrap().registrations.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Whether the agent sent a frame of this type for the message.
    pub(crate) fn frame(&self, message_type: &str, message_id: &str) -> Option<Value> {
        let state = self.state.lock().unwrap();
        let matches =
            |it: &&Value| it["type"] == message_type && it["message"]["messageId"] == message_id;
        state.frames.iter().find(matches).cloned()
    }

    fn note(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.news.send_modify(|it| *it += 1);
    }

    fn verify(&self, method: &str, uri: &http::Uri, headers: &http::HeaderMap, body: &[u8]) {
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let query = uri.query().unwrap_or_default();
        let request = SignedRequest { method, path: uri.path(), query, headers: &headers, body };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let secret = |key: &str| (key == ACCESS_KEY).then_some(SECRET_KEY);
        self.verifier.verify(&request, now as i64, secret).expect("a signature that verifies");
    }

    fn answer(&self, operation: &str, body: Value) -> Result<Value, Value> {
        if self.state.lock().unwrap().refusing {
            return Err(json!({"__type": "ServerException", "message": "not now"}));
        }
        match operation {
            "RegisterContainerInstance" => {
                let saved = body["containerInstanceArn"].as_str().map(str::to_owned);
                let forgotten = self.state.lock().unwrap().forgets_instances && saved.is_some();
                self.note(|it| it.registrations.push(body));
                if forgotten {
                    let message = "Container instance ID is inactive.";
                    return Err(json!({"__type": "ClientException", "message": message}));
                }
                Ok(json!({"containerInstance": {"containerInstanceArn": self.instance()}}))
            }
            "DiscoverPollEndpoint" => {
                let mut answer =
                    json!({"endpoint": format!("http://127.0.0.1:{}/acs/", self.acs_port)});
                if let Some(endpoint) = &self.state.lock().unwrap().telemetry_endpoint {
                    answer["telemetryEndpoint"] = json!(endpoint);
                }
                Ok(answer)
            }
            "SubmitTaskStateChange" => {
                self.note(|it| it.reports.push((Instant::now(), body)));
                Ok(json!({"acknowledgment": "ACCEPT"}))
            }
            other => panic!("the agent called {other}"),
        }
    }
}

async fn serve_api(control_plane: Arc<ControlPlane>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let control_plane = control_plane.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let control_plane = control_plane.clone();
            async move { Ok::<_, Infallible>(call(&control_plane, request).await) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn call(control_plane: &ControlPlane, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    control_plane.verify("POST", &head.uri, &head.headers, &body);
    let target = head.headers["x-amz-target"].to_str().unwrap();
    let operation = target.rsplit('.').next().unwrap();
    let (status, answer) =
        match control_plane.answer(operation, serde_json::from_slice(&body).unwrap()) {
            Ok(answer) => (StatusCode::OK, answer),
            Err(error) if error["__type"] == "ServerException" => {
                (StatusCode::INTERNAL_SERVER_ERROR, error)
            }
            Err(error) => (StatusCode::BAD_REQUEST, error),
        };
    let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
    *response.status_mut() = status;
    response
}

async fn serve_acs(control_plane: Arc<ControlPlane>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(session(control_plane.clone(), stream));
    }
}

async fn session(control_plane: Arc<ControlPlane>, stream: TcpStream) {
    #[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
    let verify = |request: &server::Request, response: server::Response| {
        control_plane.verify("GET", request.uri(), request.headers(), b"");
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, verify).await.unwrap();
    let (sender, mut to_send) = mpsc::unbounded_channel();
    control_plane.note(|it| {
        it.agents.push(sender);
        it.connections += 1;
    });
    loop {
        tokio::select! {
            frame = to_send.recv() => match frame {
                Some(frame) => socket.send(Message::text(frame.to_string())).await.unwrap(),
                None => {
                    let _ = socket.close(None).await;
                    return;
                }
            },
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).unwrap();
                    control_plane.note(|it| it.frames.push(frame));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}
