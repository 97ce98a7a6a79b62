//! What is placed, and on what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use longshore_model::container_instance::VersionInfo;
use longshore_model::{
    Attribute, ContainerInstance, Demand, InstanceId, InstanceStatus, Occupancy, Resources, TaskId,
    Timestamp,
};
use longshore_placement::{Candidate, Constraint, Fleet, Request, Strategy, place};

use crate::Outcome;

/// As many tasks as one call may have.
const TASKS_A_CALL: usize = 10;

/// How many tasks there are for each instance before all end and it begins anew. At 10,000 instances,
/// with a port for each definition, packing puts as many on each that it uses.
const MOST_AN_INSTANCE: usize = 14;

/// How many definitions are run in turn, where a row does not say otherwise.
const DEFINITIONS: usize = 16;

/// One row.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) goal: &'static str,
    pub(crate) tasks: usize,
    tasks_a_call: usize,
    instances: Vec<Candidate>,
    definitions: Vec<Definition>,
}

/// What one family of tasks asks for.
pub(crate) struct Definition {
    group: Arc<str>,
    demand: Demand,
    constraints: Vec<Constraint>,
    strategies: Vec<Strategy>,
}

/// A row's instances, filling up.
pub(crate) struct Bench<'a> {
    row: &'a Workload,
    fleet: Fleet,
    /// The state that the fleet is told of.
    known: BTreeMap<InstanceId, Candidate>,
    /// How many tasks it ever had.
    entered: u128,
}

/// How definitions are made: all alike but for their groups, ports and demands.
#[derive(Clone, Copy)]
struct Pattern<'a> {
    definitions: usize,
    first_port: Option<u16>,
    /// What a task takes at least, of 64 GiB an instance.
    memory_mib: u32,
    constraints: &'a [&'a str],
    strategies: &'a [&'a str],
}

/// Three zones, a port for each definition, and an expression that 15 of 16 pass.
const MAIN: Pattern<'static> = Pattern {
    definitions: DEFINITIONS,
    first_port: Some(20_000),
    memory_mib: 16,
    constraints: &["memberOf attribute:ecs.instance-type in [m5.large, c5.large]"],
    strategies: &["spread attribute:ecs.availability-zone", "binpack memory"],
};

impl Workload {
    pub(crate) fn main(instances: usize) -> Outcome<Self> {
        Self::new("zone spread, binpack(memory), port, memberOf", "200,000", instances, MAIN)
    }

    fn new(
        name: &'static str,
        goal: &'static str,
        instances: usize,
        pattern: Pattern<'_>,
    ) -> Outcome<Self> {
        Ok(Self {
            name,
            goal,
            tasks: 10_000,
            tasks_a_call: TASKS_A_CALL,
            instances: (0..instances).map(instance).collect::<Result<_, _>>()?,
            definitions: (0..pattern.definitions)
                .map(|at| Definition::new(at, pattern))
                .collect::<Result<_, _>>()?,
        })
    }

    fn one_a_call(self) -> Self {
        Self { name: "the same, one task a call", tasks_a_call: 1, ..self }
    }

    /// With room for tasks on one of a hundred instances only.
    fn nearly_full(mut self) -> Self {
        for (_, it) in self.instances.iter_mut().enumerate().filter(|(at, _)| at % 100 != 0) {
            Arc::make_mut(&mut it.occupancy).taken = it.instance.registered;
        }
        self
    }

    pub(crate) fn instances(&self) -> usize {
        self.instances.len()
    }

    pub(crate) fn bench(&self) -> Bench<'_> {
        let mut fleet = Fleet::new();
        for it in &self.instances {
            fleet.follow(it.id(), Some(it.clone()));
        }
        let known = self.instances.iter().map(|it| (it.id(), it.clone())).collect();
        Bench { row: self, fleet, known, entered: 0 }
    }
}

