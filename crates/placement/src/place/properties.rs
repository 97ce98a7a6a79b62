//! Placements in small clusters made up at random, against rules written down a second time and as
//! plainly as can be.

use std::collections::BTreeSet;

use longshore_model::Resources;
use proptest::prelude::{Strategy as Generate, *};

use super::*;
use crate::query::Query;
use crate::strategy::{BinpackField, SpreadField, Strategy};
use crate::testing;

/// A container instance, as one can think of it.
#[derive(Clone, Debug)]
struct Machine {
    is_connected: bool,
    has_capability: bool,
    zone: Option<&'static str>,
    cpu: i64,
    memory: i64,
    reserved: Vec<u16>,
    tcp: Vec<u16>,
    udp: Vec<u16>,
    groups: Vec<&'static str>,
}

/// What is asked for.
#[derive(Clone, Debug)]
struct Ask {
    cpu: u32,
    memory: u32,
    tcp: Vec<u16>,
    udp: Vec<u16>,
    requires_capability: bool,
    rules: Vec<Rule>,
    orders: Vec<Order>,
    count: u32,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Distinct,
    InZone(&'static str),
    WithoutGroup(&'static str),
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Random,
    FewestHere,
    FewestInZone,
    LeastCpu,
    LeastMemory,
}

/// The group of the tasks to be placed.
const GROUP: &str = "web";

impl Machine {
    fn reason_against(&self, ask: &Ask) -> Option<&'static str> {
        let has = |list: &[u16], wanted: &[u16]| wanted.iter().any(|port| list.contains(port));
        let used = self.reserved.len() + self.tcp.len() + self.udp.len();
        let repeats = |ports: &[u16]| BTreeSet::from_iter(ports).len() < ports.len();
        let wanted = ask.tcp.len() + ask.udp.len();
        if !self.is_connected {
            return Some("AGENT");
        }
        if ask.requires_capability && !self.has_capability {
            return Some("ATTRIBUTE");
        }
        if self.cpu < i64::from(ask.cpu) {
            return Some("RESOURCE:CPU");
        }
        if self.memory < i64::from(ask.memory) {
            return Some("RESOURCE:MEMORY");
        }
        if has(&self.tcp, &ask.tcp)
            || has(&self.reserved, &ask.tcp)
            || has(&self.udp, &ask.udp)
            || repeats(&ask.tcp)
            || repeats(&ask.udp)
            || (wanted > 0 && used + wanted > 100)
        {
            return Some("RESOURCE:PORTS");
        }
        for rule in &ask.rules {
            match rule {
                Rule::Distinct if self.groups.contains(&GROUP) => {
                    return Some("DistinctInstance placement constraint unsatisfied.");
                }
                Rule::InZone(zone) if self.zone != Some(*zone) => {
                    return Some("MemberOf placement constraint unsatisfied.");
                }
                Rule::WithoutGroup(group) if self.groups.contains(group) => {
                    return Some("MemberOf placement constraint unsatisfied.");
                }
                _ => {}
            }
        }
        None
    }

    fn tasks(&self) -> i64 {
        self.groups.iter().filter(|it| **it == GROUP).count() as i64
    }

    fn take(&mut self, ask: &Ask) {
        self.cpu -= i64::from(ask.cpu);
        self.memory -= i64::from(ask.memory);
        self.tcp.extend(&ask.tcp);
        self.udp.extend(&ask.udp);
        self.groups.push(GROUP);
    }

    fn candidate(&self, at: usize) -> Candidate {
        let mut line = format!("{at} cpu={}/5000 memory={}/5000", self.cpu, self.memory);
        let mut list = |key: &str, ports: &[u16]| {
            if !ports.is_empty() {
                let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
                line += &format!(" {key}={}", ports.join(","));
            }
        };
        list("reserved-tcp", &self.reserved);
        list("tcp", &self.tcp);
        list("udp", &self.udp);
        for group in BTreeSet::from_iter(&self.groups) {
            let count = self.groups.iter().filter(|it| *it == group).count();
            line += &format!(" tasks={group}*{count}");
        }
        line += self.zone.map(|it| format!(" @zone={it}")).unwrap_or_default().as_str();
        line += if self.has_capability { " @capability" } else { "" };
        line += if self.is_connected { "" } else { " agent=off" };
        testing::candidate(&line)
    }
}

/// The instances that may be chosen: those that fit and that no other one is better than, which is
/// decided by the first order in which two differ.
fn allowed(machines: &[Machine], ask: &Ask) -> Vec<usize> {
    let in_zone = |zone| machines.iter().filter(|it| it.zone == zone).map(Machine::tasks).sum();
    let rank = |at: usize| -> Vec<i64> {
        let machine = &machines[at];
        let orders = ask.orders.iter().take_while(|it| !matches!(it, Order::Random));
        let value = |order: &Order| match order {
            Order::Random => unreachable!(),
            Order::FewestHere => machine.tasks(),
            Order::FewestInZone if machine.zone.is_none() => i64::MAX,
            Order::FewestInZone => in_zone(machine.zone),
            Order::LeastCpu => machine.cpu,
            Order::LeastMemory => machine.memory,
        };
        orders.map(value).collect()
    };
    let fitting: Vec<usize> =
        (0..machines.len()).filter(|&at| machines[at].reason_against(ask).is_none()).collect();
    let is_best = |&at: &usize| fitting.iter().all(|&other| rank(at) <= rank(other));
    fitting.iter().copied().filter(is_best).collect()
}

/// A call of placement, with nothing left to parse.
struct Call {
    candidates: Vec<Candidate>,
    demand: Demand,
    requires: Vec<Attribute>,
    group: Arc<str>,
    constraints: Vec<Constraint>,
    strategies: Vec<Strategy>,
    count: u32,
}

impl Call {
    fn new(machines: &[Machine], ask: &Ask) -> Self {
        let member_of = |text: String| Constraint::MemberOf(Query::parse(&text).unwrap());
        let constraint = |rule: &Rule| match rule {
            Rule::Distinct => Constraint::DistinctInstance,
            Rule::InZone(zone) => member_of(format!("attribute:zone == {zone}")),
            Rule::WithoutGroup(group) => member_of(format!("task:group != {group}")),
        };
        let strategy = |order: &Order| match order {
            Order::Random => Strategy::Random,
            Order::FewestHere => Strategy::Spread(SpreadField::InstanceId),
            Order::FewestInZone => Strategy::Spread(SpreadField::Attribute("zone".into())),
            Order::LeastCpu => Strategy::Binpack(BinpackField::Cpu),
            Order::LeastMemory => Strategy::Binpack(BinpackField::Memory),
        };
        let capability = ask.requires_capability.then(|| Attribute::named("capability"));
        Self {
            candidates: machines.iter().enumerate().map(|(at, it)| it.candidate(at)).collect(),
            demand: Demand {
                resources: Resources { cpu_units: ask.cpu, memory_mib: ask.memory },
                ports_tcp: ask.tcp.clone(),
                ports_udp: ask.udp.clone(),
            },
            requires: capability.into_iter().collect(),
            group: GROUP.into(),
            constraints: ask.rules.iter().map(constraint).collect(),
            strategies: ask.orders.iter().map(strategy).collect(),
            count: ask.count,
        }
    }

