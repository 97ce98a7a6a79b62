//! TCS: the socket on which the agent says what its tasks use, and how they and it fare.
//!
//! What is lost with a connection is lost: the next round tells of the present.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use longshore_client::{Client, SocketEndpoint};
use longshore_model::{Ids, Timestamp};
use longshore_wire::ecs;
use longshore_wire::tcs::{
    AgentMessage, InstanceStatus, InstanceStatusMetadata, PublishInstanceStatusRequest,
    ServerMessage,
};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tracing::{debug, info, warn};

use super::round::{Round, timestamp};
use super::usage::Usage;
use crate::backoff::Backoff;
use crate::board::Board;
use crate::files::Identity;
use crate::runtime::Daemon;
use crate::session::Socket;
use crate::session::handshake::{ConnectError, TIME_LIMIT, open};
use crate::system::{RandomIds, jitter, now};

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(20);
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// A connection that lasted this long was a good one.
const GOOD: Duration = Duration::from_secs(60);
/// The control plane is heard at least every 40 s; silence means that it is gone.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
const SILENCE_JITTER: Duration = Duration::from_secs(60);
/// A deregistered instance never comes back.
const INACTIVE_DELAY: Duration = Duration::from_secs(3600);

/// The agent's side of TCS.
pub(crate) struct Publisher {
    pub(crate) api: Client,
    pub(crate) identity: Identity,
    pub(crate) docker_version: String,
    pub(crate) board: Board,
    pub(crate) usage: Usage,
    pub(crate) daemon: Daemon,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum NoTelemetry {
    /// Not every control plane wants any.
    #[error("the control plane names no endpoint for telemetry")]
    NotWanted,
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// An open socket, and what its frames are signed for.
struct Connection {
    socket: Socket,
    endpoint: SocketEndpoint,
}

impl Publisher {
    /// Keeps connected, and publishes. Never returns.
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY, 2.0);
        let mut runtime = Runtime::default();
        let mut told = false;
        loop {
            let mut delay = backoff.delay();
            match self.connect().await {
                Ok(connection) => {
                    debug!("connected for telemetry");
                    let since = Instant::now();
                    let end = self.serve(connection, &mut runtime).await;
                    debug!(reason = end, "disconnected from telemetry");
                    told = false;
                    if since.elapsed() > GOOD {
                        backoff.reset();
                        delay = backoff.delay();
                    }
                }
                Err(NoTelemetry::Connect(ConnectError::Inactive(message))) => {
                    info!(message, "no telemetry: this container instance was deregistered");
                    delay = INACTIVE_DELAY;
                }
                Err(NoTelemetry::NotWanted) => debug!("no telemetry is wanted"),
                // While the control plane is away, others say so.
                Err(error) if !std::mem::replace(&mut told, true) => {
                    warn!(%error, "no telemetry: trying on");
                }
                Err(error) => debug!(%error, "no telemetry"),
            }
            tokio::time::sleep(delay).await;
        }
    }

    async fn connect(&self) -> Result<Connection, NoTelemetry> {
        let question = ecs::DiscoverPollEndpointRequest {
            container_instance: Some(self.identity.container_instance_arn.clone()),
            cluster: Some(self.identity.cluster.clone()),
            zone_id: None,
        };
        let answer = self.api.call(&question).await.map_err(ConnectError::from)?;
        let endpoint = answer.telemetry_endpoint.filter(|it| !it.is_empty());
        let endpoint = endpoint.ok_or(NoTelemetry::NotWanted)?;
        let endpoint = SocketEndpoint::parse(&endpoint, self.api.endpoint().scheme())
            .map_err(ConnectError::from)?;
        let request = endpoint.request(&self.parameters(), self.api.signer());
        let request = request.map_err(ConnectError::from)?;
        let socket = open(self.api.connector(), endpoint.uri(), request);
        let socket = timeout(TIME_LIMIT, socket).await.map_err(|_| ConnectError::TimedOut)??;
        Ok(Connection { socket, endpoint })
    }

    /// Sorted by name.
    fn parameters(&self) -> [(&str, &str); 5] {
        [
            ("agentHash", "longshore"),
            ("agentVersion", env!("CARGO_PKG_VERSION")),
            ("cluster", &self.identity.cluster),
            ("containerInstance", &self.identity.container_instance_arn),
            ("dockerVersion", &self.docker_version),
        ]
    }

