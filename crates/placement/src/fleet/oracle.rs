//! Histories of small clusters made up at random: whatever happened before, a fleet allows exactly
//! the instances that the plain rules do, chooses one of them, and refuses for the same reasons.

mod machine;

use std::sync::{Arc, LazyLock};

use longshore_model::{Attribute, Demand, InstanceId, LaunchKind, Resources};

use self::machine::{Ask, EXPRESSIONS, Machine, Order, Piece, Rule, allowed};
use crate::constraint::Constraint;
use crate::fleet::Fleet;
use crate::place::Request;
use crate::query::Query;
use crate::strategy::Strategy;

/// Reading an expression takes longer than all else in a history.
static PARSED: LazyLock<Vec<Query>> =
    LazyLock::new(|| EXPRESSIONS.iter().map(|it| Query::parse(it.0).unwrap()).collect());

const HISTORIES: u64 = 100_000;

/// A history: the fleet, what is true, and what is asked for in it.
struct History {
    dice: Dice,
    fleet: Fleet,
    machines: Vec<Machine>,
    asks: Vec<Ask>,
    next_id: u128,
}

#[test]
fn a_fleet_agrees_with_the_plain_rules() {
    let workers = 4;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            scope.spawn(move || {
                for seed in (worker..HISTORIES).step_by(workers as usize) {
                    History::new(seed).run();
                }
            });
        }
    });
}

impl History {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let asks = (0..1 + dice.below(3)).map(|_| dice.ask()).collect();
        let mut history = Self { dice, fleet: Fleet::new(), machines: vec![], asks, next_id: 0 };
        for _ in 0..history.dice.below(10) {
            history.register();
        }
        history
    }

    fn run(&mut self) {
        for _ in 0..4 + self.dice.below(6) {
            match self.dice.below(10) {
                0 => self.register(),
                1 => self.deregister(),
                2 => self.change_record(),
                3 => self.end_tasks(),
                4 => self.begin_task(),
                _ => self.place(),
            }
        }
        self.place();
    }

    fn register(&mut self) {
        // Ids do not rise with time.
        self.next_id += 1;
        let id = (self.next_id * 7919) % 1009;
        let machine = self.dice.machine(id);
        self.follow(&machine);
        self.machines.push(machine);
        self.machines.sort_by_key(|it| it.id);
    }

    fn deregister(&mut self) {
        let Some(at) = self.any_machine() else { return };
        let gone = self.machines.remove(at);
        self.fleet.follow(InstanceId::from_bits(gone.id), None);
    }

    fn change_record(&mut self) {
        let Some(at) = self.any_machine() else { return };
        let now = self.dice.machine(self.machines[at].id);
        let machine = &mut self.machines[at];
        machine.is_active = now.is_active;
        machine.is_connected = now.is_connected;
        machine.is_external = now.is_external;
        machine.ec2_instance_id = now.ec2_instance_id;
        (machine.zone, machine.rack) = (now.zone, now.rack);
        let machine = machine.clone();
        self.follow(&machine);
    }

    /// Tasks ended there; or the transaction that placed them failed.
    fn end_tasks(&mut self) {
        let Some(at) = self.any_machine() else { return };
        let kept = self.dice.below(self.machines[at].tasks.len() + 1);
        self.machines[at].tasks.truncate(kept);
        let machine = self.machines[at].clone();
        self.follow(&machine);
    }

    /// A task was started there by other ways than placement, or one that was placed runs now.
    fn begin_task(&mut self) {
        let Some(at) = self.any_machine() else { return };
        let demand = Demand::default();
        let task = Piece { group: self.dice.group(), demand, is_running: true };
        self.machines[at].tasks.push(task);
        let machine = self.machines[at].clone();
        self.follow(&machine);
    }

    fn follow(&mut self, machine: &Machine) {
        self.fleet.follow(InstanceId::from_bits(machine.id), Some(machine.candidate()));
    }

    fn any_machine(&mut self) -> Option<usize> {
        (!self.machines.is_empty()).then(|| self.dice.below(self.machines.len()))
    }

    /// Places up to three tasks, and looks at each choice as if it were alone.
    fn place(&mut self) {
        let ask = self.asks[self.dice.below(self.asks.len())].clone();
        let count = 1 + self.dice.below(3);
        let requires = if ask.requires_zone { vec![Attribute::named("zone")] } else { vec![] };
        let request = Request {
            kind: ask.kind,
            demand: &ask.demand,
            requires: &requires,
            group: &ask.group,
            constraints: &ask.constraints(),
            strategies: &ask.strategies(),
            count: count as u32,
        };
        let best = allowed(&self.machines, &ask);
        let told: Vec<_> = self.fleet.equally_good(&request).iter().map(|it| it.bits()).collect();
        assert_eq!(told, best, "for {ask:?} of {:?}", self.machines);
        let placement = self.fleet.place(&request, self.dice.next());
        for chosen in &placement.placed {
            let best = allowed(&self.machines, &ask);
            assert!(best.contains(&chosen.bits()), "{chosen:?} is none of {best:?} for {ask:?}");
            let at = self.machines.iter().position(|it| it.id == chosen.bits()).unwrap();
            let group = Arc::clone(&ask.group);
            let machine = &mut self.machines[at];
            machine.tasks.push(Piece { group, demand: ask.demand.clone(), is_running: false });
            assert!(machine.is_sound(), "{machine:?}");
        }
        for machine in &self.machines {
            let known = self.fleet.candidate(InstanceId::from_bits(machine.id)).unwrap();
            assert_eq!(i64::from(known.remaining().cpu_units), machine.cpu_left());
            assert_eq!(i64::from(known.remaining().memory_mib), machine.memory_left());
        }
        let concerned = || self.machines.iter().filter(|it| it.concerns(&ask));
        assert_eq!(placement.candidates, concerned().count());
        let mut refused = vec![];
        if placement.placed.len() < count {
            assert_eq!(allowed(&self.machines, &ask), [], "more fit");
            let reason =
                |it: &Machine| Some((InstanceId::from_bits(it.id), it.reason_against(&ask)?));
            refused = concerned().filter_map(reason).collect();
        }
        assert_eq!(placement.refused, refused, "for {ask:?}");
    }
}

