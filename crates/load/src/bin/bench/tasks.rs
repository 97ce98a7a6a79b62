//! Durable RunTask calls for ten tasks each: how many tasks a second, and how long a call takes in
//! units of fsyncs of the same disk at the same time.

use std::time::{Duration, Instant};

use longshore_load::Usage;
use longshore_wire::ecs;
use tokio::time::{MissedTickBehavior, interval};

use crate::Setting;
use crate::figures::{Figures, Goal, Table, millis};
use crate::fsync::Fsync;
use crate::world::{TASKS_A_CALL, Work, World, run_ten};

/// Of each burst.
const TASKS: u32 = 20_000;

/// 400 tasks a second.
const PACE: Duration = Duration::from_millis(25);

/// Calls at that pace in each repeat.
const PACED_CALLS: usize = 200;

pub(crate) async fn measure(setting: &Setting, table: &mut Table) -> anyhow::Result<()> {
    for (work, name) in [(Work::TakeIn, "agents acknowledge"), (Work::Run, "agents report RUNNING")]
    {
        bursts(setting, table, work, name).await?;
    }
    for (work, name) in [(Work::TakeIn, "agents acknowledge"), (Work::Run, "agents report RUNNING")]
    {
        paced(setting, table, work, name).await?;
    }
    Ok(())
}

/// A burst of calls.
struct Burst {
    /// Milliseconds of one, before it.
    fsync: f64,
    /// Until the last call was answered.
    answered: Duration,
    /// Until the last report was acknowledged.
    reported: Duration,
    server_cpu: Duration,
    /// Of callers and agents.
    own_cpu: Duration,
}

/// As fast as it goes, the callers and the agents being in this process.
async fn bursts(
    setting: &Setting,
    table: &mut Table,
    work: Work,
    name: &str,
) -> anyhow::Result<()> {
    let mut bursts = Vec::new();
    for _ in 0..setting.repeats {
        bursts.push(burst(setting, work).await?);
    }
    let of = |figure: &dyn Fn(&Burst) -> f64| bursts.iter().map(figure).collect::<Figures>();
    let of = |figure: &dyn Fn(&Burst) -> f64| of(figure).median();
    let tasks = f64::from(TASKS);
    let a_task = |it: Duration| it.as_secs_f64() * 1e6 / tasks;
    let a_second = |it: Duration| tasks / it.as_secs_f64();
    let rate = of(&|it| a_second(it.answered));
    table.add(format!("RunTask, {name}"), Goal::AtLeast(4000.0), rate, "tasks/s");
    let rate = of(&|it| a_second(it.reported));
    table.add("  until all RUNNING reports are acknowledged", Goal::None, rate, "tasks/s");
    table.add("  fsync just before", Goal::None, of(&|it| it.fsync), "ms");
    let in_one = of(&|it| a_second(it.answered) * it.fsync / 1000.0);
    table.add("  tasks in the time of one fsync", Goal::None, in_one, "");
    table.add("  CPU of the server a task", Goal::None, of(&|it| a_task(it.server_cpu)), "us");
    table.add("  CPU of callers and agents a task", Goal::None, of(&|it| a_task(it.own_cpu)), "us");
    Ok(())
}

async fn burst(setting: &Setting, work: Work) -> anyhow::Result<Burst> {
    let fsync = Fsync::create(&setting.dir)?.several(200)?.median();
    let mut world = World::begin(setting, work).await?;
    let own = Usage::of(std::process::id())?.cpu;
    let (server, since) = (world.usage()?.cpu, Instant::now());
    let answered = world.run_tasks(TASKS).await?;
    if work == Work::Run {
        world.reported(TASKS).await?;
    }
    Ok(Burst {
        fsync,
        answered,
        reported: since.elapsed(),
        server_cpu: world.usage()?.cpu.saturating_sub(server),
        own_cpu: Usage::of(std::process::id())?.cpu.saturating_sub(own),
    })
}

/// One call each 25 ms, an fsync and a call that only reads between each two.
async fn paced(setting: &Setting, table: &mut Table, work: Work, name: &str) -> anyhow::Result<()> {
    let (mut writes, mut reads, mut fsyncs, mut ratios) = (vec![], vec![], vec![], vec![]);
    let mut cpu = Vec::new();
    for _ in 0..setting.repeats {
        let mut fsync = Fsync::create(&setting.dir)?;
        let world = World::begin(setting, work).await?;
        let before = world.usage()?.cpu;
        let (mut write, mut read, mut sync) = (vec![], vec![], vec![]);
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..PACED_CALLS {
            pace.tick().await;
            let since = Instant::now();
            run_ten(&world.client).await?;
            write.push(since.elapsed());
            // The agents' reports are over by then.
            tokio::time::sleep(PACE / 2).await;
            let since = Instant::now();
            world.client.call(&ecs::DescribeClustersRequest::default()).await?;
            read.push(since.elapsed());
            sync.push(fsync.once()?);
        }
        let calls = f64::from(u32::try_from(PACED_CALLS)? * TASKS_A_CALL);
        let used = world.usage()?.cpu.saturating_sub(before);
        cpu.push(used.as_secs_f64() * 1e6 / calls);
        let (write, read, sync) = (millis(&write), millis(&read), millis(&sync));
        ratios.push(write.median() / sync.median());
        writes.push(write.median());
        reads.push(read.median());
        fsyncs.push(sync.median());
    }
    let median = |figures: Vec<f64>| figures.into_iter().collect::<Figures>().median();
    let what = format!("RunTask at 400 tasks/s, {name}, p50");
    table.add(what, Goal::AtMost(2.0), median(ratios), "fsyncs");
    table.add("  the call", Goal::None, median(writes), "ms");
    table.add("  a call that only reads", Goal::None, median(reads), "ms");
    table.add("  fsync between the calls", Goal::None, median(fsyncs), "ms");
    table.add("  CPU of the server a task", Goal::None, median(cpu), "us");
    Ok(())
}