    /// Serves one connection to its end, and says what ended it.
    async fn serve(&self, mut connection: Connection, runtime: &mut Runtime) -> String {
        let limit = SILENCE_LIMIT + jitter(SILENCE_JITTER);
        let mut silent_at = Instant::now() + limit;
        // What the control plane knows of Docker by this connection. News of it wait for no heartbeat.
        let mut told = None;
        let mut rounds = interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let messages = tokio::select! {
                frame = connection.socket.next() => {
                    silent_at = Instant::now() + limit;
                    match frame {
                        Some(Ok(Message::Text(text))) => match self.take_in(&text, runtime).await {
                            Ok(answers) => answers,
                            Err(end) => return end,
                        },
                        Some(Ok(Message::Close(_))) | None => {
                            return "it closed the connection".to_owned();
                        }
                        Some(Ok(_)) => continue,
                        Some(Err(error)) => return error.to_string(),
                    }
                }
                _ = rounds.tick() => {
                    let mut messages = self.round();
                    runtime.look(self.daemon.answers().await, now());
                    if told != Some(runtime.answers) {
                        told = Some(runtime.answers);
                        let status = self.instance_status(runtime, now());
                        messages.push(AgentMessage::InstanceStatus(status));
                    }
                    messages
                }
                () = tokio::time::sleep_until(silent_at) => {
                    return "the control plane is silent".to_owned();
                }
            };
            for message in messages {
                let signer = self.api.signer();
                let frame =
                    connection.endpoint.telemetry_frame(&self.parameters(), &message, signer);
                let sent = timeout(TIME_LIMIT, connection.socket.send(Message::text(frame))).await;
                match sent {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error.to_string(),
                    Err(_) => return "the control plane takes nothing".to_owned(),
                }
            }
        }
    }

    /// What is answered to a message; or why the connection is to end.
    async fn take_in(
        &self,
        text: &str,
        runtime: &mut Runtime,
    ) -> Result<Vec<AgentMessage>, String> {
        match ServerMessage::decode(text) {
            Ok(Some(ServerMessage::Heartbeat(_))) => {
                runtime.look(self.daemon.answers().await, now());
                Ok(vec![AgentMessage::InstanceStatus(self.instance_status(runtime, now()))])
            }
            Ok(Some(ServerMessage::Stop(_))) => Err("no more is wanted".to_owned()),
            Ok(Some(
                ServerMessage::AckMetric(_)
                | ServerMessage::AckHealth(_)
                | ServerMessage::AckInstanceStatus(_),
            )) => Ok(Vec::new()),
            Ok(Some(
                complaint @ (ServerMessage::BadRequest(_)
                | ServerMessage::ResourceValidation(_)
                | ServerMessage::InvalidParameter(_)
                | ServerMessage::Server(_)),
            )) => {
                warn!(?complaint, "the control plane complains of telemetry");
                Ok(Vec::new())
            }
            Ok(None) => Ok(Vec::new()),
            Err(error) => {
                warn!(%error, "a message on telemetry's socket cannot be read");
                Ok(Vec::new())
            }
        }
    }

    fn round(&self) -> Vec<AgentMessage> {
        let tasks = self.board.tasks();
        let (of_metrics, of_health) = (message_id(), message_id());
        let round = |message_id| Round { identity: &self.identity, message_id, now: now() };
        let metrics = round(&of_metrics).metrics(&tasks, |id| self.usage.take_round(id));
        let health = round(&of_health).health(&tasks);
        let metrics = metrics.into_iter().map(AgentMessage::Metrics);
        metrics.chain(health.into_iter().map(AgentMessage::Health)).collect()
    }

    fn instance_status(&self, runtime: &Runtime, now: Timestamp) -> PublishInstanceStatusRequest {
        let status = InstanceStatus {
            kind: "ContainerRuntime".to_owned(),
            status: if runtime.answers { "OK" } else { "IMPAIRED" }.to_owned(),
            last_updated: Some(timestamp(runtime.looked_at)),
            last_status_change: Some(timestamp(runtime.since)),
        };
        PublishInstanceStatusRequest {
            metadata: InstanceStatusMetadata {
                cluster: self.identity.cluster.clone(),
                container_instance: self.identity.container_instance_arn.clone(),
                request_id: message_id(),
            },
            statuses: Some(vec![status]),
            timestamp: Some(timestamp(now)),
        }
    }
}

/// Whether Docker answers. It did when the agent began.
#[derive(Debug)]
struct Runtime {
    answers: bool,
    since: Timestamp,
    looked_at: Timestamp,
}

impl Default for Runtime {
    fn default() -> Self {
        Self { answers: true, since: now(), looked_at: now() }
    }
}

impl Runtime {
    fn look(&mut self, answers: bool, now: Timestamp) {
        if std::mem::replace(&mut self.answers, answers) != answers {
            self.since = now;
        }
        self.looked_at = now;
    }
}

fn message_id() -> String {
    let bits = RandomIds.next_bits().to_be_bytes();
    uuid::Builder::from_random_bytes(bits).into_uuid().to_string()
}
