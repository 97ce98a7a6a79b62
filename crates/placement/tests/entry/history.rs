//! A cluster's history made up from bytes: whatever happened before, a fleet places as the plain
//! scan may.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use longshore_model::{Attribute, Demand, InstanceId, InstanceStatus, LaunchKind, Occupancy};
use longshore_placement::{Candidate, Constraint, Fleet, Request, Strategy, place};

use super::sample::Source;

/// Any one of so few that are equally good is chosen by one of the seeds, but for once in 10^15.
const INSTANCES: u8 = 8;
const SEEDS: u64 = 256;

const STRATEGIES: [(&str, &str); 8] = [
    ("random", ""),
    ("spread", "instanceId"),
    ("spread", "attribute:zone"),
    ("spread", "attribute:a"),
    ("spread", "attribute:b"),
    ("spread", "attribute:zone"),
    ("binpack", "cpu"),
    ("binpack", "memory"),
];

/// What is asked for, again and again in one history.
struct Ask {
    kind: Option<LaunchKind>,
    demand: Demand,
    requires: Vec<Attribute>,
    group: Arc<str>,
    constraints: Vec<Constraint>,
    strategies: Vec<Strategy>,
}

/// A fleet, and what is true.
#[derive(Default)]
struct History {
    fleet: Fleet,
    known: BTreeMap<InstanceId, Candidate>,
}

/// Instances that come, change and go, and tasks that are placed on them and end.
pub(crate) fn run(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let asks: Vec<_> = (0..1 + source.next() % 3).map(|_| ask(&mut source)).collect();
    let mut history = History::default();
    for _ in 0..8 + source.next() % 32 {
        let number = source.next() % INSTANCES;
        let id = InstanceId::from_bits(number.into());
        match source.next() % 8 {
            0 => history.follow(id, None),
            1 | 2 => history.follow(id, Some(machine(&mut source, number))),
            3 => {
                let ended = history.known.get(&id).map(|it| Candidate {
                    instance: Arc::clone(&it.instance),
                    occupancy: Arc::new(Occupancy::default()),
                });
                history.follow(id, ended);
            }
            _ => {
                let count = 1 + source.next() % 4;
                let ask = &asks[usize::from(source.next()) % asks.len()];
                history.place(ask, count.into(), source.next().into());
            }
        }
    }
}

impl History {
    fn follow(&mut self, id: InstanceId, now: Option<Candidate>) {
        self.fleet.follow(id, now.clone());
        match now {
            Some(now) => drop(self.known.insert(id, now)),
            None => drop(self.known.remove(&id)),
        }
    }

    fn place(&mut self, ask: &Ask, count: u32, seed: u64) {
        let placement = self.fleet.place(&ask.request(count), seed);
        for chosen in &placement.placed {
            let scan = |seed| place(self.all(), &ask.request(1), seed).placed;
            let allowed: BTreeSet<_> = (0..SEEDS).flat_map(scan).collect();
            assert!(allowed.contains(chosen), "{chosen:?} is none of {allowed:?}");
            let candidate = self.known.get_mut(chosen).expect("an instance of the cluster");
            candidate.take(u128::MAX - seed as u128, &ask.group, &ask.demand);
        }
        if placement.placed.len() < count as usize {
            let scanned = place(self.all(), &ask.request(1), 0);
            assert_eq!((scanned.placed, scanned.refused), (vec![], placement.refused));
            assert_eq!(scanned.candidates, placement.candidates);
        }
        for (one, other) in self.fleet.candidates().zip(self.known.values()) {
            assert_eq!((one.id(), one.remaining()), (other.id(), other.remaining()));
        }
    }

    fn all(&self) -> Vec<Candidate> {
        self.known.values().cloned().collect()
    }
}

impl Ask {
    fn request(&self, count: u32) -> Request<'_> {
        let Self { kind, demand, requires, group, constraints, strategies } = self;
        Request { kind: *kind, demand, requires, group, constraints, strategies, count }
    }
}

fn ask(source: &mut Source<'_>) -> Ask {
    let mut demand = Demand::default();
    demand.resources.cpu_units = u32::from(source.next() % 3) * 300;
    demand.resources.memory_mib = u32::from(source.next() % 3) * 300;
    demand.ports_tcp = (0..source.next() % 3).map(|it| 80 + u16::from(it)).collect();
    demand.ports_udp = (0..source.next() % 2).map(|_| 80).collect();
    let kinds = [None, Some(LaunchKind::Ec2), Some(LaunchKind::External)];
    let kind = kinds[usize::from(source.next()) % kinds.len()];
    let requires = (0..source.next() % 4 / 3).map(|_| Attribute::named("zone")).collect();
    let constraints = (0..source.next() % 3).map(|_| constraint(source)).collect();
    let strategies = (0..source.next() % 6).map(|_| {
        let (kind, field) = STRATEGIES[usize::from(source.next()) % STRATEGIES.len()];
        Strategy::parse(kind, Some(field)).expect("a strategy")
    });
    let strategies = strategies.collect();
    Ask { kind, demand, requires, group: "web".into(), constraints, strategies }
}

fn constraint(source: &mut Source<'_>) -> Constraint {
    let constraint = match source.next() % 4 {
        0 => Constraint::parse("distinctInstance", None),
        _ => Constraint::parse("memberOf", Some(&source.expression(2))),
    };
    constraint.expect("a constraint")
}

/// An instance in a state of its own, with something taken.
fn machine(source: &mut Source<'_>, number: u8) -> Candidate {
    let mut candidate = source.candidate(number.into());
    let instance = Arc::make_mut(&mut candidate.instance);
    instance.agent_connected = !source.next().is_multiple_of(8);
    if source.next().is_multiple_of(8) {
        instance.status = InstanceStatus::Draining;
    }
    if source.next().is_multiple_of(4) {
        instance.reserved_ports_tcp.insert(80);
    }
    let occupancy = Arc::make_mut(&mut candidate.occupancy);
    occupancy.taken.cpu_units = u32::from(source.next()) * 4;
    occupancy.taken.memory_mib = u32::from(source.next()) * 4;
    if source.next().is_multiple_of(4) {
        occupancy.ports_udp.insert_mut(80);
    }
    candidate
}