/// The rows beside the main one.
pub(crate) fn rows(instances: usize) -> Outcome<Vec<Workload>> {
    let many = |name, definitions| {
        // At most 128 tasks an instance, of as many groups: more would be beside the point.
        let pattern = Pattern { definitions, first_port: None, memory_mib: 512, ..MAIN };
        Workload::new(name, "100,000", instances, pattern)
    };
    let row = |name, constraints: &[&str], strategies: &[&str]| {
        let pattern = Pattern { first_port: None, constraints, strategies, ..MAIN };
        Workload::new(name, "100,000", instances, pattern)
    };
    let (zone, rack) = ("spread attribute:ecs.availability-zone", "spread attribute:rack");
    Ok(vec![
        Workload::main(instances)?.one_a_call(),
        many("99 of 100 instances full", DEFINITIONS)?.nearly_full(),
        row("spread(instanceId)", &[], &["spread instanceId"])?,
        row("binpack(cpu)", &[], &["binpack cpu"])?,
        row("random", &[], &["random"])?,
        row("distinctInstance", &["distinctInstance"], &[])?,
        row("spread(attribute), 1,000 values", &[], &[rack])?,
        row("spread over 3 zones, then 1,000 racks", &[], &[zone, rack])?,
        row("memberOf that all pass", &["memberOf attribute:ecs.instance-type exists"], &[])?,
        row("memberOf that 10 pass", &["memberOf attribute:number < 10"], &[])?,
        row("memberOf about tasks", &["memberOf task:group != other"], &[])?,
        many("100 requests in turn", 100)?,
        many("1,000 requests in turn; cold: each new", 1_000)?,
    ])
}

/// A definition with an expression that no call had before.
pub(crate) fn first_use(number: usize) -> Outcome<Definition> {
    let expression = format!("memberOf attribute:number != {number}");
    let (constraints, strategies) = (&[&*expression][..], &["binpack memory"][..]);
    let pattern = Pattern { first_port: None, constraints, strategies, ..MAIN };
    Definition::new(0, pattern)
}

/// A definition for which no instance has enough memory.
pub(crate) fn too_large() -> Outcome<Definition> {
    let mut definition = Definition::new(0, MAIN)?;
    definition.demand.resources.memory_mib = u32::MAX;
    Ok(definition)
}

impl Definition {
    fn new(at: usize, pattern: Pattern<'_>) -> Outcome<Self> {
        let split = |text: &str| match text.split_once(' ') {
            Some((kind, rest)) => (kind.to_owned(), Some(rest.to_owned())),
            None => (text.to_owned(), None),
        };
        let constraint = |text: &&str| {
            let (kind, expression) = split(text);
            Constraint::parse(&kind, expression.as_deref())
        };
        let strategy = |text: &&str| {
            let (kind, field) = split(text);
            Strategy::parse(&kind, field.as_deref())
        };
        let step = at as u32;
        Ok(Self {
            group: format!("family:web-{at}").into(),
            demand: Demand {
                resources: Resources {
                    cpu_units: 5 + step % 4,
                    memory_mib: pattern.memory_mib + step,
                },
                ports_tcp: pattern.first_port.map(|it| it + at as u16).into_iter().collect(),
                ports_udp: vec![],
            },
            constraints: pattern.constraints.iter().map(constraint).collect::<Result<_, _>>()?,
            strategies: pattern.strategies.iter().map(strategy).collect::<Result<_, _>>()?,
        })
    }

    fn request(&self, count: usize) -> Request<'_> {
        Request {
            kind: None,
            demand: &self.demand,
            requires: &[],
            group: &self.group,
            constraints: &self.constraints,
            strategies: &self.strategies,
            count: count as u32,
        }
    }
}