impl Ask {
    fn constraints(&self) -> Vec<Constraint> {
        let constraint = |it: &Rule| match it {
            Rule::Distinct => Constraint::DistinctInstance,
            Rule::MemberOf(at) => Constraint::MemberOf(PARSED[*at].clone()),
        };
        self.rules.iter().map(constraint).collect()
    }

    fn strategies(&self) -> Vec<Strategy> {
        let strategy = |it: &Order| match it {
            Order::Random => Strategy::parse("random", None),
            Order::Host => Strategy::parse("spread", Some("host")),
            Order::Zone => Strategy::parse("spread", Some("attribute:zone")),
            Order::Rack => Strategy::parse("spread", Some("attribute:rack")),
            Order::Cpu => Strategy::parse("binpack", Some("cpu")),
            Order::Memory => Strategy::parse("binpack", Some("memory")),
        };
        self.orders.iter().map(|it| strategy(it).unwrap()).collect()
    }
}

/// What chance brings: SplitMix64, of which the mixing is cut short.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end.max(1)
    }

    /// One time in so many.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn group(&mut self) -> Arc<str> {
        self.one_of(&["web", "db"]).into()
    }

    fn machine(&mut self, id: u128) -> Machine {
        let reserved = if self.once_in(4) { vec![80] } else { vec![] };
        Machine {
            id,
            is_active: !self.once_in(8),
            is_connected: !self.once_in(8),
            is_external: self.once_in(8),
            ec2_instance_id: self.once_in(3).then(|| "i-1".into()),
            zone: self.one_of(&[Some("a"), Some("a"), Some("b"), Some("c"), None]),
            rack: self.one_of(&[Some("1"), Some("2"), None]),
            cpu: 100 * self.below(8) as u32,
            memory: 100 * self.below(8) as u32,
            reserved,
            tasks: vec![],
        }
    }

    fn ask(&mut self) -> Ask {
        let orders = [
            Order::Random,
            Order::Host,
            Order::Zone,
            Order::Zone,
            Order::Rack,
            Order::Cpu,
            Order::Memory,
        ];
        let ports = self.one_of(&[&[][..], &[], &[], &[80], &[81, 82], &[83, 83]]);
        let resources = Resources {
            cpu_units: 100 * self.below(3) as u32,
            memory_mib: 100 * self.below(3) as u32,
        };
        let mut rules = vec![];
        for _ in 0..self.below(3) {
            let rule = Rule::MemberOf(self.below(EXPRESSIONS.len()));
            rules.push(if self.once_in(4) { Rule::Distinct } else { rule });
        }
        Ask {
            kind: self.one_of(&[
                None,
                Some(LaunchKind::Ec2),
                Some(LaunchKind::External),
                Some(LaunchKind::Fargate),
            ]),
            group: self.group(),
            demand: Demand { resources, ports_tcp: ports.into(), ports_udp: vec![] },
            requires_zone: self.once_in(4),
            rules,
            orders: (0..self.below(6)).map(|_| self.one_of(&orders)).collect(),
        }
    }
}
