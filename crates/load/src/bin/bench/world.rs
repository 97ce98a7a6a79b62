//! A server with simulated agents, and callers of RunTask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use longshore_load::{
    AgentEvent, AgentSpec, Client, Limits, Plan, ServerOptions, ServerProcess, SimulatedAgent,
    SimulatedFleet, Usage,
};
use longshore_wire::ecs;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Setting;

/// Unless somebody says otherwise.
const AGENTS: u64 = 10;

/// Calls that are under way at once.
const CALLERS: u32 = 16;

/// The most tasks that one RunTask call makes.
pub(crate) const TASKS_A_CALL: u32 = 10;

/// How long agents may take to report what they were told.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the agents do with tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Acknowledge them, and report nothing.
    TakeIn,
    /// Report them RUNNING.
    Run,
}

pub(crate) struct World {
    pub(crate) server: ServerProcess,
    pub(crate) client: Client,
    fleet: Option<SimulatedFleet>,
    agents: Vec<SimulatedAgent>,
    events: mpsc::UnboundedReceiver<AgentEvent>,
    reported: u32,
}

impl World {
    pub(crate) async fn begin(setting: &Setting, work: Work) -> anyhow::Result<Self> {
        Self::with_agents(setting, work, AGENTS).await
    }

    pub(crate) async fn with_agents(
        setting: &Setting,
        work: Work,
        agents: u64,
    ) -> anyhow::Result<Self> {
        let parent_dir = Some(setting.dir.clone());
        let options = ServerOptions { parent_dir, ..ServerOptions::server() };
        let server = ServerProcess::start(options).await?;
        let client = server.client()?;
        let (tell, events) = mpsc::unbounded_channel();
        let fleet = SimulatedFleet::new(client.clone(), "default", Limits::default(), tell);
        let agent = |seed| {
            let plan = (work == Work::Run).then_some(Plan::RUN);
            fleet.add(AgentSpec { seed, ..AgentSpec::boundless(plan) })
        };
        let mut agents: Vec<_> = (0..agents).map(agent).collect();
        for agent in &mut agents {
            agent.connected(1).await;
        }
        client.call(&definition()).await?;
        Ok(Self { server, client, fleet: Some(fleet), agents, events, reported: 0 })
    }

    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.server.pid().unwrap_or_default())
    }

    /// Runs so many tasks, as fast as they are acknowledged.
    pub(crate) async fn run_tasks(&self, tasks: u32) -> anyhow::Result<Duration> {
        let since = Instant::now();
        let left = Arc::new(AtomicU32::new(tasks / TASKS_A_CALL));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (client, left) = (self.client.clone(), Arc::clone(&left));
            callers.spawn(async move {
                let take = |it: u32| it.checked_sub(1);
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                    run_ten(&client).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended??;
        }
        Ok(since.elapsed())
    }

    /// Waits until the agents' reports of so many tasks since the beginning were acknowledged.
    pub(crate) async fn reported(&mut self, tasks: u32) -> anyhow::Result<()> {
        while self.reported < tasks {
            match tokio::time::timeout(PATIENCE, self.events.recv()).await {
                Ok(Some(AgentEvent::Reported { .. })) => self.reported += 1,
                Ok(Some(AgentEvent::Refused { what })) => bail!("an agent was refused: {what}"),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => bail!("{} of {tasks} tasks were reported", self.reported),
            }
        }
        Ok(())
    }

    /// Ends the agents and their part of this process; the server stays.
    pub(crate) fn dismiss_agents(&mut self) {
        self.agents.clear();
        self.fleet = None;
    }
}

/// The definition of every task: of one container, and as little as a task may take.
pub(crate) fn definition() -> ecs::RegisterTaskDefinitionRequest {
    let container = ecs::ContainerDefinition {
        name: Some("main".into()),
        image: Some("image".into()),
        cpu: Some(1),
        memory: Some(4),
        ..ecs::ContainerDefinition::default()
    };
    ecs::RegisterTaskDefinitionRequest {
        family: Some("bench".into()),
        container_definitions: Some(vec![container]),
        ..ecs::RegisterTaskDefinitionRequest::default()
    }
}

/// For so many tasks of that definition.
pub(crate) fn run_request(tasks: u32) -> ecs::RunTaskRequest {
    ecs::RunTaskRequest {
        task_definition: Some("bench".into()),
        count: i32::try_from(tasks).ok(),
        ..ecs::RunTaskRequest::default()
    }
}

/// One call for ten tasks.
pub(crate) async fn run_ten(client: &Client) -> anyhow::Result<()> {
    let answer = client.call(&run_request(TASKS_A_CALL)).await?;
    if answer.tasks.as_ref().map(Vec::len) != usize::try_from(TASKS_A_CALL).ok() {
        bail!("not all tasks were placed: {:?}", answer.failures);
    }
    Ok(())
}
