//! Bytes of server memory a task: what the process has grown by since it was idle, its agents
//! connected. And how long a server with so many tasks takes to start.

use std::time::Duration;

use crate::Setting;
use crate::figures::{Figures, Goal, Table};
use crate::world::{Work, World};

const FEW: u32 = 10_000;
const MANY: u32 = 100_000;

/// For freed memory to be given back.
const SETTLE: Duration = Duration::from_secs(3);

pub(crate) async fn measure(setting: &Setting, table: &mut Table) -> anyhow::Result<()> {
    let mut repeats = Vec::new();
    for _ in 0..setting.repeats {
        repeats.push(once(setting).await?);
    }
    let of =
        |figure: &dyn Fn(&Repeat) -> f64| repeats.iter().map(figure).collect::<Figures>().median();
    table.add("memory of the idle server", Goal::None, of(&|it| it.idle / 1048576.0), "MiB");
    let goal = Goal::AtMost(1024.0);
    table.add("memory a task, 10,000 RUNNING tasks", goal, of(&|it| it.few), "bytes");
    table.add("memory a task, 100,000 RUNNING tasks", goal, of(&|it| it.many), "bytes");
    let further =
        of(&|it| (it.many * f64::from(MANY) - it.few * f64::from(FEW)) / f64::from(MANY - FEW));
    table.add("  each task beyond 10,000", Goal::None, further, "bytes");
    table.add("  CPU of the server a task", Goal::None, of(&|it| it.cpu_micros), "us");
    table.add("  a task, after a restart", Goal::None, of(&|it| it.restarted), "bytes");
    table.add("  start after SIGTERM", Goal::None, of(&|it| it.orderly_start), "s");
    table.add("  start after kill -9", Goal::None, of(&|it| it.start_after_kill), "s");
    Ok(())
}

struct Repeat {
    /// Bytes.
    idle: f64,
    /// Bytes a task.
    few: f64,
    /// Bytes a task.
    many: f64,
    /// Bytes a task.
    restarted: f64,
    cpu_micros: f64,
    /// Seconds.
    orderly_start: f64,
    /// Seconds.
    start_after_kill: f64,
}

async fn once(setting: &Setting) -> anyhow::Result<Repeat> {
    let mut world = World::begin(setting, Work::Run).await?;
    let idle = resident(&world).await?;
    let before = world.usage()?.cpu;
    world.run_tasks(FEW).await?;
    world.reported(FEW).await?;
    let few = (resident(&world).await? - idle) / f64::from(FEW);
    world.run_tasks(MANY - FEW).await?;
    world.reported(MANY).await?;
    let cpu = world.usage()?.cpu.saturating_sub(before);
    let many = (resident(&world).await? - idle) / f64::from(MANY);
    world.dismiss_agents();
    world.server.terminate().await?;
    let orderly_start = world.server.restart().await?.as_secs_f64();
    let restarted = (resident(&world).await? - idle) / f64::from(MANY);
    world.server.kill();
    let start_after_kill = world.server.restart().await?.as_secs_f64();
    let cpu_micros = cpu.as_secs_f64() * 1e6 / f64::from(MANY);
    Ok(Repeat { idle, few, many, restarted, cpu_micros, orderly_start, start_after_kill })
}

async fn resident(world: &World) -> anyhow::Result<f64> {
    tokio::time::sleep(SETTLE).await;
    Ok(world.usage()?.resident_bytes as f64)
}
