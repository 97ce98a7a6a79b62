//! ACS: the socket on which the control plane says what is to run.
//!
//! A message is acknowledged once what it asks for is on file. Everything the agent has to say of
//! its tasks goes by the API instead, so a lost socket loses nothing.

pub(crate) mod handshake;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use longshore_client::{Client, Stream};
use longshore_wire::acs::{
    AckRequest, AgentMessage, BadRequestException, ErrorMessage, HeartbeatAckRequest,
    InvalidInstanceException, ManifestTask, NackRequest, PerformUpdateMessage, ServerMessage,
    StageUpdateMessage, TaskManifestMessage, TaskResendRequest, TaskStopVerificationMessage,
};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tracing::{debug, error, info, warn};

use crate::agent::dismissal;
use crate::backoff::{Backoff, CONTESTED, DENIED};
use crate::engine::Difference;
use crate::files::Identity;
use crate::payload::{self, Payload};
use crate::pulse::Pulse;
use crate::system::jitter;
use crate::tasks::Tasks;
use handshake::{ConnectError, connect};

/// After a good connection has ended: many may have ended with it.
const SPREAD: Duration = Duration::from_millis(500);
/// A connection that lasted this long was a good one.
const GOOD: Duration = Duration::from_secs(60);
/// The control plane is heard at least every 40 s; silence means that it is gone.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
const SILENCE_JITTER: Duration = Duration::from_secs(30);
/// One that sends pings, as ours does where nothing else was said for 5 s, is heard more often.
const PINGS_LIMIT: Duration = Duration::from_secs(15);
const PINGS_JITTER: Duration = Duration::from_secs(5);

/// The agent's side of ACS.
pub(crate) struct Session {
    pub(crate) api: Client,
    pub(crate) identity: Identity,
    pub(crate) docker_version: String,
    /// Counts the connections, for those who wait for one.
    pub(crate) connections: watch::Sender<u64>,
    /// Told whether there is one, and of each sign of life.
    pub(crate) pulse: Pulse,
    /// Told at the first connection.
    pub(crate) ready: Option<oneshot::Sender<()>>,
    /// The highest number seen on this connection; an older manifest knows less than we do.
    pub(crate) timeline: i64,
    /// Whether the log has a word on messages of this connection that make no sense.
    pub(crate) has_complained: bool,
}

pub(crate) type Socket = WebSocketStream<Stream>;

