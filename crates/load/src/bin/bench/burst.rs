//! Many tasks at once on one machine: 100 RunTask calls until all are RUNNING, against create and
//! start of as many containers straight on the Docker Engine with each of several concurrencies, and
//! against a service of Docker Swarm mode. All of them use one engine that is made for the occasion.
//!
//! The best concurrency is found first. Then the three take turns, so that whatever else the machine
//! does meets each of them, and each ratio is of neighbours in time.

mod engine;
mod ours;
mod straight;
mod swarm;

use std::time::{Duration, Instant};

use longshore_load::Usage;

use crate::Setting;
use crate::figures::{Figures, Goal, Table};
use engine::Engine;
use ours::Ours;

const IMAGE: &str = "longshore-probe:latest";

const TASKS: usize = 100;
const REPLICAS: usize = 50;

/// Of the Engine's calls under way at a time.
const CONCURRENCIES: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// Between two questions how many run, of which the answers take some CPU too.
const POLL: Duration = Duration::from_millis(100);

/// How long a wave may take.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn measure(setting: &Setting, table: &mut Table) -> anyhow::Result<()> {
    let engine = Engine::start().await?;
    let mut ours = Ours::start(setting, &engine).await?;
    let outcome = compare(setting, &engine, &ours, table).await;
    ours.end().await?;
    engine.end().await?;
    outcome
}

