//! The listener: connections with bounds on time and size, each request to its door.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use longshore_wire::TARGET_HEADER;
use longshore_wire::acs::Refusal;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::acs::{self, Hello, Session};
use crate::admission::TooMany;
use crate::api::{Call, Exception, answer};
use crate::metrics::{self, Came};
use crate::own::{self, OwnCall};
use crate::room::{Complaint, Place};
use crate::transport::{Entered, Transport, is_from_here};
use crate::{Doors, requested, tcs};

/// The longest body, in bytes. ECS takes definitions of 64 KiB; agents report less.
const MAX_BODY: usize = 1024 * 1024;

/// The longest that a client may take to send a request's headers, and its body.
const READ: Duration = Duration::from_secs(30);

/// The longest that open requests are waited for at the end.
const DRAIN: Duration = Duration::from_secs(5);

/// How a caller came to a proxy on this machine that ends TLS.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The answer to plain text from other machines.
const SPEAK_TLS: &str = "This server speaks plain text only with its own machine. Use https:// \
                         (longshore ca prints whom to trust), or start it with --plain-text.";

/// The longest message of an agent, in bytes.
const MAX_AGENT_MESSAGE: usize = 1024 * 1024;

/// What is read from an agent's socket at once, in bytes. So much is cleared before each read and
/// kept by every connection; an acknowledgement has some 300.
const AGENT_READ: usize = 4 * 1024;

/// Accepts connections until told to stop, then waits a while for what is being answered.
pub(crate) async fn serve(
    listener: TcpListener,
    doors: Arc<Doors>,
    mut stopping: watch::Receiver<bool>,
) {
    let (open, mut all_closed) = mpsc::channel::<Infallible>(1);
    let complaint = Complaint::default();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    if complaint.is_due() {
                        warn!(%error, "a connection could not be accepted: trying on");
                    }
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = requested(&mut stopping) => break,
        };
        let place = tokio::select! {
            place = doors.room.place() => Arc::new(place),
            () = requested(&mut stopping) => break,
        };
        let (doors, stopping, open) = (Arc::clone(&doors), stopping.clone(), open.clone());
        tokio::spawn(async move {
            if let Err(error) = enter(stream, place, doors, stopping).await {
                debug!(%error, "a connection ended");
            }
            drop(open);
        });
    }
    drop(open);
    if timeout(DRAIN, all_closed.recv()).await.is_err() {
        warn!("some requests were still open at the end");
    }
}

/// Serves a connection in whatever way it comes in, unless told to stop before that is known.
async fn enter(
    stream: TcpStream,
    place: Arc<Place>,
    doors: Arc<Doors>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let _ = stream.set_nodelay(true);
    let (is_from_here, peer) = (is_from_here(&stream)?, stream.peer_addr()?);
    let entered = tokio::select! {
        entered = doors.transports.enter(stream) => entered?,
        () = requested(&mut stopping) => return Ok(()),
    };
    let connection =
        |transport| Connection { transport, is_from_here, peer, place, doors, stopping };
    match entered {
        Entered::Plain(stream, transport) => connection(transport).serve(stream).await?,
        Entered::Tls(stream) => connection(Transport::Tls).serve(stream).await?,
    }
    Ok(())
}

#[derive(Clone)]
struct Connection {
    transport: Transport,
    /// Whether the caller is on this machine, or a proxy is.
    is_from_here: bool,
    peer: SocketAddr,
    /// Its own for as long as it is open, as a socket too.
    place: Arc<Place>,
    doors: Arc<Doors>,
    stopping: watch::Receiver<bool>,
}

