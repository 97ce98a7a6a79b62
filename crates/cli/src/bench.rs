//! `longshore bench`: load for a running server.

use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use longshore_model::ClusterName;
use longshore_simulated_fleet::{
    AttributeValues, Client, Course, FleetSpec, Limits, Plan, Shape, Span,
};

use crate::agent::duration;
use crate::options::Connection;
use crate::system::shutdown_signal;

/// The attribute that `--zones` sets.
const ZONE: &str = "ecs.availability-zone";

/// Loads a running server. Do not point it at a cluster that does real work.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Simulated agents: they register instances, hold a socket each, acknowledge and report by the
    /// real protocol. Their containers are SIMULATED: nothing runs.
    Fleet(Fleet),
}

/// Credentials are taken from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. What becomes of each
/// task follows from the seed and its ARN. SIGINT and SIGTERM end the fleet.
#[derive(Args, Clone, Debug)]
pub(crate) struct Fleet {
    #[command(flatten)]
    connection: Connection,

    /// The cluster to join; it must exist.
    #[arg(long, env = "LONGSHORE_CLUSTER", default_value = "default")]
    cluster: ClusterName,

    /// How many instances.
    #[arg(
        long,
        env = "LONGSHORE_BENCH_INSTANCES",
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    instances: u32,

    /// What instances have, in CPU units and MiB. Of several shapes each comes in turn, as often in
    /// a row as it weighs.
    #[arg(
        long = "shape",
        env = "LONGSHORE_BENCH_SHAPES",
        value_name = "CPUxMEMORY[:WEIGHT]",
        value_delimiter = ' ',
        default_value = "4096x16384"
    )]
    shapes: Vec<Shape>,

    /// An attribute and the values that instances have in turn. Of several attributes, every
    /// combination of values comes equally often.
    #[arg(
        long = "attribute",
        env = "LONGSHORE_BENCH_ATTRIBUTES",
        value_name = "NAME[=V1,V2,...]",
        value_delimiter = ' '
    )]
    attributes: Vec<AttributeValues>,

    /// Availability zones, which instances are in in turn; the attribute ecs.availability-zone.
    #[arg(long, env = "LONGSHORE_BENCH_ZONES", value_name = "ZONE,...", value_delimiter = ',')]
    zones: Vec<String>,

    /// TCP host ports that no task may have.
    #[arg(
        long = "reserved-port",
        env = "LONGSHORE_BENCH_RESERVED_PORTS",
        value_name = "PORT",
        value_delimiter = ',',
        default_values_t = [22, 2375, 2376, 51678, 51679]
    )]
    reserved_ports: Vec<u16>,

    /// How many milliseconds a task takes to start.
    #[arg(
        long,
        env = "LONGSHORE_BENCH_START_MILLIS",
        value_name = "A-B",
        default_value = "0-0",
        value_parser = millis
    )]
    start_millis: Span,

    /// Of a hundred tasks, how many fail to start.
    #[arg(
        long,
        env = "LONGSHORE_BENCH_FAILS",
        value_name = "PERCENT",
        default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(..=100)
    )]
    fails: u8,

    /// How many seconds a task runs before it ends by itself with exit code 0, or `forever`.
    #[arg(
        long,
        env = "LONGSHORE_BENCH_RUNS_FOR",
        value_name = "A-B",
        default_value = "forever",
        value_parser = runs_for
    )]
    runs_for: RunsFor,

    /// What becomes of tasks is chosen by it; the same seed, the same choices for the same ARNs.
    #[arg(long, env = "LONGSHORE_BENCH_SEED", value_name = "NUMBER", default_value_t = 0)]
    seed: u64,

    /// Ends the fleet after so long, such as 30s or 2m. [default: when it is interrupted]
    #[arg(long = "for", env = "LONGSHORE_BENCH_FOR", value_name = "TIME", value_parser = duration)]
    lasts: Option<Duration>,

    /// How many agents register and connect at once.
    #[arg(
        long,
        env = "LONGSHORE_BENCH_CONNECT_AT_ONCE",
        value_name = "N",
        default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    connect_at_once: u16,

    /// How many reports are under way at once. All agents share so many connections for them.
    #[arg(
        long,
        env = "LONGSHORE_BENCH_REPORTS_AT_ONCE",
        value_name = "N",
        default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    reports_at_once: u16,

    /// Leaves the instances registered. Otherwise they are deregistered at the end, also those with
    /// tasks, which are then gone.
    #[arg(long, env = "LONGSHORE_BENCH_LEAVE_BEHIND")]
    leave_behind: bool,
}

pub(crate) async fn run(bench: Bench) -> anyhow::Result<()> {
    let Bench::Fleet(options) = bench;
    let mut shutdown =
        shutdown_signal("Simulated tasks are given up.").context("signals cannot be waited for")?;
    let stop = async move {
        let _ = shutdown.wait_for(|it| *it).await;
    };
    let signer = options.connection.signer()?;
    let endpoint = options.connection.endpoint()?;
    let client = Client::signing(endpoint, &options.connection.trust(), signer)?;
    longshore_simulated_fleet::run(client, options.course(), stop).await
}

impl Fleet {
    fn course(self) -> Course {
        let zones = AttributeValues { name: ZONE.into(), values: self.zones };
        let zones = Some(zones).filter(|it| !it.values.is_empty());
        Course {
            cluster: self.cluster.to_string(),
            spec: FleetSpec {
                instances: self.instances,
                shapes: self.shapes,
                attributes: zones.into_iter().chain(self.attributes).collect(),
                reserved_ports: self.reserved_ports,
                plan: Plan {
                    seed: self.seed,
                    start: self.start_millis,
                    fails_percent: self.fails,
                    runs_for: self.runs_for.0,
                },
            },
            limits: Limits {
                joins: self.connect_at_once.into(),
                reports: self.reports_at_once.into(),
            },
            lasts: self.lasts,
            leave_behind: self.leave_behind,
        }
    }
}

/// How long a task runs; for ever if `None`.
#[derive(Clone, Copy, Debug)]
struct RunsFor(Option<Span>);

fn runs_for(text: &str) -> Result<RunsFor, String> {
    if text == "forever" {
        return Ok(RunsFor(None));
    }
    let (least, most) = range(text).ok_or("say `forever`, or seconds such as 5 or 5-60")?;
    let (least, most) = (Duration::from_secs(least), Duration::from_secs(most));
    Ok(RunsFor(Some(Span { least, most })))
}

fn millis(text: &str) -> Result<Span, String> {
    let (least, most) = range(text).ok_or("say milliseconds such as 50 or 50-500")?;
    Ok(Span { least: Duration::from_millis(least), most: Duration::from_millis(most) })
}

/// `A-B` or `A`: from A to B, neither being more than there are seconds in a hundred years.
fn range(text: &str) -> Option<(u64, u64)> {
    const MOST: u64 = 100 * 366 * 86_400;
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let (least, most) = (least.parse().ok()?, most.parse().ok()?);
    (least <= most && most <= MOST).then_some((least, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_one_number_or_two_in_order() {
        assert_eq!(range("5"), Some((5, 5)));
        assert_eq!(range("5-60"), Some((5, 60)));
        for text in ["", "-", "5-", "-5", "6-5", "a", "1-2-3", "18446744073709551615"] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
