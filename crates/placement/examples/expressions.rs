//! What the first use of an expression costs over 10,000 instances: asked of each by itself, and of
//! all at once through the index. Medians of eleven runs, of five
//! for the hostile ones.
//!
//!     cargo run --release -p longshore-placement --example expressions

#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Instant;

use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    Attribute, ContainerInstance, InstanceId, InstanceStatus, Occupancy, Resources, Timestamp,
};
use longshore_placement::query::Index;
use longshore_placement::{Candidate, Query};

const INSTANCES: u32 = 10_000;
const RUNS: usize = 11;

const ROWS: [(&str, &str); 12] = [
    ("equality", "attribute:ecs.availability-zone == us-east-1b"),
    ("pattern", "attribute:ecs.instance-type =~ m5\\..*"),
    ("pattern, all values differ", "attribute:custom-0 =~ .*7.*"),
    ("list", "attribute:ecs.instance-type in [m5.large, c5.large, r5.4xlarge]"),
    ("order, all values differ", "attribute:custom-0 > 5000"),
    (
        "five, with not and or",
        "attribute:ecs.os-type == linux and not attribute:ecs.instance-type =~ t2.* and \
         (attribute:stack == prod or attribute:ecs.availability-zone != us-east-1a) and \
         attribute:ecs.capability.17 exists",
    ),
    ("very selective", "attribute:custom-0 == 4711"),
    ("unselective", "attribute:ecs.capability.3 exists"),
    ("a name of one instance", "attribute:only-on-4711 exists"),
    ("agentVersion", "agentVersion >= 1.50.2"),
    ("registeredAt", "registeredAt > 2018-06-18T22:28:28Z"),
    ("task:group", "task:group != service:web"),
];

fn main() {
    let candidates: Vec<_> = (0..INSTANCES).map(candidate).collect();
    let mut index = Index::new();
    let started = Cost::now();
    for (slot, it) in (0..).zip(&candidates) {
        index.follow(slot, Some(&it.instance));
    }
    let built = started.since();
    println!(
        "{INSTANCES} instances of 40 attributes; the index is built in {:.0} ms wall, {:.0} ms CPU.",
        built.wall * 1e3,
        built.cpu * 1e3
    );
    println!("A check is one expression asked of one instance. CPU beside wall, medians.");
    println!();
    println!(
        "| expression | true for | read, us | one by one, ns a check | CPU | all at once, ns a check | CPU | checks a CPU-second |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (name, text) in ROWS {
        row(name, text, &candidates, &index, RUNS, 20);
    }
    for (name, text) in hostile() {
        row(name, &text, &candidates, &index, 5, 1);
    }
}

/// Expressions that are as dear as they may be.
fn hostile() -> Vec<(&'static str, String)> {
    let values: Vec<_> = (0..385).map(|it| (5000 + it).to_string()).collect();
    vec![
        ("hostile: 385 values", format!("not attribute:custom-0 not_in [{}]", values.join(","))),
        (
            "hostile: 64 levels",
            format!("{}attribute:custom-0 > 5000{}", "!(".repeat(32), ")".repeat(32)),
        ),
        ("hostile: 60 orders", vec!["attribute:custom-0 > 1e9"; 60].join(" or ")),
        // Nearly as large as a pattern may be, and asked of 128 letters on each instance.
        ("hostile: 16 patterns", vec!["attribute:long =~ '.*1.{8}b'"; 16].join(" or ")),
    ]
}

fn row(
    name: &str,
    text: &str,
    candidates: &[Candidate],
    index: &Index,
    runs: usize,
    at_once: usize,
) {
    let parse = || Query::parse(text).expect("an expression");
    let read = median(runs, || drop(std::hint::black_box(parse())));
    // Each run reads the expression again: what a pattern learns while it is matched goes with it.
    let one_by_one = measured(runs, at_once, parse, |it: &Query| {
        candidates.iter().filter(|candidate| it.matches(candidate)).count()
    });
    let asked = parse();
    let found = candidates.iter().filter(|it| asked.matches(it)).count();
    let all =
        measured(runs, at_once, parse, |it: &Query| index.evaluate(it).map_or(0, |it| it.len()));
    // The wall's time is no less: it stands in where the processor's clock is too coarse.
    let spent = if all.cpu > 0.0 { all.cpu } else { all.wall };
    let ns = |seconds: f64| seconds * 1e9 / f64::from(INSTANCES);
    let (wall, cpu) = (ns(one_by_one.wall), ns(one_by_one.cpu));
    let read = read.wall * 1e6;
    match index.evaluate(&parse()) {
        Some(slots) => {
            assert_eq!(slots.len(), found, "{text}");
            println!(
                "| {name} | {found} | {read:.1} | {wall:.1} | {cpu:.1} | {:.2} | {:.2} | {:.0} M |",
                ns(all.wall),
                ns(spent),
                1e3 / ns(spent)
            );
        }
        None => println!(
            "| {name} | {found} | {read:.1} | {wall:.1} | {cpu:.1} | one by one | | {:.0} M |",
            1e3 / cpu
        ),
    }
}

