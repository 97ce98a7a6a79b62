//! `kill -9` at random moments under load. After it, everything acknowledged must be there,
//! nothing twice, nothing over-committed, and no status may have gone back.

mod audit;
mod ledger;
mod load;
mod seen;
mod takes;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::sync::{RwLock, mpsc};
use tokio::task::JoinSet;

use crate::server_process::{ServerOptions, ServerProcess};
use audit::{Audit, Scope};
use ledger::Ledger;
use load::{CLUSTER, Load};
use longshore_simulated_fleet::{
    AgentEvent, AgentSpec, Client, Limits, Plan, Random, SimulatedAgent, SimulatedFleet, Span,
};

pub use ledger::Counts;

const AGENTS: u64 = 4;
const CALLERS: usize = 6;

/// How long tasks run by themselves.
const LIFETIMES: Span = Span { least: Duration::from_millis(1), most: Duration::from_millis(400) };

/// Everything ever acknowledged is read again after so many kills, and at the end.
const FULL_AUDIT_EVERY: u32 = 100;

/// How long tasks may take to end when nothing disturbs any more.
const CALM: Duration = Duration::from_secs(60);

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct KillPlan {
    /// How many times the server is killed.
    pub kills: u32,
    /// Of the moments and of the load.
    pub seed: u64,
    /// After this kill the state is put back to what it was after the kill before: a server that
    /// forgets, which must be found out.
    pub forget_at: Option<u32>,
}

/// What was done; everything was found well.
#[derive(Clone, Debug)]
pub struct KillSummary {
    /// How many times the server was killed.
    pub kills: u32,
    /// Some of them while it was starting.
    pub kills_at_start: u32,
    /// What it had acknowledged.
    pub counts: Counts,
    /// From spawning the process to its ready line, one after another.
    pub starts: Vec<Duration>,
}

/// Carries out the plan.
///
/// # Errors
/// What was found wrong, with the seed.
pub async fn run(plan: KillPlan) -> anyhow::Result<KillSummary> {
    let trial = Trial::begin(plan).await?;
    trial.run().await.with_context(|| format!("with seed {} (LONGSHORE_SEED)", plan.seed))
}

struct Trial {
    plan: KillPlan,
    random: Random,
    server: ServerProcess,
    /// Not behind the gate: the audit's own.
    client: Client,
    /// Whoever holds it for writing keeps callers and agents silent.
    gate: Arc<RwLock<()>>,
    ledger: Arc<Mutex<Ledger>>,
    load: Arc<Load>,
    callers: JoinSet<()>,
    _fleet: SimulatedFleet,
    agents: Vec<SimulatedAgent>,
    events: mpsc::UnboundedReceiver<AgentEvent>,
    kills: u32,
    kills_at_start: u32,
    starts: Vec<Duration>,
}

