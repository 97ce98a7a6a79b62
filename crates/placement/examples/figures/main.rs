//! Measures placement on this machine: `cargo run --release -p longshore-placement --example figures`.
//!
//! Each row places tasks one call after another, ten a call, and tells the fleet after each call
//! what became of the instances, as the control plane does. A row is repeated five times; the
//! medians are shown. The naive figure is that of the plain scan, which looks at every instance for
//! each call, over fewer calls. What the state itself does for a task is in both.
//!
//! With an argument: only the rows at 10,000 instances whose names contain it.

mod clock;
mod workload;

use std::error::Error;
use std::time::Duration;

use clock::{Spent, Took, median, resident_kib};
use workload::{Workload, first_use, rows, too_large};

/// That of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

const REPEATS: usize = 5;

fn main() -> Outcome<()> {
    if let Some(part) = std::env::args().nth(1) {
        let all = std::iter::once(Workload::main(10_000)?).chain(rows(10_000)?);
        all.filter(|it| it.name.contains(&part)).try_for_each(|it| show(&it).map(drop))?;
        return Ok(());
    }
    // First of all: what was freed before could be taken again unseen.
    show_memory(10_000)?;
    println!("Medians of {REPEATS} repeats; CPU seconds of the measuring thread beside wall time.");
    println!(
        "`cold` begins with a fleet that was never asked: the first use of each definition is in"
    );
    println!("it, and of what they share. `warm` begins after a call of each.\n");
    println!(
        "{:<46} {:>9} {:>7} {:>9} {:>9} {:>11} {:>11} {:>9} {:>9}",
        "workload",
        "instances",
        "placed",
        "CPU s",
        "wall s",
        "cold/CPU-s",
        "warm/CPU-s",
        "naive",
        "goal"
    );
    let mut each = Vec::new();
    for instances in [10, 100, 1_000, 5_000, 10_000] {
        each.push((instances, show(&Workload::main(instances)?)?));
    }
    let of = |wanted| each.iter().find(|it| it.0 == wanted).map_or((f64::NAN, f64::NAN), |it| it.1);
    let ((few_cold, few_warm), (many_cold, many_warm)) = (of(10), of(10_000));
    println!(
        "a placement at 10,000 instances takes {:.2} times that at 10, {:.2} times when cold (goal: \
         at most 2)\n",
        few_warm / many_warm,
        few_cold / many_cold
    );
    for row in rows(10_000)? {
        show(&row)?;
    }
    println!();
    show_first_use(10_000)?;
    show_refused(10_000)
}

/// Prints a row; gives its rates, cold and warm.
fn show(row: &Workload) -> Outcome<(f64, f64)> {
    let (cold, placed) = measure(row, false)?;
    let (warm, placed_warm) = measure(row, true)?;
    let rates = (rate(placed, cold.cpu), rate(placed_warm, warm.cpu));
    println!(
        "{:<46} {:>9} {:>7} {:>9.4} {:>9.4} {:>11.0} {:>11.0} {:>9.0} {:>9}",
        row.name,
        row.instances(),
        placed,
        cold.cpu.as_secs_f64(),
        cold.wall.as_secs_f64(),
        rates.0,
        rates.1,
        naive(row)?,
        row.goal
    );
    Ok(rates)
}

/// The medians of some runs, and how many tasks each placed.
fn measure(row: &Workload, is_warm: bool) -> Outcome<(Took, usize)> {
    let (mut runs, mut placed) = (Vec::new(), 0);
    for repeat in 0..REPEATS as u64 {
        let mut bench = row.bench();
        if is_warm {
            bench.warm_up();
        }
        let before = Spent::now()?;
        placed = bench.run(row.tasks, repeat);
        runs.push(Spent::now()?.since(before));
    }
    let wall = median(runs.iter().map(|it| it.wall))?;
    let cpu = median(runs.iter().map(|it| it.cpu))?;
    Ok((Took { wall, cpu }, placed))
}

/// What the plain scan places in a CPU-second.
fn naive(row: &Workload) -> Outcome<f64> {
    let tasks = (1_000_000 / row.instances().max(1)).clamp(100, row.tasks);
    let mut rates = Vec::new();
    for repeat in 0..REPEATS as u64 {
        let mut bench = row.bench();
        let before = Spent::now()?;
        let placed = bench.run_naive(tasks, repeat);
        rates.push(Spent::now()?.since(before).cpu / placed.max(1) as u32);
    }
    Ok(rate(1, median(rates.into_iter())?))
}

/// What it takes to say of every instance why it refuses.
fn show_refused(instances: usize) -> Outcome<()> {
    let (row, definition) = (Workload::main(instances)?, too_large()?);
    let mut bench = row.bench();
    let mut each = Vec::new();
    for _ in 0..REPEATS {
        let before = Spent::now()?;
        (0..10).for_each(|_| bench.place_one(&definition));
        each.push(Spent::now()?.since(before).cpu / 10);
    }
    let took = median(each.into_iter())?;
    println!("a call that all {instances} instances refuse, with their reasons: {took:.1?} of CPU");
    Ok(())
}

/// What the process has grown by for each request that it keeps.
fn show_memory(instances: usize) -> Outcome<()> {
    const REQUESTS: usize = 500;
    let row = Workload::main(instances)?;
    let definitions = (0..REQUESTS).map(first_use).collect::<Result<Vec<_>, _>>()?;
    let mut bench = row.bench();
    let before = resident_kib()?;
    definitions.iter().for_each(|it| bench.place_one(it));
    let each = resident_kib()?.saturating_sub(before) / REQUESTS;
    println!("a standing request over {instances} instances takes {each} KiB of memory");
    Ok(())
}

/// What it takes to ask a new expression of all instances, in a call that places one task.
fn show_first_use(instances: usize) -> Outcome<()> {
    const EXPRESSIONS: usize = 100;
    let row = Workload::main(instances)?;
    let mut each = Vec::new();
    for repeat in 0..REPEATS {
        let mut bench = row.bench();
        let expressions = (0..EXPRESSIONS).map(|it| first_use(repeat * EXPRESSIONS + it));
        let expressions = expressions.collect::<Result<Vec<_>, _>>()?;
        let before = Spent::now()?;
        expressions.iter().for_each(|it| bench.place_one(it));
        each.push(Spent::now()?.since(before).cpu / EXPRESSIONS as u32);
    }
    let took = median(each.into_iter())?;
    println!(
        "first use of an expression over {instances} instances: {took:.1?} of CPU for a call that \
         places one task, {:.0} instance checks a CPU-second (goal: 20,000,000)",
        rate(instances, took)
    );
    Ok(())
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
