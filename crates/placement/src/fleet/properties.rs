//! What strategies promise, in clusters of some size, through a long time of small calls.

use std::collections::{BTreeMap, BTreeSet};

use longshore_model::{Demand, LaunchKind, Resources};

use super::*;
use crate::place::place;
use crate::strategy::Strategy;
use crate::testing::{candidate, name};

/// Instances `0`, `1` ..., each written as `line` says.
fn candidates(count: usize, line: impl Fn(usize) -> String) -> Vec<Candidate> {
    (0..count).map(|at| candidate(&format!("{at} {}", line(at)))).collect()
}

fn fleet(candidates: &[Candidate]) -> Fleet {
    let mut fleet = Fleet::new();
    for it in candidates {
        fleet.follow(it.id(), Some(it.clone()));
    }
    fleet
}

fn demand(cpu_units: u32, memory_mib: u32, port: Option<u16>) -> Demand {
    let resources = Resources { cpu_units, memory_mib };
    Demand { resources, ports_tcp: port.into_iter().collect(), ports_udp: vec![] }
}

/// Asks with a request for so many tasks of the group `web`.
fn with_request<R>(
    demand: &Demand,
    strategies: &[(&str, &str)],
    count: u32,
    ask: impl FnOnce(&Request<'_>) -> R,
) -> R {
    let strategies: Vec<_> = strategies
        .iter()
        .map(|(kind, field)| Strategy::parse(kind, Some(field)).unwrap())
        .collect();
    ask(&Request {
        kind: Some(LaunchKind::Ec2),
        demand,
        requires: &[],
        group: &"web".into(),
        constraints: &[],
        strategies: &strategies,
        count,
    })
}

#[test]
fn zones_differ_by_at_most_one_task_at_every_step() {
    // The zones are of different sizes, and each has room for a third of the tasks.
    let zone = |at: usize| ["a", "a", "a", "b", "b", "c"][at % 6];
    let candidates = candidates(60, |at| format!("cpu=1000 @zone={}", zone(at)));
    let mut fleet = fleet(&candidates);
    let zones: BTreeMap<_, _> = (0..60).map(|at| (at.to_string(), zone(at))).collect();
    let demand = demand(100, 1, None);
    let mut tasks = BTreeMap::from([("a", 0_i32), ("b", 0), ("c", 0)]);
    for seed in 0..300 {
        let placed = with_request(&demand, &[("spread", "attribute:zone")], 1, |request| {
            fleet.place(request, seed).placed
        });
        *tasks.get_mut(zones[&name(placed[0])]).unwrap() += 1;
        let (most, least) = (tasks.values().max().unwrap(), tasks.values().min().unwrap());
        assert!(most - least <= 1, "{tasks:?} after {seed}");
    }
    assert_eq!(tasks.into_values().collect::<Vec<_>>(), [100, 100, 100]);
}

#[test]
fn binpack_uses_no_more_instances_than_a_look_at_all_of_them() {
    let all = candidates(200, |at| format!("memory={}", [1000, 1500, 2000][at % 3]));
    let (mut indexed, mut scanned) = (fleet(&all), all);
    let mut used = [BTreeSet::new(), BTreeSet::new()];
    for number in 0..600_u32 {
        let demand = demand(1, 50 + number * 37 % 200, None);
        with_request(&demand, &[("binpack", "memory")], 1, |request| {
            used[0].extend(indexed.place(request, number.into()).placed);
            for id in place(scanned.clone(), request, number.into()).placed {
                let chosen = scanned.iter_mut().find(|it| it.id() == id).unwrap();
                chosen.take(number.into(), request.group, request.demand);
                used[1].insert(id);
            }
        });
    }
    let [indexed, scanned] = used.map(|it| it.len());
    assert!((50..200).contains(&scanned), "{scanned} says nothing");
    assert!(indexed * 100 <= scanned * 101, "{indexed} instances, and {scanned} by the scan");
}

#[test]
fn random_reaches_each_instance_as_often_as_the_others() {
    const INSTANCES: usize = 50;
    const CALLS: u32 = 20_000;
    let mut fleet = fleet(&candidates(INSTANCES, |_| "cpu=0 memory=0".into()));
    let mut times = BTreeMap::new();
    for seed in 0..CALLS {
        let placed = with_request(&Demand::default(), &[("random", "")], 1, |request| {
            fleet.place(request, seed.into()).placed
        });
        *times.entry(placed[0]).or_insert(0) += 1;
    }
    let expected = f64::from(CALLS) / INSTANCES as f64;
    let square = |it: &i32| (f64::from(*it) - expected).powi(2) / expected;
    let chi_squared: f64 = times.values().map(square).sum();
    // 49 degrees of freedom: more than 85.4 in one of 1,000 cases, less than 23.9 in as many.
    assert_eq!(times.len(), INSTANCES);
    assert!((23.9..85.4).contains(&chi_squared), "{chi_squared}");
}

#[test]
fn a_full_cluster_is_full_and_no_port_is_given_twice() {
    let mut fleet = fleet(&candidates(20, |_| "cpu=1000 memory=1000 reserved-tcp=22".into()));
    let mut placed = 0;
    for number in 0..400_u32 {
        let port = [22, 80, 81, 82][number as usize % 4];
        let demand = demand(300, 100, Some(port));
        placed += with_request(&demand, &[("spread", "host")], 1, |request| {
            fleet.place(request, number.into()).placed.len()
        });
    }
    // Three tasks fill the CPU of an instance, each with another of the three free ports.
    assert_eq!(placed, 60);
    for it in fleet.candidates() {
        assert_eq!(it.remaining(), Resources { cpu_units: 100, memory_mib: 700 });
        assert_eq!(it.occupancy.ports_tcp.size(), it.occupancy.tasks.size());
        assert!(!it.occupancy.ports_tcp.contains(&22));
    }
}
