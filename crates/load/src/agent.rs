//! Simulated agents: they join, take in what they are told, acknowledge it and report what they
//! would have done, over the real protocol. Nothing runs.

mod run;
mod socket;

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use longshore_wire::acs::{
    self, AckRequest, AgentMessage, HeartbeatAckRequest, PayloadMessage, ServerMessage,
};
use longshore_wire::ecs;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{CallError, Client};
use crate::random::Random;
use run::TaskRun;

/// Between two attempts to reach a server that is away.
const RETRY: Duration = Duration::from_millis(10);

/// What an agent registers, and how it behaves.
#[derive(Clone, Debug)]
pub struct AgentSpec {
    /// The cluster to join.
    pub cluster: String,
    /// In all.
    pub cpu_units: i32,
    /// In all.
    pub memory_mib: i32,
    /// TCP host ports that tasks do not get.
    pub reserved_ports: Vec<u16>,
    /// What becomes of tasks.
    pub work: Work,
    /// How many reports are under way at once; the official agent has 10.
    pub reports_at_once: usize,
    /// Whether it sometimes repeats a report, sends an outdated one, or registers again when it
    /// reconnects: agents do, and the server must not mind.
    pub is_clumsy: bool,
    /// Of its random choices.
    pub seed: u64,
}

/// What a simulated agent does with a task.
#[derive(Clone, Debug)]
pub enum Work {
    /// Acknowledges it, and reports nothing.
    TakeIn,
    /// Reports it RUNNING, and STOPPED when told to stop it.
    Run,
    /// Reports it RUNNING, and STOPPED when told to stop it or by itself after a while.
    RunFor {
        /// The shortest while.
        least: Duration,
        /// The longest.
        most: Duration,
    },
}

impl AgentSpec {
    /// An agent of the default cluster that no task is too large for.
    pub fn boundless(work: Work) -> Self {
        Self {
            cluster: "default".into(),
            cpu_units: 2_000_000_000,
            memory_mib: 2_000_000_000,
            reserved_ports: vec![22],
            work,
            reports_at_once: 10,
            is_clumsy: false,
            seed: 0,
        }
    }
}

/// What happened to an agent, in its order.
#[derive(Clone, Debug)]
pub enum AgentEvent {
    /// Its registration was acknowledged.
    Registered {
        /// The container instance's ARN.
        instance: String,
    },
    /// It was told of a task.
    Told {
        /// The container instance's ARN.
        instance: String,
        /// The task's ARN.
        task: String,
        /// `RUNNING` or `STOPPED`.
        desired_status: String,
    },
    /// A report was acknowledged.
    Reported {
        /// The task's ARN.
        task: String,
        /// `RUNNING` or `STOPPED`.
        status: &'static str,
    },
    /// The server refused a call that it must not refuse.
    Refused {
        /// What, and why.
        what: String,
    },
}

/// A handle of a running agent. Dropping it ends the agent without a word to the server.
pub struct SimulatedAgent {
    connections: watch::Receiver<u64>,
    work: JoinHandle<()>,
}