/// What one evaluation costs, of several in a row.
fn measured(
    runs: usize,
    at_once: usize,
    parse: impl Fn() -> Query,
    evaluate: impl Fn(&Query) -> usize,
) -> Cost {
    // What the processor has run for is told in ticks of some milliseconds: many in a row.
    let started = Cost::now();
    std::hint::black_box(evaluate(&parse()));
    let at_once = at_once.max((0.02 / started.since().wall) as usize);
    let runs = (0..runs).map(|_| {
        let queries: Vec<_> = (0..at_once).map(|_| parse()).collect();
        let started = Cost::now();
        for query in &queries {
            std::hint::black_box(evaluate(query));
        }
        started.since().over(at_once)
    });
    middle(runs.collect())
}

fn median(runs: usize, work: impl Fn()) -> Cost {
    let runs = (0..runs).map(|_| {
        let started = Cost::now();
        work();
        started.since()
    });
    middle(runs.collect())
}

fn middle(mut runs: Vec<Cost>) -> Cost {
    let mut walls: Vec<f64> = runs.iter().map(|it| it.wall).collect();
    walls.sort_by(f64::total_cmp);
    runs.sort_by(|one, other| one.cpu.total_cmp(&other.cpu));
    Cost { wall: walls[walls.len() / 2], cpu: runs[runs.len() / 2].cpu }
}

/// Seconds of the wall's clock and of the processor.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

struct Start(Instant, f64);

impl Cost {
    fn now() -> Start {
        Start(Instant::now(), cpu_seconds())
    }

    fn over(self, runs: usize) -> Self {
        Self { wall: self.wall / runs as f64, cpu: self.cpu / runs as f64 }
    }
}

impl Start {
    fn since(&self) -> Cost {
        Cost { wall: self.0.elapsed().as_secs_f64(), cpu: cpu_seconds() - self.1 }
    }
}

/// What this thread, the only one, has run for: to the nanosecond, where the kernel says so.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|it| it.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

/// An instance with some 30 capabilities, what ECS itself says of each, and custom attributes, one
/// of which no other has.
fn candidate(number: u32) -> Candidate {
    let pick = |from: &[&'static str], by: u32| from[(number / by) as usize % from.len()];
    let mut attributes: Vec<_> =
        (0..28).map(|it| Attribute::named(format!("ecs.capability.{it}"))).collect();
    let zone = pick(&["us-east-1a", "us-east-1b", "us-east-1c"], 1);
    let kind = pick(&["t2.small", "m5.large", "m5.xlarge", "c5.large", "r5.4xlarge"], 3);
    attributes.push(Attribute::with_value("ecs.availability-zone", zone));
    attributes.push(Attribute::with_value("ecs.instance-type", kind));
    attributes.push(Attribute::with_value("ecs.os-type", "linux"));
    attributes.push(Attribute::with_value("ecs.ami-id", pick(&["ami-1", "ami-2"], 5000)));
    attributes.push(Attribute::with_value("stack", pick(&["prod", "test"], 7)));
    attributes.push(Attribute::with_value(format!("only-on-{number}"), "x"));
    attributes.push(Attribute::with_value("long", format!("{number:0128b}")));
    for it in 0..6 {
        attributes.push(Attribute::with_value(
            format!("custom-{it}"),
            (number / (it * it + 1)).to_string(),
        ));
    }
    let instance = ContainerInstance {
        id: InstanceId::from_bits(number.into()),
        arn_form: Default::default(),
        cluster: "default".parse().expect("a name"),
        status: InstanceStatus::Active,
        agent_connected: true,
        connected_at: None,
        away_since: None,
        version: 1,
        registered: Resources { cpu_units: 4096, memory_mib: 16384 },
        reserved_ports_tcp: BTreeSet::from([22, 2375, 2376, 51678]),
        reserved_ports_udp: BTreeSet::new(),
        attributes,
        ec2_instance_id: Some(format!("i-{number:017x}")),
        version_info: VersionInfo {
            agent_version: Some(format!("1.{}.{}", 40 + number % 20, number % 4)),
            ..VersionInfo::default()
        },
        registered_at: Timestamp::from_millis(1_529_000_000_000 + i64::from(number) * 100_000),
        deregistered_at: None,
        tags: Default::default(),
    };
    let mut occupancy = Occupancy::default();
    for it in 0..number % 5 {
        occupancy
            .groups
            .insert_mut(format!("service:{}", ["web", "db", "api", "job"][it as usize]).into(), 1);
    }
    Candidate { instance: Arc::new(instance), occupancy: Arc::new(occupancy) }
}
