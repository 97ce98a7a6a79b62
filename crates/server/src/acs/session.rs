//! One agent's websocket, from its handshake to its end.

mod heard;
mod said;

use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt;
use longshore_control::Control;
use longshore_control::access::Caller;
use longshore_model::InstanceStatus;
use longshore_wire::acs::{HeartbeatMessage, ServerMessage};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::assignment::Assignment;
use super::hello::{Hello, may_connect};
use super::hub::{Hub, Seat};
use super::sequence::Sequence;
use crate::requested;
use crate::roles::Roles;
use crate::secrets::SecretsFile;
use heard::Asked;

/// Agents close a connection that is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// An agent that says nothing for so long is sent a ping, which its websocket library answers.
const ASK_AFTER: Duration = Duration::from_secs(5);

/// What is due within so long is due together.
const TOGETHER: Duration = Duration::from_millis(250);

/// One that leaves a ping without an answer for so long, and says nothing else, is gone: 9 s after
/// its last word, or a quarter of a second later, it is not connected.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// The longest that a frame may take to leave.
const SEND: Duration = Duration::from_secs(30);

/// Serves one socket until either side ends it. While it lasts, the agent is connected.
pub(crate) async fn serve(
    mut socket: WebSocket,
    mut session: Session,
    hub: &Hub,
    shutdown: watch::Receiver<bool>,
) {
    let control = session.control.clone();
    let instance = session.hello.instance;
    match hub.sit(&control, &session.hello).await {
        Ok(Some(seat)) => {
            info!(%instance, "agent connected");
            let end = session.run(&mut socket, &seat, shutdown).await;
            info!(%instance, reason = end, "agent disconnected");
            if let Err(error) = hub.rise(&control, instance, &seat).await {
                debug!(%instance, %error, "the end of a connection could not be saved");
            }
        }
        Ok(None) => warn!(%instance, "an agent of an instance that is gone was turned away"),
        Err(error) => warn!(%instance, %error, "an agent was turned away"),
    }
    let _ = timeout(SEND, socket.send(Message::Close(None))).await;
}

/// One agent's connection: who is there, and what it was told.
pub(crate) struct Session {
    pub(crate) hello: Hello,
    /// Who has signed its handshake.
    caller: Caller,
    control: Control,
    secrets: Option<SecretsFile>,
    roles: Roles,
    /// When roles' credentials without an end were last said to last longer.
    renewed_at: i64,
    sequence: Arc<Sequence>,
    assignment: Assignment,
    /// Until the first look at what there is to say.
    is_new: bool,
    /// About the manifest, if one was sent.
    asked: Option<Asked>,
    /// Whether the log has a word on messages of this agent that make no sense.
    has_complained: bool,
}

impl Session {
    /// A connection on which nothing was said yet.
    pub(crate) fn new(
        hello: Hello,
        caller: Caller,
        control: Control,
        secrets: Option<SecretsFile>,
        roles: Roles,
        hub: &Hub,
    ) -> Self {
        Self {
            hello,
            caller,
            control,
            secrets,
            roles,
            renewed_at: 0,
            sequence: Arc::clone(&hub.sequence),
            assignment: Assignment::default(),
            is_new: true,
            asked: None,
            has_complained: false,
        }
    }

    /// Runs until the connection is over and says why it is.
    async fn run(
        &mut self,
        socket: &mut WebSocket,
        seat: &Seat,
        mut shutdown: watch::Receiver<bool>,
    ) -> &'static str {
        let mut heartbeat = interval_at(together(Instant::now() + HEARTBEAT), HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent_at = together(Instant::now() + ASK_AFTER);
        let mut is_asked = false;
        let mut roles = self.roles.changes();
        seat.news.notify_one();
        loop {
            tokio::select! {
                biased; // What has come is read before anyone is taken to be silent.
                () = requested(&mut shutdown) => return "the server stops",
                () = seat.replaced.notified() => return "a newer connection took over",
                received = socket.recv() => {
                    silent_at = together(Instant::now() + ASK_AFTER);
                    is_asked = false;
                    let answer = match received {
                        Some(Ok(Message::Text(text))) => self.hear(&text, seat),
                        Some(Ok(Message::Binary(bytes))) => {
                            self.hear(&String::from_utf8_lossy(&bytes), seat)
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
                        Some(Ok(Message::Close(_))) | None => return "the agent closed it",
                        Some(Err(_)) => return "the connection broke",
                    };
                    let answer = answer.map(|it| Message::Text(it.into()));
                    if answer.is_some() && !send(socket, answer).await {
                        return "it cannot be written to";
                    }
                }
                () = seat.news.notified() => {
                    if may_connect(self.caller, &self.hello, &self.control).is_err() {
                        return "its key was revoked";
                    }
                    if !self.has_instance() {
                        return "its instance is gone";
                    }
                    let frames = self.frames(seat.concerns()).await;
                    if !send(socket, frames.into_iter().map(|it| Message::Text(it.into()))).await {
                        return "it cannot be written to";
                    }
                }
                () = changed(&mut roles) => {
                    let frames = self.renewals();
                    if !send(socket, frames.into_iter().map(|it| Message::Text(it.into()))).await {
                        return "it cannot be written to";
                    }
                }
                () = sleep_until(silent_at), if is_asked => return "nothing was heard of it",
                () = sleep_until(silent_at) => {
                    if !send(socket, [Message::Ping(Bytes::new())]).await {
                        return "it cannot be written to";
                    }
                    silent_at = Instant::now() + ANSWER_WITHIN;
                    is_asked = true;
                }
                _ = heartbeat.tick() => {
                    let beat = ServerMessage::Heartbeat(HeartbeatMessage {
                        healthy: true,
                        message_id: Some(Uuid::new_v4().to_string()),
                    });
                    let mut frames = vec![beat.encode()];
                    if self.is_time_to_renew() {
                        frames.extend(self.renewals());
                    }
                    if !send(socket, frames.into_iter().map(|it| Message::Text(it.into()))).await {
                        return "it cannot be written to";
                    }
                }
            }
        }
    }

    /// Whether the instance is still registered.
    pub(crate) fn has_instance(&self) -> bool {
        let state = self.control.view();
        state.instance(self.hello.instance).is_some_and(|it| it.status != InstanceStatus::Inactive)
    }
}

/// Waits for a change, for ever where there can be none.
async fn changed<T>(changes: &mut Option<watch::Receiver<T>>) {
    let is_changed = match changes {
        Some(changes) => changes.changed().await.is_ok(),
        None => false,
    };
    if !is_changed {
        std::future::pending::<()>().await;
    }
}

/// That moment or a little later, so that what is due on thousands of connections is due together:
/// waking for each of them costs more than what is then done.
fn together(at: Instant) -> Instant {
    static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let over = at.saturating_duration_since(*ORIGIN).as_nanos() % TOGETHER.as_nanos();
    let over = Duration::from_nanos(u64::try_from(over).unwrap_or(0));
    at + TOGETHER.saturating_sub(over)
}

/// Sends messages with as few writes as they fit into.
async fn send(socket: &mut WebSocket, messages: impl IntoIterator<Item = Message>) -> bool {
    for message in messages {
        if !in_time(socket.feed(message)).await {
            return false;
        }
    }
    in_time(socket.flush()).await
}

async fn in_time(sent: impl Future<Output = Result<(), axum::Error>>) -> bool {
    matches!(timeout(SEND, sent).await, Ok(Ok(())))
}
