//! One agent's websocket, from its handshake to its end.

use std::time::Duration;

use axum::body::Body;
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt;
use http::{Response, StatusCode};
use longshore_control::access::{self, AccessDenied, Caller, Deed};
use longshore_control::{Control, reference};
use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    ClusterName, DesiredStatus, InstanceId, InstanceStatus, LastStatus, Owner, Task, TaskDefinition,
};
use longshore_store::State;
use longshore_wire::acs::{AgentMessage, HeartbeatMessage, PayloadMessage, Refusal, ServerMessage};
use longshore_wire::percent;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::assignment::Assignment;
use super::hub::{Concerns, Hub, Seat};
use super::payload;
use crate::requested;
use crate::secrets::{SecretError, SecretsFile, TaskSecrets};

/// Agents close a connection that is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// An agent that says nothing for so long is sent a ping, which its websocket library answers.
const ASK_AFTER: Duration = Duration::from_secs(5);

/// One that leaves a ping without an answer for so long, and says nothing else, is gone: 9 s after
/// its last word it is not connected.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// The longest that a frame may take to leave.
const SEND: Duration = Duration::from_secs(30);

/// Who an agent says it is when it opens its socket.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    pub(crate) cluster: ClusterName,
    pub(crate) instance: InstanceId,
    pub(crate) versions: VersionInfo,
}

/// What a socket's handshake calls the cluster and the container instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) cluster: &'static str,
    pub(crate) instance: &'static str,
}

/// As ACS's handshake calls them.
pub(crate) const NAMES: Names = Names { cluster: "clusterArn", instance: "containerInstanceArn" };

impl Hello {
    /// Reads the query of a handshake, or says why it cannot be understood.
    pub(crate) fn read(query: &str, names: Names, owner: &Owner) -> Result<Self, Refusal> {
        let value = |wanted: &str| {
            query
                .split('&')
                .filter_map(|it| it.split_once('='))
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| String::from_utf8_lossy(&percent::decoded(value)).into_owned())
        };
        let cluster = reference::cluster(value(names.cluster).as_deref(), owner)
            .map_err(|error| refusal("InvalidClusterException", error.to_string()))?;
        let arn = value(names.instance).unwrap_or_default();
        let instance = reference::container_instance(&arn, &cluster, owner)
            .map_err(|error| refusal("InvalidInstanceException", error.to_string()))?;
        let versions = VersionInfo {
            agent_version: value("agentVersion"),
            agent_hash: value("agentHash"),
            docker_version: value("dockerVersion"),
        };
        Ok(Self { cluster, instance, versions })
    }

    /// Whether the instance is there to be connected, or why it is not. For those who may know.
    pub(crate) fn check(&self, state: &State) -> Result<(), Refusal> {
        let known = state.instance(self.instance).filter(|it| it.cluster == self.cluster);
        match known.map(|it| it.status) {
            Some(InstanceStatus::Active | InstanceStatus::Draining) => Ok(()),
            Some(InstanceStatus::Inactive) => Err(refusal(
                "InactiveInstanceException",
                "The container instance was deregistered.".into(),
            )),
            None => Err(refusal(
                "InvalidInstanceException",
                "The container instance is not registered in this cluster.".into(),
            )),
        }
    }
}

fn refusal(exception: &str, message: String) -> Refusal {
    Refusal { exception: exception.into(), message }
}

/// Whether this caller may be that instance's agent, now.
pub(crate) fn may_connect(
    caller: Caller,
    hello: &Hello,
    control: &Control,
) -> Result<(), AccessDenied> {
    access::may(caller, &Deed::Instances(vec![hello.instance]), &control.view())
}