impl Bench<'_> {
    /// One call of each definition, so that none is new.
    pub(crate) fn warm_up(&mut self) {
        for definition in &self.row.definitions {
            self.call(&definition.request(1), 0);
        }
    }

    /// Places so many tasks; all end now and then. Gives how many were placed.
    pub(crate) fn run(&mut self, tasks: usize, seed: u64) -> usize {
        let row = self.row;
        let (mut placed, mut live) = (0, 0);
        for number in 0..tasks / row.tasks_a_call {
            let definition = &row.definitions[number % row.definitions.len()];
            let request = definition.request(row.tasks_a_call);
            let count = self.call(&request, seed << 32 | number as u64);
            placed += count;
            live += count;
            if live + row.tasks_a_call > MOST_AN_INSTANCE * row.instances() {
                self.end_all();
                live = 0;
            }
        }
        placed
    }

    /// Places tasks, enters them into the state, and tells the fleet what the state is then.
    fn call(&mut self, request: &Request<'_>, seed: u64) -> usize {
        let placed = self.fleet.place(request, seed).placed;
        placed.iter().for_each(|it| self.enter(*it, request));
        let changed: BTreeSet<_> = placed.iter().collect();
        for id in changed {
            self.fleet.follow(*id, self.known.get(id).cloned());
        }
        placed.len()
    }

    fn enter(&mut self, id: InstanceId, request: &Request<'_>) {
        if let Some(it) = self.known.get_mut(&id) {
            self.entered += 1;
            let task = TaskId::from_bits(self.entered);
            Arc::make_mut(&mut it.occupancy).enter(task, request.group, request.demand);
        }
    }

    fn end_all(&mut self) {
        for it in &self.row.instances {
            self.known.insert(it.id(), it.clone());
            self.fleet.follow(it.id(), Some(it.clone()));
        }
    }

    /// The same by looking at every instance for each call.
    pub(crate) fn run_naive(&mut self, tasks: usize, seed: u64) -> usize {
        let row = self.row;
        let mut placed = 0;
        let mut live = 0;
        for number in 0..tasks.div_ceil(row.tasks_a_call) {
            let request = row.definitions[number % row.definitions.len()].request(row.tasks_a_call);
            let all = self.known.values().cloned().collect();
            let chosen = place(all, &request, seed << 32 | number as u64).placed;
            chosen.iter().for_each(|it| self.enter(*it, &request));
            placed += chosen.len();
            live += chosen.len();
            if live + row.tasks_a_call > MOST_AN_INSTANCE * row.instances() {
                self.known = row.instances.iter().map(|it| (it.id(), it.clone())).collect();
                live = 0;
            }
        }
        placed
    }

    pub(crate) fn place_one(&mut self, definition: &Definition) {
        self.call(&definition.request(1), 0);
    }
}

fn instance(at: usize) -> Outcome<Candidate> {
    let attribute = |name: &str, value: String| Attribute::with_value(name, value);
    let instance_type = if at % 16 == 15 { "t3.large" } else { ["m5.large", "c5.large"][at % 2] };
    let instance = ContainerInstance {
        id: InstanceId::from_bits(at as u128),
        arn_form: Default::default(),
        cluster: "default".parse()?,
        status: InstanceStatus::Active,
        agent_connected: true,
        connected_at: None,
        away_since: None,
        version: 1,
        registered: Resources { cpu_units: 16_384, memory_mib: 65_536 },
        reserved_ports_tcp: [22, 2375, 2376, 51_678, 51_679].into(),
        reserved_ports_udp: [].into(),
        attributes: vec![
            attribute("ecs.availability-zone", ["a", "b", "c"][at % 3].into()),
            attribute("ecs.instance-type", instance_type.into()),
            attribute("rack", (at % 1_000).to_string()),
            attribute("number", at.to_string()),
        ],
        ec2_instance_id: Some(format!("i-{at:017x}")),
        version_info: VersionInfo::default(),
        registered_at: Timestamp::from_millis(0),
        deregistered_at: None,
        tags: Default::default(),
    };
    Ok(Candidate { instance: Arc::new(instance), occupancy: Arc::new(Occupancy::default()) })
}
