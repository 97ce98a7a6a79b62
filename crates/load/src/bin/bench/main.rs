//! Figures of a real server, each beside what it is to be compared with, measured in the same run.
//!
//!     cargo build --release -p longshore-cli && cargo run --release -p longshore-load --bin bench -- all

mod figures;
mod kills;
mod memory;
mod start;
mod tasks;
mod world;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// RunTask until RUNNING, against create and start straight on the Docker Engine.
    Start,
    /// Durable RunTask calls: how many, and how long one takes in units of fsyncs.
    Tasks,
    /// Bytes of server memory a task.
    Memory,
    /// 2,000 times `kill -9` under load.
    Kills,
    /// All of them.
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
    let table = runtime.block_on(async {
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
        anyhow::Ok(table)
    });
    runtime.shutdown_background();
    print!("\n{}", table?);
    Ok(())
}
