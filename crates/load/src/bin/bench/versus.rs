//! The same calls by the same client to Longshore and to `moto_server`, in one run: how many times
//! as many a second. And DescribeTasks of 100 among a million tasks.
//!
//! Both begin each repeat anew with the same state, and take turns; a ratio is of two measurements
//! that follow one another, and what is shown is the median over the repeats. The client spends
//! next to nothing: it signs each request once and sends those bytes again and again. Longshore
//! checks the signature, writes to a journal on disk, and tells simulated agents of their tasks.

mod caller;
mod calls;
mod million;
mod moto;
mod report;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use longshore_load::Usage;
use tokio::task::{block_in_place, yield_now};

use crate::Setting;
use crate::figures::{Figures, Table};
use crate::fsync::Fsync;
use crate::world::{Work, World};
use caller::{Load, Outcome, drive};
use calls::{Call, Target};
use moto::Moto;
use report::{Pair, Report, Row, Side};

/// Container instances of either server.
const INSTANCES: u64 = 20;

/// Tasks of either server before the first measurement. moto's ListTasks has no pages and gives
/// all tasks there are, and its DescribeTasks looks at each of them: so many are what it likes best.
const TASKS: u32 = 100;

/// Callers, each with one request under way.
const CONNECTIONS: [usize; 2] = [1, 16];

/// Of one measurement, after a while that does not count.
const SPAN: Duration = Duration::from_millis(1000);
const WARM_UP: Duration = Duration::from_millis(150);

/// The most calls of one measurement.
const MOST_CALLS: usize = 100_000;

/// `moto_server` is given in the option `--moto`.
pub(crate) async fn measure(
    setting: &Setting,
    moto: Option<&Path>,
    table: &mut Table,
) -> anyhow::Result<()> {
    let moto =
        moto.context("scripts/versus-moto says where moto_server is; so does --moto PATH")?;
    let mut report = Report::default();
    for repeat in 0..setting.repeats {
        eprintln!("repeat {} of {}", repeat + 1, setting.repeats);
        let fsyncs = block_in_place(|| Fsync::create(&setting.dir)?.several(200))?;
        report.fsyncs.push(fsyncs.median());
        compare(setting, moto, repeat, &mut report).await?;
    }
    println!("{report}");
    million::measure(setting, table).await
}

/// Every call, once to either server.
async fn compare(
    setting: &Setting,
    moto: &Path,
    repeat: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let world = World::with_agents(setting, Work::TakeIn, INSTANCES).await?;
    let moto = Moto::start(moto, INSTANCES)?;
    moto.client()?.call(&crate::world::definition()).await?;
    let ours = Target::prepare(world.client.clone(), world.server.pid(), TASKS).await?;
    let theirs = Target::prepare(moto.client()?, Some(moto.pid()), TASKS).await?;
    for call in Call::ALL {
        for connections in CONNECTIONS {
            let measured = |target: &Target| block_in_place(|| one(target, call, connections));
            // Neither is always the first.
            let pair = if repeat.is_multiple_of(2) {
                let ours = measured(&ours)?;
                Pair { ours, theirs: measured(&theirs)? }
            } else {
                let theirs = measured(&theirs)?;
                Pair { ours: measured(&ours)?, theirs }
            };
            report.add(Row { call, connections }, pair);
            // Lets an interruption be noticed.
            yield_now().await;
        }
    }
    Ok(())
}

fn one(target: &Target, call: Call, connections: usize) -> anyhow::Result<Side> {
    let requests = [target.request(call)?];
    let address = target.address()?;
    let warm_up =
        Load { address, requests: &requests, connections, span: WARM_UP, most: MOST_CALLS };
    drive(&warm_up)?;
    let before = Usage::of(target.pid())?.cpu;
    let Outcome { wall, latencies, last } = drive(&Load { span: SPAN, ..warm_up })?;
    let cpu = Usage::of(target.pid())?.cpu.saturating_sub(before);
    for body in &last {
        call.check(body).with_context(|| format!("{call} of {}", target.name()))?;
    }
    if latencies.is_empty() {
        bail!("{call} was not answered within {SPAN:?}");
    }
    Ok(Side { wall, cpu, latencies })
}

/// The median of some figures.
fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    figures.into_iter().collect::<Figures>().median()
}
