//! A simulated agent: it joins, takes in what it is told and acknowledges it. Its reports are the
//! runner's.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use longshore_client::CallError;
use longshore_wire::acs::{
    AckRequest, AgentMessage, HeartbeatAckRequest, PayloadMessage, ServerMessage,
    TaskManifestMessage, TaskResendRequest,
};
use longshore_wire::ecs;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Client;
use crate::events::AgentEvent;
use crate::plan::Plan;
use crate::random::Random;
use crate::runner::Told;
use crate::socket::{self, Socket};
use crate::tasks::Manner;

/// Before the second attempt to reach a server that is away; each further one waits twice as long.
pub(crate) const RETRY: Duration = Duration::from_millis(10);

/// The longest wait between two attempts.
pub(crate) const LONGEST_RETRY: Duration = Duration::from_secs(1);

/// What agents announce that compare a manifest with what they have, and ask for what they lack.
const MANIFESTS: [&str; 2] = ["ecs.capability.full-sync", "io.longshore.capability.task-resend"];

/// What an agent registers, and how it behaves.
#[derive(Clone, Debug)]
pub struct AgentSpec {
    /// In all.
    pub cpu_units: i32,
    /// In all.
    pub memory_mib: i32,
    /// TCP host ports that tasks do not get.
    pub reserved_ports: Vec<u16>,
    /// Names, and values where they have one.
    pub attributes: Vec<(String, Option<String>)>,
    /// What becomes of tasks; if `None` they are acknowledged, and nothing is reported of them.
    pub plan: Option<Plan>,
    /// Whether it sometimes repeats a report, sends an outdated one, or registers again when it
    /// reconnects: agents do, and the server must not mind.
    pub is_clumsy: bool,
    /// Whether it announces, as Longshore's own agent does, that it asks for those tasks of a manifest
    /// that it lacks; others are told all their tasks on each connection.
    pub takes_manifests: bool,
    /// Of its random choices.
    pub seed: u64,
}

impl AgentSpec {
    /// An agent that no task is too large for.
    pub fn boundless(plan: Option<Plan>) -> Self {
        Self {
            cpu_units: 2_000_000_000,
            memory_mib: 2_000_000_000,
            reserved_ports: vec![22],
            attributes: Vec::new(),
            plan,
            is_clumsy: false,
            takes_manifests: false,
            seed: 0,
        }
    }
}

/// What the agents of a fleet share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) cluster: Arc<str>,
    /// An agent that registers and connects holds a permit.
    pub(crate) joins: Arc<Semaphore>,
    pub(crate) runner: mpsc::UnboundedSender<Told>,
    pub(crate) events: mpsc::UnboundedSender<AgentEvent>,
    /// Each change of it breaks every connection.
    pub(crate) breaks: watch::Receiver<u64>,
}

/// A handle of a running agent. Dropping it ends the agent without a word to the server.
pub struct SimulatedAgent {
    connections: watch::Receiver<u64>,
    work: JoinHandle<()>,
}

impl SimulatedAgent {
    /// Starts one. It keeps trying until it is connected, and again whenever it is not any more.
    pub(crate) fn spawn(shared: Shared, spec: AgentSpec) -> Self {
        let (count, connections) = watch::channel(0);
        let random = Random::new(spec.seed);
        let agent = Agent {
            shared,
            spec,
            random,
            instance: None,
            connections: count,
            told_to_run: 0,
            has: HashSet::new(),
        };
        Self { connections, work: tokio::spawn(agent.run()) }
    }

    /// Waits until it has connected so many times since it was started.
    pub async fn connected(&mut self, times: u64) {
        // An agent ends only with its handle.
        let _ = self.connections.wait_for(|it| *it >= times).await;
    }
}

impl Drop for SimulatedAgent {
    fn drop(&mut self) {
        self.work.abort();
    }
}

struct Agent {
    shared: Shared,
    spec: AgentSpec,
    random: Random,
    /// Its ARN, once it is registered.
    instance: Option<String>,
    connections: watch::Sender<u64>,
    /// Tasks told or listed, on the present connection.
    told_to_run: u64,
    /// Hashes of the ARNs of tasks that it was told to run and not to stop, if it takes manifests.
    has: HashSet<u64>,
}