async fn compare(
    setting: &Setting,
    engine: &Engine,
    ours: &Ours,
    table: &mut Table,
) -> anyhow::Result<()> {
    let body = ours.body_of_a_task(engine).await?;
    // The first starts of an engine are slow.
    straight::start(engine, &body, TASKS, 4).await?;
    engine.clear().await?;

    let mut sweep = vec![Vec::new(); CONCURRENCIES.len()];
    for _ in 0..setting.repeats {
        for (concurrency, waves) in CONCURRENCIES.iter().zip(&mut sweep) {
            waves.push(straight::start(engine, &body, TASKS, *concurrency).await?);
            engine.clear().await?;
        }
    }
    let mut best = (0, 0.0);
    for (concurrency, waves) in CONCURRENCIES.iter().zip(&sweep) {
        let rate = median(waves, Wave::rate);
        let what = format!("  create and start, {concurrency} at a time");
        table.add(what, Goal::None, rate, "/s");
        table.add(
            "    CPU of the Engine for each",
            Goal::None,
            median(waves, Wave::engine_cpu),
            "ms",
        );
        if rate > best.1 {
            best = (*concurrency, rate);
        }
    }

    let (mut direct, mut tasks, mut half, mut swarm) =
        <(Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
    for repeat in 0..setting.repeats {
        // Neither of two is always the first.
        for turn in 0..4 {
            match (turn + repeat) % 4 {
                0 => direct.push(straight::start(engine, &body, TASKS, best.0).await?),
                1 => tasks.push(ours.run(engine, TASKS).await?),
                2 => swarm.push(swarm::run(engine, REPLICAS).await?),
                _ => half.push(ours.run(engine, REPLICAS).await?),
            }
            engine.clear().await?;
        }
    }
    let pairs = tasks.iter().zip(&direct);
    let by_engine: Figures = pairs.map(|(our, direct)| our.rate() / direct.rate()).collect();
    let what = format!("burst: {TASKS} RunTask, their rate by the Engine's best ({})", best.0);
    table.add(what, Goal::AtLeast(0.97), by_engine.median(), "times");
    let by = |ours: &[Wave], figure: fn(&Wave) -> f64, of_swarm: fn(&Wave) -> f64| -> f64 {
        let pairs = ours.iter().zip(&swarm);
        pairs.map(|(our, swarm)| figure(our) / of_swarm(swarm)).collect::<Figures>().median()
    };
    let what = "burst: median of 100 RunTask, by Swarm's 50 replicas";
    table.add(what, Goal::AtMost(0.6), by(&tasks, Wave::middle, Wave::whole), "times");
    let what = "  median of 50 RunTask, by Swarm's 50 replicas";
    table.add(what, Goal::None, by(&half, Wave::middle, Wave::whole), "times");
    let what = "  median of 50 RunTask, by the median of 50 replicas";
    table.add(what, Goal::None, by(&half, Wave::middle, Wave::middle), "times");
    let what = "  all of 50 RunTask, by all of 50 replicas";
    table.add(what, Goal::None, by(&half, Wave::whole, Wave::whole), "times");
    for (who, waves) in [
        ("100 straight", &direct),
        ("100 RunTask", &tasks),
        ("50 RunTask", &half),
        ("50 replicas", &swarm),
    ] {
        table.add(format!("  {who}: all"), Goal::None, median(waves, Wave::whole), "s");
        table.add("    the median", Goal::None, median(waves, Wave::middle), "s");
        table.add(
            "    the Engine's CPU for each",
            Goal::None,
            median(waves, Wave::engine_cpu),
            "ms",
        );
        table.add("    others' CPU for each", Goal::None, median(waves, Wave::own_cpu), "ms");
    }
    Ok(())
}

/// Many starts that were asked for at once.
#[derive(Clone, Debug)]
struct Wave {
    /// From the moment that the first was asked for until each ran, in order of time.
    ran_after: Vec<Duration>,
    /// Of the Engine with its containers.
    engine_cpu: Duration,
    /// Of whoever asked it: Longshore, or this process. Swarm mode is part of the Engine.
    own_cpu: Duration,
}

impl Wave {
    /// Starts a second.
    fn rate(&self) -> f64 {
        self.ran_after.len() as f64 / self.whole()
    }

    /// Seconds until all ran.
    fn whole(&self) -> f64 {
        self.ran_after.last().map_or(f64::NAN, Duration::as_secs_f64)
    }

    /// Seconds until half of them ran.
    fn middle(&self) -> f64 {
        let middle = (self.ran_after.len() / 2).saturating_sub(1);
        self.ran_after.get(middle).map_or(f64::NAN, Duration::as_secs_f64)
    }

    /// Milliseconds for each.
    fn engine_cpu(&self) -> f64 {
        self.engine_cpu.as_secs_f64() * 1000.0 / self.ran_after.len() as f64
    }

    /// Milliseconds for each.
    fn own_cpu(&self) -> f64 {
        self.own_cpu.as_secs_f64() * 1000.0 / self.ran_after.len() as f64
    }
}

fn median(waves: &[Wave], figure: fn(&Wave) -> f64) -> f64 {
    waves.iter().map(figure).collect::<Figures>().median()
}

/// Takes the time and the CPU of a wave.
struct Clock {
    since: Instant,
    ran_after: Vec<Duration>,
    engine_before: Duration,
    own_before: Duration,
    own_pid: Option<u32>,
}

impl Clock {
    /// `own_pid` is whoever asks the Engine, if it is not the Engine itself.
    fn start(engine: &Engine, own_pid: Option<u32>) -> anyhow::Result<Self> {
        Ok(Self {
            since: Instant::now(),
            ran_after: Vec::new(),
            engine_before: engine.cpu()?,
            own_before: cpu_of(own_pid)?,
            own_pid,
        })
    }

    /// So many run now.
    fn saw(&mut self, running: usize) {
        let now = self.since.elapsed();
        self.ran_after.resize(running.max(self.ran_after.len()), now);
    }

    fn stop(self, engine: &Engine) -> anyhow::Result<Wave> {
        Ok(Wave {
            ran_after: self.ran_after,
            engine_cpu: engine.cpu()?.saturating_sub(self.engine_before),
            own_cpu: cpu_of(self.own_pid)?.saturating_sub(self.own_before),
        })
    }
}

fn cpu_of(pid: Option<u32>) -> anyhow::Result<Duration> {
    pid.map_or(Ok(Duration::ZERO), |it| Ok(Usage::of(it)?.cpu))
}