impl Connection {
    /// Answers one request after another; once told to stop, only the one that has begun.
    async fn serve<S>(self, stream: S) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut stopping = self.stopping.clone();
        let service = service_fn(move |it| self.clone().answer(it));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(READ)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut served = pin!(served);
        tokio::select! {
            ended = served.as_mut() => return ended,
            () = requested(&mut stopping) => served.as_mut().graceful_shutdown(),
        }
        served.await
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        if let Place::TurnedAway(_) = *self.place {
            let mut response = come_later("Too many connections are open.");
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return Ok(response);
        }
        let (parts, body) = request.into_parts();
        if let Some(socket) = Socket::at(parts.uri.path())
            && self.transport != Transport::Refused
        {
            return Ok(self.open_socket(socket, parts).await);
        }
        if parts.uri.path() == metrics::PATH {
            return Ok(metrics::answer(&parts, self.came(), &self.doors).await);
        }
        let (began, name) = (Instant::now(), metrics::name(parts.uri.path(), &parts.headers));
        let outcome = match self.transport {
            Transport::Refused => Err(Exception::access_denied(SPEAK_TLS)),
            Transport::Tls | Transport::Plain => self.answer_call(&parts, body).await,
        };
        let exception = outcome.as_ref().err().map(Exception::name);
        self.doors.metrics.calls.count(name, exception, began.elapsed());
        let mut response = outcome.unwrap_or_else(|exception| {
            debug!(exception = exception.name(), message = exception.message(), "refused");
            let mut response = Response::new(Body::from(exception.body().encode()));
            *response.status_mut() = exception.status();
            response
        });
        let headers = response.headers_mut();
        let json = HeaderValue::from_static(longshore_wire::CONTENT_TYPE);
        headers.entry(CONTENT_TYPE).or_insert(json);
        if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
            headers.insert("x-amzn-requestid", id);
        }
        Ok(response)
    }

    fn came(&self) -> Came {
        match (self.transport, self.is_from_here) {
            (Transport::Refused, _) => Came::InPlainText,
            (Transport::Tls | Transport::Plain, true) => Came::FromHere,
            (Transport::Tls | Transport::Plain, false) => Came::FromElsewhere,
        }
    }

    /// The answer, which is JSON where it does not say otherwise.
    async fn answer_call(
        &self,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Response<Body>, Exception> {
        let body = read(body).await?;
        let doors = &*self.doors;
        let now_secs = doors.control.now().millis() / 1000;
        let caller = doors.gate.check(parts, &body, now_secs, &doors.control.view())?;
        if let Some(path) = parts.uri.path().strip_prefix(longshore_wire::own::PATH) {
            let (control, master) = (&doors.control, doors.gate.master());
            let endpoints = doors.endpoints();
            let call = OwnCall { control, master, caller, endpoints, tls: doors.tls() };
            return own::answer(&parts.method, path, body, &call).await;
        }
        if parts.method != Method::POST || parts.uri.path() != "/" {
            return Err(Exception::unknown_operation("The ECS API is at POST /."));
        }
        let text = |name: &str| parts.headers.get(name).and_then(|it| it.to_str().ok());
        let host = text(HOST.as_str()).unwrap_or_default();
        let (control, pages, secrets) = (&doors.control, &doors.pages, doors.secrets.as_ref());
        let scheme = self.transport.scheme(text(FORWARDED_PROTO));
        let call = Call { control, pages, secrets, caller, host, scheme };
        let answer = answer(text(TARGET_HEADER), &body, &call).await?;
        Ok(Response::new(Body::from(answer)))
    }

    async fn open_socket(self, which: Socket, mut parts: Parts) -> Response<Body> {
        let doors = &self.doors;
        if *self.stopping.borrow() {
            return come_later("The server stops.");
        }
        let refused = |exception: Exception| {
            acs::refuse(&Refusal {
                exception: exception.name().into(),
                message: exception.message().into(),
            })
        };
        let now_secs = doors.control.now().millis() / 1000;
        let caller = match doors.gate.check(&parts, b"", now_secs, &doors.control.view()) {
            Ok(caller) => caller,
            Err(exception) => return refused(exception),
        };
        let query = parts.uri.query().unwrap_or_default();
        let hello = match Hello::read(query, which.names(), doors.control.owner()) {
            Ok(hello) => hello.from(self.peer),
            Err(refusal) => {
                debug!(?refusal, "an agent's handshake is refused");
                return acs::refuse(&refusal);
            }
        };
        if let Err(denied) = acs::may_connect(caller, &hello, &doors.control) {
            debug!(%denied, "an agent's handshake is refused");
            return refused(denied.into());
        }
        if let Err(refusal) = hello.check(&doors.control.view()) {
            debug!(?refusal, "an agent's handshake is refused");
            return acs::refuse(&refusal);
        }
        if let Socket::Acs = which
            && let Err(refusal) = doors.hub.may_sit(&hello)
        {
            return acs::refuse(&refusal);
        }
        let admission = match which {
            Socket::Acs => &doors.acs_admission,
            Socket::Tcs => &doors.tcs_admission,
        };
        let mut stopping = self.stopping.clone();
        match admission.turn(Instant::now()) {
            Ok(turn) => tokio::select! {
                () = sleep_until(turn) => {}
                () = requested(&mut stopping) => return come_later("The server stops."),
            },
            Err(TooMany) => return come_later("Too many agents connect at once."),
        }
        let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(it) => it
                .max_message_size(MAX_AGENT_MESSAGE)
                .max_frame_size(MAX_AGENT_MESSAGE)
                .read_buffer_size(AGENT_READ),
            Err(rejection) => return axum::response::IntoResponse::into_response(rejection),
        };
        upgrade.on_upgrade(move |socket| async move {
            let _place = self.place;
            let Doors { control, secrets, roles, hub, telemetry, .. } = &*self.doors;
            match which {
                Socket::Acs => {
                    let (control, secrets) = (control.clone(), secrets.clone());
                    let session = Session::new(hello, caller, control, secrets, roles.clone(), hub);
                    acs::serve(socket, session, hub, self.stopping).await;
                }
                Socket::Tcs => {
                    let session = tcs::Session::new(hello, caller, control.clone());
                    tcs::serve(socket, session, telemetry, self.stopping).await;
                }
            }
        })
    }
}

/// Official agents connect again at once where a connection ends well, and later where none begins.
fn come_later(message: &str) -> Response<Body> {
    let refusal = Refusal { exception: "ServerException".into(), message: message.into() };
    let mut response = acs::refuse(&refusal);
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// The sockets that agents open.
#[derive(Clone, Copy, Debug)]
enum Socket {
    /// What they are told to run.
    Acs,
    /// How it fares.
    Tcs,
}

impl Socket {
    fn at(path: &str) -> Option<Self> {
        match path {
            "/acs/ws" => Some(Self::Acs),
            "/tcs/ws" => Some(Self::Tcs),
            _ => None,
        }
    }

    fn names(self) -> acs::Names {
        match self {
            Self::Acs => acs::NAMES,
            Self::Tcs => tcs::NAMES,
        }
    }
}

async fn read(body: Incoming) -> Result<Bytes, Exception> {
    match timeout(READ, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Exception::too_large("The request can have at most 1048576 bytes."))
        }
        Ok(Err(_)) => Err(Exception::serialization("The request ended before its body did.")),
        Err(_) => Err(Exception::serialization("The request's body took too long to arrive.")),
    }
}