/// The answer to a handshake that is refused.
pub(crate) fn refuse(refusal: &Refusal) -> Response<Body> {
    let mut response = Response::new(Body::from(refusal.encode()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

/// Serves one socket until either side ends it. While it lasts, the agent is connected.
pub(crate) async fn serve(
    mut socket: WebSocket,
    mut session: Session,
    hub: &Hub,
    shutdown: watch::Receiver<bool>,
) {
    let control = session.control.clone();
    let instance = session.hello.instance;
    match hub.sit(&control, instance, session.hello.versions.clone()).await {
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
    assignment: Assignment,
}

impl Session {
    /// A connection on which nothing was said yet.
    pub(crate) fn new(
        hello: Hello,
        caller: Caller,
        control: Control,
        secrets: Option<SecretsFile>,
    ) -> Self {
        Self { hello, caller, control, secrets, assignment: Assignment::default() }
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
        let mut silent_at = Instant::now() + ASK_AFTER;
        let mut is_asked = false;
        seat.news.notify_one();
        loop {
            tokio::select! {
                biased; // What has come is read before anyone is taken to be silent.
                () = requested(&mut shutdown) => return "the server stops",
                () = seat.replaced.notified() => return "a newer connection took over",
                received = socket.recv() => {
                    silent_at = Instant::now() + ASK_AFTER;
                    is_asked = false;
                    match received {
                        Some(Ok(Message::Text(text))) => self.hear(&text),
                        Some(Ok(Message::Binary(bytes))) => {
                            self.hear(&String::from_utf8_lossy(&bytes));
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_))) | None => return "the agent closed it",
                        Some(Err(_)) => return "the connection broke",
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
                    if !send(socket, [Message::Text(beat.encode().into())]).await {
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

    /// What is to be said now: one task a payload, so that one an agent cannot take leaves the
    /// others acknowledged. A task whose secrets cannot be had is not told; if nothing is known of
    /// its having begun, it ends.
    pub(crate) async fn frames(&mut self, concerns: Concerns) -> Vec<String> {
        let state = self.control.view();
        let owner = self.control.owner();
        let told = self.assignment.news(&state, self.hello.instance, concerns);
        let mut frames = Vec::new();
        for task in told.into_iter().filter_map(|it| state.task(it)) {
            let Some(definition) = state.definition(&task.definition) else { continue };
            match self.secrets_for(task, definition) {
                Ok(secrets) => {
                    debug!(task = %task.id, desired = task.desired_status.as_str(), "telling the agent");
                    let arn = task.arn(owner);
                    let task = payload::task(task, definition, arn, &secrets);
                    frames.push(self.message(task, &state).encode());
                }
                Err(error) => self.leave_untold(task, &error).await,
            }
        }
        frames
    }

    /// A task is stopped without its secrets.
    fn secrets_for(
        &self,
        task: &Task,
        definition: &TaskDefinition,
    ) -> Result<TaskSecrets, SecretError> {
        match task.desired_status {
            DesiredStatus::Running => TaskSecrets::find(definition, self.secrets.as_ref()),
            DesiredStatus::Stopped => Ok(TaskSecrets::default()),
        }
    }

    /// The agent of a task that runs has its secrets, and does not need to hear of it again.
    async fn leave_untold(&self, task: &Task, error: &SecretError) {
        warn!(task = %task.id, %error, "a task cannot be given its secrets");
        if task.last_status == LastStatus::Pending
            && let Err(error) = self.control.fail_for_secrets(task.id, &error.to_string()).await
        {
            warn!(task = %task.id, %error, "the end of a task could not be saved");
        }
    }

    /// `seqNum` is 0, for which no agent ever waits: a task's capacity is given to another only
    /// once it has been reported STOPPED, so no start depends on a stop.
    fn message(&self, task: longshore_wire::acs::Task, state: &State) -> ServerMessage {
        let owner = self.control.owner();
        let Hello { cluster, instance, .. } = &self.hello;
        ServerMessage::Payload(PayloadMessage {
            message_id: Uuid::new_v4().to_string(),
            cluster_arn: owner.cluster_arn(cluster),
            container_instance_arn: reference::container_instance_arn(
                state, cluster, *instance, owner,
            ),
            generated_at: self.control.now().millis(),
            seq_num: 0,
            tasks: vec![task],
        })
    }

    /// Nothing that an agent says here changes the state: what it has not heard is said again on
    /// its next connection, and what it has done it reports through the API.
    pub(crate) fn hear(&self, text: &str) {
        let instance = self.hello.instance;
        match AgentMessage::decode(text) {
            Ok(Some(AgentMessage::Nack(nack))) => {
                warn!(%instance, message = nack.message_id, reason = nack.reason, "refused by the agent");
            }
            Ok(_) => {}
            Err(error) => warn!(%instance, %error, "an agent's message cannot be read"),
        }
    }
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