impl SimulatedAgent {
    /// Starts one. It keeps trying until it is connected, and again whenever it is not any more.
    pub fn spawn(
        client: Client,
        spec: AgentSpec,
        events: mpsc::UnboundedSender<AgentEvent>,
    ) -> Self {
        let (count, connections) = watch::channel(0);
        let agent = Agent {
            slots: run::slots(spec.reports_at_once),
            random: Random::new(spec.seed),
            client,
            spec,
            events,
            instance: None,
            connections: count,
            tasks: HashMap::new(),
            runs: JoinSet::new(),
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
    client: Client,
    spec: AgentSpec,
    events: mpsc::UnboundedSender<AgentEvent>,
    random: Random,
    /// Its ARN, once it is registered.
    instance: Option<String>,
    /// Counts its connections; a task's run repeats its report at each.
    connections: watch::Sender<u64>,
    slots: run::Slots,
    /// The tasks it was ever told of, and whether it is to stop them.
    tasks: HashMap<String, watch::Sender<bool>>,
    runs: JoinSet<()>,
}

impl Agent {
    async fn run(mut self) {
        loop {
            if let Some(socket) = self.join().await {
                self.connections.send_modify(|it| *it += 1);
                self.serve(socket).await;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Registers where that is due, and connects.
    async fn join(&mut self) -> Option<socket::Socket> {
        let again = self.spec.is_clumsy && self.random.one_in(3);
        if self.instance.is_none() || again {
            self.register().await?;
        }
        let question = ecs::DiscoverPollEndpointRequest {
            container_instance: self.instance.clone(),
            cluster: Some(self.spec.cluster.clone()),
            zone_id: None,
        };
        let answer = self.client.call(&question).await;
        let endpoint = self.expect("DiscoverPollEndpoint", answer)?.endpoint?;
        let instance = self.instance.as_deref()?;
        socket::connect(&self.client, &endpoint, &self.spec.cluster, instance).await
    }

    async fn register(&mut self) -> Option<()> {
        let answer = self.client.call(&registration(&self.spec, self.instance.clone())).await;
        let answer = self.expect("RegisterContainerInstance", answer)?;
        let instance = answer.container_instance?.container_instance_arn?;
        self.tell(AgentEvent::Registered { instance: instance.clone() });
        self.instance = Some(instance);
        Some(())
    }

    /// What was answered; a refusal is told.
    fn expect<T>(&self, what: &str, answer: Result<T, CallError>) -> Option<T> {
        if let Err(error @ (CallError::Refused { .. } | CallError::Unreadable { .. })) = &answer {
            self.tell(AgentEvent::Refused { what: format!("{what}: {error}") });
        }
        answer.ok()
    }

    fn tell(&self, event: AgentEvent) {
        // Whoever listened may not care any more.
        let _ = self.events.send(event);
    }

    async fn serve(&mut self, mut socket: socket::Socket) {
        while let Some(Ok(frame)) = socket.next().await {
            while self.runs.try_join_next().is_some() {}
            let Message::Text(text) = frame else { continue };
            let answer = match ServerMessage::decode(&text) {
                Ok(Some(ServerMessage::Payload(payload))) => Some(self.take_in(payload)),
                Ok(Some(ServerMessage::Heartbeat(beat))) => beat
                    .message_id
                    .map(|message_id| HeartbeatAckRequest { message_id })
                    .map(AgentMessage::HeartbeatAck),
                Ok(_) => None,
                Err(error) => {
                    self.tell(AgentEvent::Refused { what: format!("{error}: {text}") });
                    None
                }
            };
            if let Some(answer) = answer
                && socket.send(Message::text(answer.encode())).await.is_err()
            {
                return;
            }
        }
    }

    fn take_in(&mut self, payload: PayloadMessage) -> AgentMessage {
        for task in payload.tasks {
            self.assign(task);
        }
        AgentMessage::Ack(AckRequest {
            cluster: self.spec.cluster.clone(),
            container_instance: self.instance.clone().unwrap_or_default(),
            message_id: payload.message_id,
        })
    }

    fn assign(&mut self, task: acs::Task) {
        self.tell(AgentEvent::Told {
            instance: self.instance.clone().unwrap_or_default(),
            task: task.arn.clone(),
            desired_status: task.desired_status.clone(),
        });
        if matches!(self.spec.work, Work::TakeIn) {
            return;
        }
        let is_to_stop = task.desired_status == "STOPPED";
        if let Some(known) = self.tasks.get(&task.arn) {
            if is_to_stop {
                known.send_replace(true);
            }
            return;
        }
        let (stop, stopping) = watch::channel(is_to_stop);
        self.tasks.insert(task.arn.clone(), stop);
        let run = TaskRun {
            client: self.client.clone(),
            events: self.events.clone(),
            slots: self.slots.clone(),
            connections: self.connections.subscribe(),
            stopping,
            cluster: self.spec.cluster.clone(),
            arn: task.arn,
            containers: task.containers.into_iter().map(|it| it.name).collect(),
            lifetime: self.lifetime(),
            is_clumsy: self.spec.is_clumsy && self.random.one_in(4),
        };
        self.runs.spawn(run.run());
    }

    fn lifetime(&mut self) -> Option<Duration> {
        match self.spec.work {
            Work::TakeIn | Work::Run => None,
            Work::RunFor { least, most } => {
                let micros = |it: Duration| u64::try_from(it.as_micros()).unwrap_or(u64::MAX);
                Some(Duration::from_micros(self.random.between(micros(least), micros(most))))
            }
        }
    }
}

/// The registration of an agent, new or once more as the instance of this ARN.
pub(crate) fn registration(
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
    ecs::RegisterContainerInstanceRequest {
        cluster: Some(spec.cluster.clone()),
        container_instance_arn: instance,
        instance_identity_document: Some(String::new()),
        instance_identity_document_signature: Some(String::new()),
        total_resources: Some(vec![
            integer("CPU", spec.cpu_units),
            integer("MEMORY", spec.memory_mib),
            ports("PORTS", &spec.reserved_ports),
            ports("PORTS_UDP", &[]),
        ]),
        attributes: Some(vec![ecs::Attribute {
            name: Some("ecs.os-type".into()),
            value: Some("linux".into()),
            ..ecs::Attribute::default()
        }]),
        ..ecs::RegisterContainerInstanceRequest::default()
    }
}
