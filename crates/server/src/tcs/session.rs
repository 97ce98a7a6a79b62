//! One agent's websocket for telemetry, from its handshake to its end.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt;
use longshore_control::Control;
use longshore_control::access::Caller;
use longshore_wire::tcs::{
    AgentMessage, BadRequestException, HeartbeatMessage, ServerMessage, frame,
};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tracing::{debug, info, warn};

use super::hub::{Hub, Seat};
use super::take::take;
use crate::acs::{Hello, Names, may_connect};
use crate::requested;

/// As TCS's handshake calls what it is about.
pub(crate) const NAMES: Names = Names { cluster: "cluster", instance: "containerInstance" };

/// Agents close a connection that is silent for a minute. With each goes a ping, which the agent's
/// websocket library answers.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// An agent that answers no ping for so long is gone. Nobody waits to know it: what it costs is
/// the connection's memory.
const GONE_AFTER: Duration = Duration::from_secs(75);

/// The longest that a frame may take to leave.
const SEND: Duration = Duration::from_secs(30);

/// So many messages are read at once, and then one in each pause: what comes faster waits at the
/// agent. A round of a thousand tasks has a hundred, every 20 s.
const BURST: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// Serves one socket until either side ends it.
pub(crate) async fn serve(
    mut socket: WebSocket,
    mut session: Session,
    hub: &Hub,
    shutdown: watch::Receiver<bool>,
) {
    let instance = session.hello.instance;
    let seat = hub.sit(instance);
    debug!(%instance, "an agent begins to tell how it fares");
    let end = session.run(&mut socket, &seat, shutdown).await;
    info!(%instance, reason = end, "an agent's telemetry ends");
    if hub.rise(instance, &seat) {
        session.control.telemetry().forget_checks(instance);
    }
    let _ = timeout(SEND, socket.send(Message::Close(None))).await;
}

/// One agent's connection.
pub(crate) struct Session {
    hello: Hello,
    /// Who has signed its handshake.
    caller: Caller,
    control: Control,
    /// Whether the log has a word on messages of this agent that make no sense.
    has_complained: bool,
}

impl Session {
    pub(crate) fn new(hello: Hello, caller: Caller, control: Control) -> Self {
        Self { hello, caller, control, has_complained: false }
    }

    /// Runs until the connection is over and says why it is.
    async fn run(
        &mut self,
        socket: &mut WebSocket,
        seat: &Seat,
        mut shutdown: watch::Receiver<bool>,
    ) -> &'static str {
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = Instant::now();
        let mut pace = Pace::new(heard_at);
        loop {
            tokio::select! {
                biased; // What has come is read before anyone is taken to be gone.
                () = requested(&mut shutdown) => return "the server stops",
                () = seat.replaced.notified() => return "a newer connection took over",
                () = seat.doubt.notified() => {
                    if let Some(end) = self.end() {
                        return end;
                    }
                }
                received = async { sleep_until(pace.next_at()).await; socket.recv().await } => {
                    heard_at = Instant::now();
                    let text = match received {
                        Some(Ok(Message::Text(text))) => text.to_string(),
                        Some(Ok(Message::Binary(bytes))) => {
                            String::from_utf8_lossy(&bytes).into_owned()
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(Message::Close(_))) | None => return "the agent closed it",
                        Some(Err(error)) => {
                            debug!(instance = %self.hello.instance, %error, "no message");
                            return "the connection broke, or a message was too long";
                        }
                    };
                    pace.count(heard_at);
                    // Revoked or deregistered: what it says then counts no more.
                    if let Some(end) = self.end() {
                        return end;
                    }
                    if let Some(answer) = self.hear(&text).await
                        && !send(socket, [Message::Text(answer.encode().into())]).await
                    {
                        return "it cannot be written to";
                    }
                }
                _ = heartbeat.tick() => {
                    if heard_at.elapsed() > GONE_AFTER {
                        return "nothing was heard of it";
                    }
                    let beat = ServerMessage::Heartbeat(HeartbeatMessage { healthy: true });
                    let beat = Message::Text(beat.encode().into());
                    if !send(socket, [beat, Message::Ping(Bytes::new())]).await {
                        return "it cannot be written to";
                    }
                }
            }
        }
    }

    /// Why there is no more to be told here, if that is so.
    fn end(&self) -> Option<&'static str> {
        if may_connect(self.caller, &self.hello, &self.control).is_err() {
            return Some("its key was revoked");
        }
        self.hello.check(&self.control.view()).is_err().then_some("its instance is gone")
    }

    /// Takes a frame in and gives its answer. What is of a type that is not known has none, as with
    /// official servers.
    pub(crate) async fn hear(&mut self, text: &str) -> Option<ServerMessage> {
        let taken = match AgentMessage::decode(frame::json(text)) {
            Ok(None) => return None,
            Ok(Some(message)) => take(message, &self.hello, &self.control).await,
            Err(error) => {
                let message = Some(error.to_string());
                Err(ServerMessage::BadRequest(BadRequestException { message }))
            }
        };
        match taken {
            Ok(acknowledgement) => Some(acknowledgement),
            Err(refusal) => {
                self.complain(&refusal);
                Some(refusal)
            }
        }
    }

    /// Once for a connection: an agent that talks nonsense does so every 20 s.
    fn complain(&mut self, refusal: &ServerMessage) {
        let instance = self.hello.instance;
        if std::mem::replace(&mut self.has_complained, true) {
            debug!(%instance, ?refusal, "an agent's telemetry is refused");
        } else {
            warn!(
                %instance, ?refusal,
                "an agent's telemetry is refused, and nothing of it recorded; more of this \
                 connection is not logged"
            );
        }
    }
}

/// Messages are read no faster than this allows.
struct Pace {
    /// When all that was read would have been, one in each pause.
    due_at: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { due_at: now }
    }

    fn count(&mut self, now: Instant) {
        self.due_at = self.due_at.max(now) + PAUSE;
    }

    /// When the next one may be read.
    fn next_at(&self) -> Instant {
        self.due_at.checked_sub(PAUSE * BURST).unwrap_or(self.due_at)
    }
}

/// Sends messages with as few writes as they fit into.
async fn send(socket: &mut WebSocket, messages: impl IntoIterator<Item = Message>) -> bool {
    let sent = async {
        for message in messages {
            socket.feed(message).await?;
        }
        socket.flush().await
    };
    matches!(timeout(SEND, sent).await, Ok(Ok(())))
}