impl Session {
    /// Keeps connected, and hands over what is asked for. Returns only if the control plane says that
    /// this instance is dismissed for good, with its words.
    pub(crate) async fn run(mut self, tasks: &mut Tasks) -> String {
        let mut backoff = Backoff::towards(self.api.endpoint());
        let mut denied = Backoff::of_denied();
        let mut denied_told = false;
        let mut delay = Duration::ZERO;
        let mut told = false;
        // Tells this agent from another on a copy of its data directory.
        let run = uuid::Uuid::new_v4().to_string();
        loop {
            tokio::time::sleep(delay).await;
            delay = backoff.delay();
            let is_first = self.ready.is_some();
            let (api, identity, docker) = (&self.api, &self.identity, &self.docker_version);
            match connect(api, identity, docker, &run, is_first).await {
                Ok(socket) => {
                    info!("connected to the control plane");
                    let since = Instant::now();
                    self.connections.send_modify(|it| *it += 1);
                    self.pulse.set_connected(true);
                    if let Some(ready) = self.ready.take() {
                        // Whoever waited may have gone.
                        let _ = ready.send(());
                    }
                    let end = self.serve(socket, tasks).await;
                    self.pulse.set_connected(false);
                    warn!(reason = end, "disconnected from the control plane: tasks go on");
                    (told, denied_told) = (false, false);
                    denied.reset();
                    if since.elapsed() > GOOD {
                        backoff.reset();
                        delay = jitter(SPREAD);
                    }
                }
                Err(ConnectError::Inactive(message)) => {
                    debug!(message, "the handshake was refused");
                    let instance = &self.identity.container_instance_arn;
                    return format!("The container instance {instance} was deregistered.");
                }
                Err(error) if error.is_denial() => {
                    if let ConnectError::Discover(error) = &error
                        && let Some(why) = dismissal(error)
                    {
                        return why;
                    }
                    if !std::mem::replace(&mut denied_told, true) {
                        match &error {
                            ConnectError::Contested(_) => error!(%error, "{CONTESTED}"),
                            _ => error!(%error, "{DENIED}"),
                        }
                    }
                    delay = denied.delay();
                }
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        warn!(%error, "cannot connect to the control plane: trying on");
                    }
                    debug!(%error, next_attempt = ?delay, "cannot connect");
                }
            }
        }
    }

    /// Serves one connection to its end, and says what ended it.
    async fn serve(&mut self, mut socket: Socket, tasks: &mut Tasks) -> String {
        // Another server may count otherwise, or its clock be another one.
        self.timeline = 0;
        self.has_complained = false;
        let mut limit = SILENCE_LIMIT + jitter(SILENCE_JITTER);
        let mut silent_at = Instant::now() + limit;
        loop {
            let frame = tokio::select! {
                frame = socket.next() => frame,
                () = tokio::time::sleep_until(silent_at) => {
                    return "the control plane is silent".to_owned();
                }
            };
            self.pulse.heard();
            let text = match frame {
                Some(Ok(Message::Text(text))) => text.to_string(),
                Some(Ok(Message::Binary(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
                Some(Ok(Message::Close(_))) | None => return "it closed the connection".to_owned(),
                Some(Ok(Message::Ping(_))) => {
                    limit = PINGS_LIMIT + jitter(PINGS_JITTER);
                    silent_at = Instant::now() + limit;
                    continue;
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return error.to_string(),
            };
            let answers = match ServerMessage::decode(&text) {
                Ok(None) => {
                    debug!("a message of a type that is not known");
                    continue;
                }
                Ok(Some(message)) => self.take_in(message, tasks).await,
                Err(error) => match payload::salvage(&text) {
                    Some(payload) => self.take_payload(payload, tasks).await,
                    None => {
                        self.complain(&error.to_string());
                        continue;
                    }
                },
            };
            silent_at = Instant::now() + limit;
            for answer in answers {
                if let Err(error) = send(&mut socket, &answer).await {
                    return error.to_string();
                }
            }
        }
    }

    async fn take_in(&mut self, message: ServerMessage, tasks: &mut Tasks) -> Vec<AgentMessage> {
        match message {
            ServerMessage::Payload(message) => self.take_payload(message.into(), tasks).await,
            ServerMessage::Heartbeat(heartbeat) => {
                let message_id = heartbeat.message_id.filter(|it| !it.is_empty());
                let ack = |message_id| HeartbeatAckRequest { message_id };
                message_id.map(ack).map(AgentMessage::HeartbeatAck).into_iter().collect()
            }
            // The attribute that asks for them is not announced yet.
            ServerMessage::RoleCredentials(_) => Vec::new(),
            ServerMessage::TaskManifest(manifest) => self.take_manifest(manifest, tasks),
            ServerMessage::TaskStopVerificationAck(verdict) => {
                for task in verdict.stop_tasks {
                    warn!(arn = task.task_arn, "the control plane knows no such task: stopping it");
                    if let Err(error) = tasks.stop(&task.task_arn).await {
                        error!(%error, "the stop could not be saved");
                    }
                }
                Vec::new()
            }
            ServerMessage::PerformUpdate(PerformUpdateMessage { message_id })
            | ServerMessage::StageUpdate(StageUpdateMessage { message_id }) => {
                vec![self.no_update(message_id)]
            }
            ServerMessage::Close(notice) => {
                debug!(message = notice.message, "the control plane is about to close");
                Vec::new()
            }
            ServerMessage::Error(ErrorMessage { message })
            | ServerMessage::BadRequest(BadRequestException { message })
            | ServerMessage::InvalidInstance(InvalidInstanceException { message }) => {
                self.complain(&format!("the control plane says: {message}"));
                Vec::new()
            }
        }
    }

    async fn take_payload(&mut self, payload: Payload, tasks: &mut Tasks) -> Vec<AgentMessage> {
        let Payload { message_id, container_instance, seq_num, tasks: assigned, rejected } =
            payload;
        if message_id.is_empty() {
            self.complain("a payload without a message id");
            return Vec::new();
        }
        if !self.is_ours(&container_instance) {
            return Vec::new();
        }
        self.timeline = self.timeline.max(seq_num);
        let mut all_well = rejected.is_empty();
        for rejection in rejected {
            if let Err(error) = tasks.reject(rejection).await {
                error!(%error, "a rejected task cannot be reported");
            }
        }
        for task in assigned {
            if let Err(error) = tasks.assign(task).await {
                error!(%error, message_id, "a payload is not acknowledged");
                all_well = false;
            }
        }
        if all_well { vec![self.ack(message_id)] } else { Vec::new() }
    }

    /// A manifest that is older than what we know says nothing. Tasks that are over may still be
    /// listed: their last report is under way.
    fn take_manifest(
        &mut self,
        manifest: TaskManifestMessage,
        tasks: &mut Tasks,
    ) -> Vec<AgentMessage> {
        if manifest.timeline <= self.timeline
            || manifest.message_id.is_empty()
            || !self.is_ours(&manifest.container_instance_arn)
        {
            return Vec::new();
        }
        self.timeline = manifest.timeline;
        let Difference { surplus, missing } = Difference::of(&manifest, tasks.all());
        let TaskManifestMessage { message_id, cluster_arn, tasks: listed, .. } = manifest;
        tasks.discard_what_is_nobodys(listed.into_iter().map(|it| it.task_arn).collect());
        let mut answers = vec![self.ack(message_id.clone())];
        if !surplus.is_empty() {
            let candidate = |task_arn| ManifestTask {
                task_arn,
                desired_status: "STOPPED".to_owned(),
                task_cluster_arn: Some(cluster_arn.clone()),
            };
            let stop_candidates = surplus.into_iter().map(candidate).collect();
            let message_id = message_id.clone();
            let question = TaskStopVerificationMessage { message_id, stop_candidates };
            answers.push(AgentMessage::TaskStopVerification(question));
        }
        if !missing.is_empty() {
            info!(
                tasks = missing.len(),
                "tasks that are to run here are not here: asking for them"
            );
            answers.push(AgentMessage::TaskResend(TaskResendRequest {
                cluster: self.identity.cluster.clone(),
                container_instance: self.identity.container_instance_arn.clone(),
                message_id,
                task_arns: missing,
            }));
        }
        answers
    }

    /// Whether a message that names an instance names this one.
    fn is_ours(&mut self, named: &str) -> bool {
        let is_ours = named.is_empty() || named == self.identity.container_instance_arn;
        if !is_ours {
            self.complain(&format!("a message for another container instance: {named}"));
        }
        is_ours
    }

    /// Logs what is wrong with a message: once aloud for each connection, for it may go on.
    fn complain(&mut self, what: &str) {
        if std::mem::replace(&mut self.has_complained, true) {
            debug!(what, "a message of the control plane makes no sense");
        } else {
            warn!(what, "a message of the control plane makes no sense; others are not logged");
        }
    }

    /// Whoever installed the agent updates it.
    fn no_update(&self, message_id: String) -> AgentMessage {
        AgentMessage::Nack(NackRequest {
            cluster: self.identity.cluster.clone(),
            container_instance: self.identity.container_instance_arn.clone(),
            message_id,
            reason: "Updates are disabled".to_owned(),
        })
    }

    fn ack(&self, message_id: String) -> AgentMessage {
        AgentMessage::Ack(AckRequest {
            cluster: self.identity.cluster.clone(),
            container_instance: self.identity.container_instance_arn.clone(),
            message_id,
        })
    }
}

async fn send(socket: &mut Socket, message: &AgentMessage) -> Result<(), tungstenite::Error> {
    socket.send(Message::text(message.encode())).await
}