    /// Which instances are chosen, and the reasons against the others.
    fn run(&self, seed: u64) -> (Vec<usize>, Vec<(usize, &'static str)>) {
        let request = Request {
            kind: Some(LaunchKind::Ec2),
            demand: &self.demand,
            requires: &self.requires,
            group: &self.group,
            constraints: &self.constraints,
            strategies: &self.strategies,
            count: self.count,
        };
        let Placement { placed, refused, .. } = place(self.candidates.clone(), &request, seed);
        let position = |id| testing::name(id).parse().unwrap();
        let refused = refused.into_iter().map(|(id, why)| (position(id), why.reason())).collect();
        (placed.into_iter().map(position).collect(), refused)
    }
}

fn often(yes: u32, no: u32) -> impl Generate<Value = bool> {
    prop_oneof![yes => Just(true), no => Just(false)]
}

/// No, few or nearly all ports that an instance may have.
fn reserved() -> impl Generate<Value = Vec<u16>> {
    prop_oneof![
        6 => Just(vec![]),
        2 => Just(vec![22, 80]),
        1 => (94..=100_u16).prop_map(|count| (1000..1000 + count).collect()),
    ]
}

fn ports() -> impl Generate<Value = Vec<u16>> {
    let port = prop::sample::select(vec![80_u16, 81, 82, 83]);
    prop::collection::btree_set(port, 0..3).prop_map(|it| it.into_iter().collect())
}

fn groups() -> impl Generate<Value = &'static str> {
    prop::sample::select(vec![GROUP, "db"])
}

fn zones() -> impl Generate<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c"])
}

