//! Figures of a real server, each beside what it is to be compared with, measured in the same run.
//!
//!     cargo build --release -p longshore-cli && cargo run --release -p longshore-load --bin bench -- all

mod burst;
mod busy;
mod faults;
mod figures;
mod fleet;
mod fsync;
mod kills;
mod memory;
mod scale;
mod start;
mod tasks;
mod versus;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use figures::Table;

/// Measures `longshore`, the one beside this binary or in LONGSHORE_BIN.
#[derive(Parser)]
struct Arguments {
    /// What to measure.
    benchmark: Benchmark,

    /// How often each measurement is taken; the median counts.
    #[arg(long, default_value_t = 5)]
    repeats: u32,

    /// On which disk: the directory that data directories are made in.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,

    /// How many tasks, for `fleet` and `scale`.
    #[arg(long, default_value_t = 2_000_000)]
    tasks: u32,

    /// How many simulated agents, for `fleet` and `scale`.
    #[arg(long, default_value_t = 6_100)]
    agents: u32,

    /// How many seconds a task of `fleet` runs before it ends by itself, such as 5 or 5-10; they run
    /// to the end when not given.
    #[arg(long, value_name = "A-B")]
    runs_for: Option<String>,

    /// How long the server of `fleet` keeps what has ended, such as 10s.
    #[arg(long, value_name = "TIME")]
    keep_ended: Option<String>,

    /// Seconds after which `fleet` and `scale` start no more tasks and say how far they have come.
    #[arg(long, default_value_t = 1_200)]
    at_most_secs: u64,

    /// For how many seconds `busy` keeps the machine busy.
    #[arg(long, default_value_t = 600)]
    busy_secs: u64,

    /// The program `moto_server`, for `versus`; scripts/versus-moto installs it.
    #[arg(long)]
    moto: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// RunTask until RUNNING, against create and start straight on the Docker Engine.
    Start,
    /// 100 RunTask at once until all are RUNNING, against the Docker Engine's best rate and Docker
    /// Swarm mode, on an engine of its own; needs root.
    Burst,
    /// Durable RunTask calls: how many, and how long one takes in units of fsyncs.
    Tasks,
    /// Bytes of server memory a task.
    Memory,
    /// 2,000 times `kill -9` under load.
    Kills,
    /// 1,000 times `kill -9` of an agent with real tasks, and 100 outages of its server.
    Faults,
    /// An agent on a machine with nothing but work stays connected.
    Busy,
    /// The same calls to Longshore and to `moto_server`.
    Versus,
    /// RunTask with placement over thousands of simulated agents in a process of their own.
    Fleet,
    /// An idle fleet's cost, a call on a large fleet beside a small one, and all agents coming back.
    Scale,
    /// All of them but `burst`, `faults`, `busy`, `versus`, `fleet` and `scale`.
    All,
}

/// How and where to measure.
struct Setting {
    repeats: u32,
    dir: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let setting = Setting { repeats: arguments.repeats.max(1), dir: arguments.dir };
    let asked = |it| arguments.benchmark == it || arguments.benchmark == Benchmark::All;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = async {
        let mut table = Table::default();
        if asked(Benchmark::Start) {
            start::measure(&setting, &mut table).await?;
        }
        if asked(Benchmark::Tasks) {
            tasks::measure(&setting, &mut table).await?;
        }
        if asked(Benchmark::Memory) {
            memory::measure(&setting, &mut table).await?;
        }
        if asked(Benchmark::Kills) {
            kills::measure(&mut table).await?;
        }
        if arguments.benchmark == Benchmark::Burst {
            burst::measure(&setting, &mut table).await?;
        }
        if arguments.benchmark == Benchmark::Faults {
            faults::measure(&mut table).await?;
        }
        if arguments.benchmark == Benchmark::Busy {
            busy::measure(Duration::from_secs(arguments.busy_secs), &mut table).await?;
        }
        let size = fleet::Size {
            tasks: arguments.tasks,
            agents: arguments.agents,
            at_most: Duration::from_secs(arguments.at_most_secs),
            runs_for: arguments.runs_for,
            keep_ended: arguments.keep_ended,
        };
        if arguments.benchmark == Benchmark::Fleet {
            fleet::measure(&setting, &size, &mut table).await?;
        }
        if arguments.benchmark == Benchmark::Scale {
            scale::measure(&setting, &size, &mut table).await?;
        }
        if arguments.benchmark == Benchmark::Versus {
            versus::measure(&setting, arguments.moto.as_deref(), &mut table).await?;
        }
        anyhow::Ok(table)
    };
    // What is given up is dropped, and with it the servers that it has started.
    let table = runtime.block_on(async {
        tokio::select! {
            table = measured => table,
            told = told_to_end() => Err(told),
        }
    });
    runtime.shutdown_background();
    print!("\n{}", table?);
    Ok(())
}

async fn told_to_end() -> anyhow::Error {
    let interrupted = tokio::signal::ctrl_c();
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut it) => it.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupted => anyhow!("interrupted"),
        _ = terminated => anyhow!("terminated"),
    }
}
