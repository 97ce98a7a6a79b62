//! Real tasks on a real Docker Engine while agent and server are killed at random moments. No
//! container that is to run may be stopped, restarted or made twice by it, none may be left behind,
//! and every end must be told as Docker knows it.

mod audit;
mod containers;
mod ledger;
mod load;
mod registry;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use longshore_simulated_fleet::{Client, Random};
use longshore_wire::ecs;
use tokio::task::JoinSet;

use crate::agent_process::AgentProcess;
use crate::server_process::{ServerOptions, ServerProcess};
use audit::{Audit, Scope};
use containers::{Containers, Snapshot};
use ledger::Ledger;
use load::Load;
use registry::Registry;

pub use ledger::Counts;

const CALLERS: usize = 2;

/// All tasks that ever were are looked for after so many faults, and at the end.
const FULL_AUDIT_EVERY: u32 = 50;

/// How long tasks may take to be where they should be when nothing disturbs any more.
const CALM: Duration = Duration::from_secs(90);

/// As an agent's option says it: how long the containers of a task stay after its end.
const CLEANUP_WAIT: &str = "10s";

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct FaultPlan {
    /// How many times the agent is killed.
    pub agent_kills: u32,
    /// How many times the server is killed, and stays away for a while.
    pub server_outages: u32,
    /// Of the moments and of the load.
    pub seed: u64,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reached {
    /// Kills of the agent.
    pub agent_kills: u32,
    /// Some of them before it was connected.
    pub agent_kills_at_start: u32,
    /// Kills of the server.
    pub server_outages: u32,
    /// What went on meanwhile.
    pub counts: Counts,
}

/// What was done; everything was found well.
#[derive(Clone, Debug)]
pub struct FaultSummary {
    /// All of it.
    pub reached: Reached,
    /// From spawning the agent until it is connected, while the server was there.
    pub agent_starts: Vec<Duration>,
}

/// Carries out the plan on the Docker Engine of `DOCKER_HOST`, or the usual one, with the image
/// `longshore-probe:latest`. Tells how far it has come after each fault.
///
/// # Errors
/// What was found wrong, with the seed.
pub async fn run(plan: FaultPlan, tell: impl Fn(Reached)) -> anyhow::Result<FaultSummary> {
    let seed = plan.seed;
    let ran = async { Trial::begin(plan).await?.run(&tell).await };
    ran.await.with_context(|| format!("with seed {seed} (LONGSHORE_SEED)"))
}

struct Trial {
    plan: FaultPlan,
    random: Random,
    client: Client,
    ledger: Arc<Mutex<Ledger>>,
    load: Arc<Load>,
    callers: JoinSet<()>,
    reached: Reached,
    agent_starts: Vec<Duration>,
    // In the order of their ends: nobody makes a container once those there are removed.
    agent: AgentProcess,
    server: ServerProcess,
    containers: Containers,
    _registry: Registry,
}

impl Trial {
    async fn begin(plan: FaultPlan) -> anyhow::Result<Self> {
        let mut random = Random::new(plan.seed);
        let cluster = format!("faults-{:016x}", Random::new(random.bits()).bits());
        let containers = Containers::of(&cluster)?;
        let registry = Registry::start(&containers).await?;
        let server = ServerProcess::start(ServerOptions::server()).await?;
        let client = server.client()?;
        load::prepare(&client, &cluster, registry.image()).await?;
        let options = [
            "--cluster",
            &cluster,
            "--stop-timeout",
            "2s",
            "--task-cleanup-wait",
            CLEANUP_WAIT,
            "--image-pull-behavior",
            "default",
        ];
        let mut agent = AgentProcess::of(&server, &options)?;
        agent.begin()?;
        agent.connected().await?;
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let load = Arc::new(Load {
            client: client.clone(),
            cluster,
            ledger: Arc::clone(&ledger),
            is_over: AtomicBool::new(false),
        });
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(Arc::clone(&load).run(random.fork()));
        }
        Ok(Self {
            plan,
            random,
            client,
            ledger,
            load,
            callers,
            reached: Reached::default(),
            agent_starts: Vec::new(),
            agent,
            server,
            containers,
            _registry: registry,
        })
    }

    async fn run(mut self, tell: &impl Fn(Reached)) -> anyhow::Result<FaultSummary> {
        loop {
            let kills = self.plan.agent_kills.saturating_sub(self.reached.agent_kills);
            let outages = self.plan.server_outages.saturating_sub(self.reached.server_outages);
            let Some(last) = (kills + outages).checked_sub(1) else { break };
            self.pause(50, 600).await;
            let before = self.containers.look().await?;
            if self.random.between(0, last.into()) < outages.into() {
                self.server_outage().await?;
            } else {
                self.agent_kill().await?;
            }
            let faults = self.reached.agent_kills + self.reached.server_outages;
            let full = faults.is_multiple_of(FULL_AUDIT_EVERY);
            self.audit(&before, if full { Scope::Everything } else { Scope::Recent }).await?;
            let counts = self.ledger().counts();
            self.reached.counts = counts;
            tell(self.reached);
        }
        self.calm_down().await?;
        self.agent.terminate().await?;
        self.server.terminate().await?;
        let counts = self.ledger().counts();
        self.reached.counts = counts;
        Ok(FaultSummary { reached: self.reached, agent_starts: self.agent_starts })
    }

    async fn pause(&mut self, least_millis: u64, most_millis: u64) {
        let millis = self.random.between(least_millis, most_millis);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// Kills the agent, perhaps once more while it starts, and waits until it is connected.
    async fn agent_kill(&mut self) -> anyhow::Result<()> {
        self.agent.kill();
        self.reached.agent_kills += 1;
        if self.random.one_in(4) {
            // Tasks end while nobody looks.
            self.pause(0, 800).await;
        }
        self.agent.begin()?;
        while self.reached.agent_kills < self.plan.agent_kills && self.random.one_in(5) {
            self.pause(0, 120).await;
            self.agent.kill();
            self.reached.agent_kills += 1;
            self.reached.agent_kills_at_start += 1;
            self.agent.begin()?;
        }
        self.agent_starts.push(self.agent.connected().await?);
        Ok(())
    }

    /// Kills the server, and starts it again after a while in which the agent may be killed too.
    async fn server_outage(&mut self) -> anyhow::Result<()> {
        self.server.kill();
        self.reached.server_outages += 1;
        self.pause(0, 700).await;
        let also_the_agent = self.random.one_in(3);
        if also_the_agent && self.reached.agent_kills < self.plan.agent_kills {
            self.agent.begin()?;
            self.reached.agent_kills += 1;
            self.pause(0, 700).await;
        }
        self.server.restart().await?;
        // One that was started meanwhile says so only now.
        self.agent.connected().await?;
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn audit(&self, before: &Snapshot, scope: Scope) -> anyhow::Result<()> {
        let audit = Audit {
            client: &self.client,
            cluster: &self.load.cluster,
            ledger: &self.ledger,
            containers: &self.containers,
        };
        audit.run(before, scope).await?;
        let findings = self.ledger().take_findings();
        if !findings.is_empty() {
            bail!(
                "after {:?} {} things are wrong:\n{}\n\nthe agent's log:\n{}\n\nthe server's:\n{}",
                self.reached,
                findings.len(),
                findings.iter().take(10).cloned().collect::<Vec<_>>().join("\n\n"),
                self.agent.log(),
                self.server.log(),
            );
        }
        Ok(())
    }

    /// Without faults and load every task comes to be where it should be; stopped, it is told so,
    /// and nothing of it stays.
    async fn calm_down(&mut self) -> anyhow::Result<()> {
        self.load.is_over.store(true, Ordering::Relaxed);
        while self.callers.join_next().await.is_some() {}
        self.until("run or have ended", |ledger| ledger.all_run_or_have_ended()).await?;
        let live = self.ledger().live();
        for arn in live {
            self.ledger().stopping(&arn);
            let (cluster, task) = (Some(self.load.cluster.clone()), Some(arn));
            self.client.call(&ecs::StopTaskRequest { cluster, task, reason: None }).await?;
        }
        self.until("have ended", |ledger| ledger.live().is_empty()).await?;
        let since = Instant::now();
        loop {
            let left = self.containers.look().await?;
            if left.is_empty() {
                return Ok(());
            }
            if since.elapsed() > CALM {
                bail!(
                    "containers of ended tasks are still there after {CALM:?}: {left:#?}\n{}",
                    self.agent.log()
                );
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn until(&self, what: &str, holds: impl Fn(&Ledger) -> bool) -> anyhow::Result<()> {
        let since = Instant::now();
        loop {
            let before = self.containers.look().await?;
            self.audit(&before, Scope::Everything).await?;
            if holds(&self.ledger()) {
                return Ok(());
            }
            if since.elapsed() > CALM {
                let live = self.ledger().describe_live().into_iter().cloned().collect::<Vec<_>>();
                bail!(
                    "after {:?} not all tasks {what} within {CALM:?}: {live:#?}\n{}",
                    self.reached,
                    self.agent.log()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