fn machines() -> impl Generate<Value = Vec<Machine>> {
    let state = (often(9, 1), often(9, 1), prop::option::weighted(0.8, zones()));
    let amounts = (0..8_i64, 0..8_i64).prop_map(|(cpu, memory)| (cpu * 100, memory * 100));
    // TCP ports are taken where they are not reserved.
    let all_ports = (reserved(), ports(), ports()).prop_map(|(reserved, mut tcp, udp)| {
        tcp.retain(|it| !reserved.contains(it));
        (reserved, tcp, udp)
    });
    let groups = prop::collection::vec(groups(), 0..3);
    let machine = (state, amounts, all_ports, groups).prop_map(
        |((is_connected, has_capability, zone), (cpu, memory), (reserved, tcp, udp), groups)| {
            Machine { is_connected, has_capability, zone, cpu, memory, reserved, tcp, udp, groups }
        },
    );
    prop::collection::vec(machine, 0..=12)
}

fn asks() -> impl Generate<Value = Ask> {
    let rule = prop_oneof![
        Just(Rule::Distinct),
        zones().prop_map(Rule::InZone),
        groups().prop_map(Rule::WithoutGroup),
    ];
    let order = prop::sample::select(vec![
        Order::Random,
        Order::FewestHere,
        Order::FewestInZone,
        Order::LeastCpu,
        Order::LeastMemory,
    ]);
    let amounts = (0..4_u32, 0..4_u32);
    let wanted = (often(1, 3), ports(), ports(), often(1, 15));
    let rules = prop::collection::vec(rule, 0..3);
    let orders = prop::collection::vec(order, 0..=5);
    (amounts, wanted, any::<bool>(), rules, orders, 1..=10_u32).prop_map(
        |((cpu, memory), (has_ports, mut tcp, udp, repeats), capability, rules, orders, count)| {
            if repeats {
                tcp.extend(tcp.clone());
            }
            Ask {
                cpu: cpu * 100,
                memory: memory * 100,
                tcp: if has_ports { tcp } else { vec![] },
                udp: if has_ports { udp } else { vec![] },
                requires_capability: capability,
                rules,
                orders,
                count,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_choice_is_allowed_and_nothing_is_given_twice(
        machines in machines(), ask in asks(), seed in any::<u64>(),
    ) {
        let (placed, refused) = Call::new(&machines, &ask).run(seed);
        let mut machines = machines;
        for &chosen in &placed {
            prop_assert!(allowed(&machines, &ask).contains(&chosen), "{chosen} of {placed:?}");
            machines[chosen].take(&ask);
        }
        for machine in &machines {
            let are_different = |ports: &[u16]| BTreeSet::from_iter(ports).len() == ports.len();
            prop_assert!(machine.cpu >= 0 && machine.memory >= 0);
            prop_assert!(are_different(&machine.tcp) && are_different(&machine.udp));
        }
        if placed.len() < ask.count as usize {
            let why = |(at, it): (usize, &Machine)| Some((at, it.reason_against(&ask)?));
            prop_assert_eq!(refused.len(), machines.len());
            prop_assert_eq!(refused, machines.iter().enumerate().filter_map(why).collect::<Vec<_>>());
        } else {
            prop_assert_eq!(placed.len(), ask.count as usize);
            prop_assert_eq!(refused, vec![]);
        }
    }

    #[test]
    fn seeds_reach_all_that_is_allowed(machines in machines(), mut ask in asks()) {
        ask.count = 1;
        let call = Call::new(&machines, &ask);
        let chosen: BTreeSet<_> = (0..300).flat_map(|seed| call.run(seed).0).collect();
        prop_assert_eq!(Vec::from_iter(chosen), allowed(&machines, &ask));
    }
}