impl Trial {
    async fn begin(plan: KillPlan) -> anyhow::Result<Self> {
        let mut random = Random::new(plan.seed);
        let server = ServerProcess::start(ServerOptions::server()).await?;
        let client = server.client()?;
        let gate = Arc::new(RwLock::new(()));
        let gated = client.behind(Arc::clone(&gate));
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let load = Arc::new(Load {
            client: gated.clone(),
            ledger: Arc::clone(&ledger),
            is_over: AtomicBool::new(false),
            serial: AtomicU64::new(0),
        });
        let (tell, events) = mpsc::unbounded_channel();
        let fleet = SimulatedFleet::new(gated, CLUSTER, Limits::default(), tell);
        let agents = (0..AGENTS).map(|_| {
            // Small enough that the instances are full most of the time.
            let spec = AgentSpec {
                cpu_units: 4096,
                memory_mib: 6144,
                is_clumsy: true,
                seed: random.bits(),
                ..AgentSpec::boundless(Some(Plan { runs_for: Some(LIFETIMES), ..Plan::RUN }))
            };
            fleet.add(spec)
        });
        let agents: Vec<_> = agents.collect();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(Arc::clone(&load).run(random.fork()));
        }
        Ok(Self {
            plan,
            random,
            server,
            client,
            gate,
            ledger,
            load,
            callers,
            _fleet: fleet,
            agents,
            events,
            kills: 0,
            kills_at_start: 0,
            starts: Vec::new(),
        })
    }

    async fn run(mut self) -> anyhow::Result<KillSummary> {
        let mut audited_in_full = 0;
        while self.kills < self.plan.kills {
            tokio::time::sleep(self.moment(5_000, 200_000)).await;
            self.server.kill();
            self.kills += 1;
            self.forget()?;
            if self.random.one_in(4) {
                // Callers and agents knock all the while.
                self.restart().await?;
                continue;
            }
            let gate = Arc::clone(&self.gate);
            let _quiet = gate.write().await;
            self.restart().await?;
            let full = self.kills / FULL_AUDIT_EVERY > audited_in_full;
            if full {
                audited_in_full = self.kills / FULL_AUDIT_EVERY;
            }
            self.audit(if full { Scope::Everything } else { Scope::Recent }).await?;
        }
        self.calm_down().await?;
        let counts = self.ledger().counts;
        let enough = u64::from(self.plan.kills);
        if counts.tasks < enough || counts.stops < enough / 4 || counts.reports < enough {
            bail!("there was hardly any load: {counts:?}");
        }
        self.server.terminate().await?;
        let Self { kills, kills_at_start, starts, .. } = self;
        Ok(KillSummary { kills, kills_at_start, counts, starts })
    }

    fn moment(&mut self, least_micros: u64, most_micros: u64) -> Duration {
        Duration::from_micros(self.random.between(least_micros, most_micros))
    }

    /// Starts the server again; sometimes it is killed while it starts.
    async fn restart(&mut self) -> anyhow::Result<()> {
        while self.kills < self.plan.kills && self.random.one_in(6) {
            self.server.begin()?;
            tokio::time::sleep(self.moment(0, 30_000)).await;
            self.server.kill();
            self.kills += 1;
            self.kills_at_start += 1;
        }
        self.starts.push(self.server.restart().await?);
        Ok(())
    }

    fn forget(&self) -> anyhow::Result<()> {
        let Some(forget_at) = self.plan.forget_at else { return Ok(()) };
        let state = self.server.data_dir().join("longshore.redb");
        let copy = self.server.data_dir().join("load-copy.redb");
        if self.kills < forget_at {
            fs::copy(state, copy)?;
        } else if copy.exists() {
            fs::rename(copy, state)?;
        }
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// While nobody else calls.
    async fn audit(&mut self, scope: Scope) -> anyhow::Result<()> {
        while let Ok(event) = self.events.try_recv() {
            self.ledger().heard(event, CLUSTER);
        }
        let audit = Audit { client: &self.client, ledger: &self.ledger };
        audit.run(scope).await.with_context(|| self.server.log())?;
        let findings = self.ledger().findings();
        if !findings.is_empty() {
            let some = findings.iter().take(10).cloned().collect::<Vec<_>>().join("\n\n");
            bail!(
                "after {} kills {} things are wrong:\n{some}\n\nthe server's log:\n{}",
                self.kills,
                findings.len(),
                self.server.log()
            );
        }
        Ok(())
    }

    /// Without load every task ends by itself, and then nothing is taken of any instance.
    async fn calm_down(&mut self) -> anyhow::Result<()> {
        self.load.is_over.store(true, Ordering::Relaxed);
        while self.callers.join_next().await.is_some() {}
        for agent in &mut self.agents {
            agent.connected(1).await;
        }
        let since = Instant::now();
        loop {
            {
                let gate = Arc::clone(&self.gate);
                let _quiet = gate.write().await;
                self.audit(Scope::Recent).await?;
                if self.ledger().live().is_empty() {
                    return self.audit(Scope::Everything).await;
                }
            }
            if since.elapsed() > CALM {
                let live = self.ledger().live().clone();
                bail!("{} tasks have not ended after {CALM:?}: {live:?}", live.len());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
