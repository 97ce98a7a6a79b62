//! Container instances and requests as one can think of them, and what a placement may be among
//! them: every rule written down a second time, as plainly as can be.

use std::collections::BTreeSet;
use std::sync::Arc;

use longshore_model::{
    Attribute, Demand, InstanceId, InstanceStatus, LaunchKind, Occupancy, Resources, TaskId,
};

use crate::candidate::Candidate;
use crate::filter::Refusal;
use crate::testing;

/// A container instance.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) id: u128,
    pub(super) is_active: bool,
    pub(super) is_connected: bool,
    pub(super) is_external: bool,
    pub(super) ec2_instance_id: Option<String>,
    pub(super) zone: Option<&'static str>,
    pub(super) rack: Option<&'static str>,
    pub(super) cpu: u32,
    pub(super) memory: u32,
    pub(super) reserved: Vec<u16>,
    pub(super) tasks: Vec<Piece>,
}

/// A task on an instance.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) group: Arc<str>,
    pub(super) demand: Demand,
    pub(super) is_running: bool,
}

/// What is asked for, again and again in one history.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) kind: Option<LaunchKind>,
    pub(super) group: Arc<str>,
    pub(super) demand: Demand,
    pub(super) requires_zone: bool,
    pub(super) rules: Vec<Rule>,
    pub(super) orders: Vec<Order>,
}

/// A constraint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    Distinct,
    /// With one of [`EXPRESSIONS`].
    MemberOf(usize),
}

type Meaning = fn(&Machine) -> bool;

/// The expressions that are asked, and what each means.
pub(super) const EXPRESSIONS: [(&str, Meaning); 6] = [
    ("attribute:zone == a", |it| it.zone == Some("a")),
    ("attribute:zone in [a, b] or attribute:rack exists", |it| {
        matches!(it.zone, Some("a" | "b")) || it.rack.is_some()
    }),
    ("not (attribute:rack =~ 1.*)", |it| it.rack != Some("1")),
    ("task:group == db", |it| it.tasks_of("db") > 0),
    ("task:group != db and attribute:zone exists", |it| {
        it.tasks_of("db") == 0 && it.zone.is_some()
    }),
    ("runningTasksCount < 2", |it| it.tasks.iter().filter(|it| it.is_running).count() < 2),
];

/// A strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Random,
    Host,
    Zone,
    Rack,
    Cpu,
    Memory,
}

impl Machine {
    pub(super) fn tasks_of(&self, group: &str) -> usize {
        self.tasks.iter().filter(|it| &*it.group == group).count()
    }

    pub(super) fn cpu_left(&self) -> i64 {
        let taken = self.tasks.iter().map(|it| i64::from(it.demand.resources.cpu_units));
        i64::from(self.cpu) - taken.sum::<i64>()
    }

    pub(super) fn memory_left(&self) -> i64 {
        let taken = self.tasks.iter().map(|it| i64::from(it.demand.resources.memory_mib));
        i64::from(self.memory) - taken.sum::<i64>()
    }

    /// Whether it gives nothing that it has not, and no port twice.
    pub(super) fn is_sound(&self) -> bool {
        let mut ports: Vec<u16> = self.reserved.clone();
        ports.extend(self.tasks.iter().flat_map(|it| &it.demand.ports_tcp));
        let different = BTreeSet::from_iter(&ports).len() == ports.len();
        self.cpu_left() >= 0 && self.memory_left() >= 0 && different
    }

    pub(super) fn concerns(&self, ask: &Ask) -> bool {
        let serves = match ask.kind {
            Some(LaunchKind::Ec2) => !self.is_external,
            Some(LaunchKind::External) => self.ec2_instance_id.is_none(),
            None | Some(LaunchKind::Fargate) => true,
        };
        self.is_active && serves
    }

    pub(super) fn reason_against(&self, ask: &Ask) -> Option<Refusal> {
        let taken = |port: &u16| self.tasks.iter().any(|it| it.demand.ports_tcp.contains(port));
        let ports = &ask.demand.ports_tcp;
        let repeats = BTreeSet::from_iter(ports).len() < ports.len();
        if !self.is_connected {
            return Some(Refusal::Agent);
        }
        if ask.requires_zone && self.zone.is_none() {
            return Some(Refusal::Attribute);
        }
        if self.cpu_left() < i64::from(ask.demand.resources.cpu_units) {
            return Some(Refusal::Cpu);
        }
        if self.memory_left() < i64::from(ask.demand.resources.memory_mib) {
            return Some(Refusal::Memory);
        }
        if repeats || ports.iter().any(|it| taken(it) || self.reserved.contains(it)) {
            return Some(Refusal::Ports);
        }
        ask.rules.iter().find_map(|rule| match rule {
            Rule::Distinct => (self.tasks_of(&ask.group) > 0).then_some(Refusal::DistinctInstance),
            Rule::MemberOf(at) => (!EXPRESSIONS[*at].1(self)).then_some(Refusal::MemberOf),
        })
    }

    /// The same, as placement is told of it.
    pub(super) fn candidate(&self) -> Candidate {
        let mut candidate = testing::candidate("it");
        let instance = Arc::make_mut(&mut candidate.instance);
        instance.id = InstanceId::from_bits(self.id);
        if !self.is_active {
            instance.status = InstanceStatus::Draining;
        }
        instance.agent_connected = self.is_connected;
        instance.ec2_instance_id = self.ec2_instance_id.clone();
        instance.registered = Resources { cpu_units: self.cpu, memory_mib: self.memory };
        instance.reserved_ports_tcp = self.reserved.iter().copied().collect();
        if self.is_external {
            instance.attributes.push(Attribute::named("ecs.capability.external"));
        }
        instance.attributes.extend(self.zone.map(|it| Attribute::with_value("zone", it)));
        instance.attributes.extend(self.rack.map(|it| Attribute::with_value("rack", it)));
        let mut occupancy = Occupancy::default();
        for (number, task) in (1 << 100..).zip(&self.tasks) {
            occupancy.enter(TaskId::from_bits(number), &task.group, &task.demand);
            occupancy.running += u32::from(task.is_running);
        }
        candidate.occupancy = Arc::new(occupancy);
        candidate
    }
}

/// Which instances may be chosen: of those that fit, each order in turn leaves its best.
pub(super) fn allowed(machines: &[Machine], ask: &Ask) -> Vec<u128> {
    let concerned: Vec<&Machine> = machines.iter().filter(|it| it.concerns(ask)).collect();
    let mut left: Vec<&Machine> =
        concerned.iter().copied().filter(|it| it.reason_against(ask).is_none()).collect();
    let beside = |value: Option<&str>, of: fn(&Machine) -> Option<&'static str>| match value {
        None => i64::MAX,
        Some(value) => {
            let same = concerned.iter().filter(|it| of(it) == Some(value));
            same.map(|it| it.tasks_of(&ask.group) as i64).sum()
        }
    };
    for order in &ask.orders {
        let measure = |it: &Machine| match order {
            Order::Random => 0,
            Order::Host => it.tasks_of(&ask.group) as i64,
            Order::Zone => beside(it.zone, |it| it.zone),
            Order::Rack => beside(it.rack, |it| it.rack),
            Order::Cpu => it.cpu_left(),
            Order::Memory => it.memory_left(),
        };
        if *order == Order::Random {
            break;
        }
        let least = left.iter().map(|it| measure(it)).min();
        left.retain(|it| Some(measure(it)) == least);
    }
    let mut ids: Vec<u128> = left.iter().map(|it| it.id).collect();
    ids.sort_unstable();
    ids
}
