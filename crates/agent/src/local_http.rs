//! HTTP for those on this machine: questions without a body, answered within bounds.
//!
//! A door says what is answered. Here is only how it is reached: whoever is slow, says too much or
//! comes too often with connections holds up nobody but himself.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{info, warn};

/// How long a connection may take to ask (again).
const PATIENCE: Duration = Duration::from_secs(15);
/// From accepting a connection to its end, whatever it does.
const LONGEST: Duration = Duration::from_secs(300);
const CONNECTIONS: usize = 256;
/// Enough for any path of ours and the headers of any client.
const LONGEST_HEAD: usize = 16 * 1024;
/// Between two attempts to listen where somebody else does.
const PAUSE: Duration = Duration::from_secs(2);

/// Who answers.
pub(crate) trait Door: Send + Sync + 'static {
    fn answer(&self, question: Question) -> impl Future<Output = Answer> + Send;
}

/// A GET.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// As it was sent, beginning with `/`.
    pub(crate) path: String,
    /// What follows the question mark, still encoded.
    pub(crate) query: Option<String>,
    /// Who asks.
    pub(crate) peer: IpAddr,
}

/// What the asker gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(content: &impl Serialize) -> Self {
        Self::json_with(StatusCode::OK, content)
    }

    pub(crate) fn json_with(status: StatusCode, content: &impl Serialize) -> Self {
        match serde_json::to_string(content) {
            Ok(body) => Self { status, content_type: "application/json", body },
            Err(error) => {
                Self::text(StatusCode::INTERNAL_SERVER_ERROR, format!("no JSON: {error}"))
            }
        }
    }

    pub(crate) fn text(status: StatusCode, body: impl Into<String>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: body.into() }
    }
}

/// Serves at the address; while somebody else has it says so once, and waits for it. Never returns.
pub(crate) async fn hold(address: SocketAddr, purpose: &str, door: Arc<impl Door>) {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                if told {
                    info!(%address, "the address is free: serving {purpose}");
                }
                return serve(listener, door).await;
            }
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    let why = match error.kind() {
                        ErrorKind::AddrInUse => "another program has the address".to_owned(),
                        _ => error.to_string(),
                    };
                    warn!(
                        %address,
                        "no {purpose} yet: {why}; the agent goes on without, and serves it when \
                         it can"
                    );
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Serves whoever connects. Never returns; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, door: Arc<impl Door>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // Never closed.
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let serving = converse(stream, peer.ip().to_canonical(), door.clone());
                connections.spawn(async move {
                    // Whether it ended well is of interest to the asker only.
                    let _ = tokio::time::timeout(LONGEST, serving).await;
                    drop(permit);
                });
            }
            // Out of file descriptors, mostly: others may give some back.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn converse(stream: TcpStream, peer: IpAddr, door: Arc<impl Door>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(respond(request, peer, &*door).await) }
    });
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(LONGEST_HEAD);
    // A connection that breaks is its asker's affair.
    let _ = protocol.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    request: Request<Incoming>,
    peer: IpAddr,
    door: &impl Door,
) -> Response<Full<Bytes>> {
    let answer = match *request.method() {
        Method::GET | Method::HEAD => {
            let (path, query) = (request.uri().path().to_owned(), request.uri().query());
            let query = query.map(str::to_owned);
            door.answer(Question { path, query, peer }).await
        }
        _ => Answer::text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n"),
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = answer.status;
    let content_type = header::HeaderValue::from_static(answer.content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