impl Agent {
    async fn run(mut self) {
        let mut pause = RETRY;
        loop {
            if let Some(socket) = self.join().await {
                self.connections.send_modify(|it| *it += 1);
                self.tell(AgentEvent::Connected);
                self.told_to_run = 0;
                self.serve(socket).await;
                self.tell(AgentEvent::Disconnected { told_to_run: self.told_to_run });
                pause = RETRY;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }

    /// Registers where that is due, and connects.
    async fn join(&mut self) -> Option<Socket> {
        let joins = Arc::clone(&self.shared.joins);
        let _permit = joins.acquire().await;
        let again = self.spec.is_clumsy && self.random.one_in(3);
        if self.instance.is_none() || again {
            self.register().await?;
        }
        let question = ecs::DiscoverPollEndpointRequest {
            container_instance: self.instance.clone(),
            cluster: Some(self.shared.cluster.to_string()),
            zone_id: None,
        };
        let answer = self.shared.client.call(&question).await;
        let endpoint = self.expect("DiscoverPollEndpoint", answer)?.endpoint?;
        let Shared { client, cluster, .. } = &self.shared;
        match socket::connect(client, &endpoint, cluster, self.instance.as_deref()?).await {
            Ok(socket) => Some(socket),
            Err(error) => {
                self.tell(AgentEvent::NoAnswer { what: format!("the agent's socket: {error:#}") });
                None
            }
        }
    }

    async fn register(&mut self) -> Option<()> {
        let request = registration(&self.shared.cluster, &self.spec, self.instance.clone());
        let answer = self.shared.client.call(&request).await;
        let answer = self.expect("RegisterContainerInstance", answer)?;
        let instance = answer.container_instance?.container_instance_arn?;
        self.tell(AgentEvent::Registered { instance: instance.clone() });
        self.instance = Some(instance);
        Some(())
    }

    /// What was answered; anything else is told.
    fn expect<T>(&self, what: &str, answer: Result<T, CallError>) -> Option<T> {
        match answer {
            Ok(answer) => return Some(answer),
            Err(error @ (CallError::NoAnswer(_) | CallError::Untrusted(_))) => {
                self.tell(AgentEvent::NoAnswer { what: format!("{what}: {error}") });
            }
            Err(error) => self.tell(AgentEvent::Refused { what: format!("{what}: {error}") }),
        }
        None
    }

    fn tell(&self, event: AgentEvent) {
        // Whoever listened may not care any more.
        let _ = self.shared.events.send(event);
    }

    async fn serve(&mut self, mut socket: Socket) {
        let mut breaks = self.shared.breaks.clone();
        breaks.mark_unchanged();
        loop {
            let frame = tokio::select! {
                frame = socket.next() => frame,
                Ok(()) = breaks.changed() => return,
            };
            let Some(Ok(frame)) = frame else { return };
            let Message::Text(text) = frame else { continue };
            let answers = match ServerMessage::decode(&text) {
                Ok(Some(ServerMessage::Payload(payload))) => match self.take_in(payload) {
                    ControlFlow::Continue(ack) => vec![ack],
                    ControlFlow::Break(()) => return,
                },
                Ok(Some(ServerMessage::Heartbeat(beat))) => {
                    let ack = beat.message_id.map(|message_id| HeartbeatAckRequest { message_id });
                    ack.map(AgentMessage::HeartbeatAck).into_iter().collect()
                }
                Ok(Some(ServerMessage::TaskManifest(manifest))) => self.compare(manifest),
                Ok(_) => Vec::new(),
                Err(error) => {
                    self.tell(AgentEvent::Refused { what: format!("{error}: {text}") });
                    Vec::new()
                }
            };
            for answer in answers {
                if socket.send(Message::text(answer.encode())).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Asks for what is listed and is not here.
    fn compare(&mut self, manifest: TaskManifestMessage) -> Vec<AgentMessage> {
        let TaskManifestMessage { message_id, tasks, .. } = manifest;
        let listed = tasks.len();
        let lacks =
            tasks.into_iter().map(|it| it.task_arn).filter(|it| !self.has.contains(&hash(it)));
        let task_arns: Vec<String> = lacks.collect();
        let tasks = listed.saturating_sub(task_arns.len()) as u64;
        self.told_to_run += tasks;
        self.tell(AgentEvent::Listed { tasks });
        let mut answers = vec![self.ack(message_id.clone())];
        if !task_arns.is_empty() {
            answers.push(AgentMessage::TaskResend(TaskResendRequest {
                cluster: self.shared.cluster.to_string(),
                container_instance: self.instance.clone().unwrap_or_default(),
                message_id,
                task_arns,
            }));
        }
        answers
    }

    fn ack(&self, message_id: String) -> AgentMessage {
        AgentMessage::Ack(AckRequest {
            cluster: self.shared.cluster.to_string(),
            container_instance: self.instance.clone().unwrap_or_default(),
            message_id,
        })
    }

    /// Breaks where there is no runner any more.
    fn take_in(&mut self, payload: PayloadMessage) -> ControlFlow<(), AgentMessage> {
        for task in payload.tasks {
            let is_to_run = task.desired_status == "RUNNING";
            self.told_to_run += u64::from(is_to_run);
            if !is_to_run {
                self.has.remove(&hash(&task.arn));
            } else if self.spec.takes_manifests {
                self.has.insert(hash(&task.arn));
            }
            self.tell(AgentEvent::Told {
                instance: self.instance.clone().unwrap_or_default(),
                task: task.arn.clone(),
                desired_status: task.desired_status.clone(),
            });
            let Some(plan) = self.spec.plan else { continue };
            let is_clumsy = self.spec.is_clumsy && self.random.one_in(4);
            let told = Told { task, manner: Manner { plan, is_clumsy } };
            if self.shared.runner.send(told).is_err() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(self.ack(payload.message_id))
    }
}

/// Of a task's ARN. A million of them are kept.
fn hash(arn: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    arn.hash(&mut hasher);
    hasher.finish()
}

/// The registration of an agent, new or once more as the instance of this ARN.
pub fn registration(
    cluster: &str,
    spec: &AgentSpec,
    instance: Option<String>,
) -> ecs::RegisterContainerInstanceRequest {
    let resource = |name: &str, kind: &str| ecs::Resource {
        name: Some(name.into()),
        kind: Some(kind.into()),
        ..ecs::Resource::default()
    };
    let integer = |name: &str, value: i32| ecs::Resource {
        integer_value: Some(value),
        ..resource(name, "INTEGER")
    };
    let ports = |name: &str, ports: &[u16]| ecs::Resource {
        string_set_value: Some(ports.iter().map(ToString::to_string).collect()),
        ..resource(name, "STRINGSET")
    };
    let attribute = |name: &str, value: Option<&str>| ecs::Attribute {
        name: Some(name.into()),
        value: value.map(Into::into),
        ..ecs::Attribute::default()
    };
    let custom = spec.attributes.iter().map(|(name, value)| attribute(name, value.as_deref()));
    let capabilities = MANIFESTS.iter().filter(|_| spec.takes_manifests);
    let capabilities = capabilities.map(|it| attribute(it, None));
    ecs::RegisterContainerInstanceRequest {
        cluster: Some(cluster.into()),
        container_instance_arn: instance,
        instance_identity_document: Some(String::new()),
        instance_identity_document_signature: Some(String::new()),
        total_resources: Some(vec![
            integer("CPU", spec.cpu_units),
            integer("MEMORY", spec.memory_mib),
            ports("PORTS", &spec.reserved_ports),
            ports("PORTS_UDP", &[]),
        ]),
        attributes: Some(
            custom.chain(capabilities).chain([attribute("ecs.os-type", Some("linux"))]).collect(),
        ),
        ..ecs::RegisterContainerInstanceRequest::default()
    }
}
