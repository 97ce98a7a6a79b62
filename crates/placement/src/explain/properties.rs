//! Clusters and requests made up at random: what is explained agrees with what placement does, and
//! the changes that are named suffice.

use std::sync::Arc;

use longshore_model::{Attribute, Demand, InstanceStatus, LaunchKind};
use proptest::prelude::*;

use super::*;
use crate::candidate::Candidate;
use crate::constraint::Constraint;
use crate::filter::Filter;
use crate::place::{Request, place};
use crate::port::Port;
use crate::query::{Query, Subject};
use crate::testing::{self, candidate};

/// No two are about the same thing, so that satisfying one leaves the others as they are.
const EXPRESSIONS: [&str; 7] = [
    "attribute:zone in [b, c]",
    "attribute:rack exists and not(attribute:disk == hdd)",
    "attribute:level != 1 or attribute:speed >= 2",
    "attribute:cores > 1",
    "not(attribute:spot exists)",
    "task:group != db and task:group == log",
    "runningTasksCount < 2",
];

/// Those about the same things, which can contradict each other.
const ENTANGLED: [&str; 8] = [
    "attribute:zone in [b, c]",
    "attribute:zone != b",
    "not(attribute:zone == c) or attribute:rack exists",
    "attribute:rack == 1 and attribute:disk == ssd",
    "attribute:disk == hdd or attribute:zone exists and not(attribute:rack exists)",
    "task:group != web or agentConnected == false",
    "task:group == web or runningTasksCount > 1",
    "agentConnected == false and runningTasksCount < 3",
];

/// What is asked for.
#[derive(Clone, Debug)]
struct Ask {
    kind: Option<LaunchKind>,
    demand: Demand,
    requires: Vec<Attribute>,
    constraints: Vec<Constraint>,
    count: u32,
}

impl Ask {
    fn request<'a>(&'a self, group: &'a Arc<str>) -> Request<'a> {
        Request {
            kind: self.kind,
            demand: &self.demand,
            requires: &self.requires,
            group,
            constraints: &self.constraints,
            strategies: &[],
            count: self.count,
        }
    }
}

fn any_instance() -> impl Strategy<Value = String> {
    let word = |words: &'static [&'static str]| prop::sample::select(words);
    let status = word(&["", "", "", "status=DRAINING", "status=INACTIVE"]);
    let agent = word(&["", "", "", "agent=off"]);
    let kind = word(&["", "", "@ecs.capability.external", "ec2=i-1"]);
    let capability = word(&["@cap", "@cap", ""]);
    let attributes = prop::collection::vec(
        word(&[
            "@zone=a",
            "@zone=b",
            "@rack=1",
            "@disk=hdd",
            "@disk=ssd",
            "@level=1",
            "@level=2",
            "@speed=1",
            "@speed=3",
            "@cores=1",
            "@cores=2",
            "@spot",
        ]),
        0..6,
    );
    let ports = word(&["", "", "tcp=80", "tcp=80,81", "reserved-tcp=80", "tcp=101-199", "udp=53"]);
    let tasks = word(&["", "", "tasks=web", "tasks=web*2,db", "tasks=log", "tasks=db,log"]);
    let amounts = (0_u32..5, 0_u32..5, 0_u32..4);
    (status, agent, kind, capability, attributes, ports, tasks, amounts).prop_map(
        |(
            status,
            agent,
            kind,
            capability,
            mut attributes,
            ports,
            tasks,
            (cpu, memory, running),
        )| {
            // One value for each name.
            attributes.sort_unstable();
            attributes.dedup_by_key(|it| it.split('=').next());
            let attributes = attributes.join(" ");
            format!(
                "cpu={cpu}/4 memory={memory}/4 running={running} {status} {agent} {kind} \
                 {capability} {attributes} {ports} {tasks}"
            )
        },
    )
}

fn any_ask() -> impl Strategy<Value = Ask> {
    let kind = prop::sample::select(&[
        None,
        Some(LaunchKind::Ec2),
        Some(LaunchKind::External),
        Some(LaunchKind::Fargate),
    ]);
    let requires = prop::sample::subsequence(
        vec![Attribute::named("cap"), Attribute::with_value("os", "linux")],
        0..=2,
    );
    let expressions = prop::sample::subsequence(EXPRESSIONS.to_vec(), 0..=4);
    let ports = prop::sample::subsequence(vec![80, 81], 0..=2);
    let amounts = (0_u32..6, 0_u32..6, any::<bool>(), 1_u32..4);
    (kind, requires, expressions, ports, amounts).prop_map(
        |(kind, requires, expressions, ports_tcp, (cpu, memory, distinct, count))| {
            let mut demand = Demand { ports_tcp, ..Demand::default() };
            demand.resources.cpu_units = cpu;
            demand.resources.memory_mib = memory;
            let of = |it: &&str| Constraint::MemberOf(Query::parse(it).unwrap());
            let mut constraints: Vec<_> = expressions.iter().map(of).collect();
            constraints.extend(distinct.then_some(Constraint::DistinctInstance));
            Ask { kind, demand, requires, constraints, count }
        },
    )
}

/// What the changes are about.
fn subjects<'a>(changes: &[Change<'a>]) -> Vec<Subject<'a>> {
    let mut subjects: Vec<_> = changes.iter().filter_map(Change::subject).collect();
    for change in changes {
        if let Change::Satisfy(wish) = change {
            wish.add_subjects(&mut subjects);
        }
    }
    subjects
}

/// Makes a change; false where it is none that can be made to this instance.
fn make(change: &Change<'_>, candidate: &mut Candidate, ask: &mut Ask) -> bool {
    let instance = Arc::make_mut(&mut candidate.instance);
    let occupancy = Arc::make_mut(&mut candidate.occupancy);
    match change {
        Change::LaunchAs(kind) => ask.kind = *kind,
        Change::SetActive | Change::Register => instance.status = InstanceStatus::Active,
        Change::ConnectAgent => instance.agent_connected = true,
        Change::Attribute(attribute) => {
            instance.attributes.retain(|it| it.name != attribute.name);
            instance.attributes.push((*attribute).clone());
        }
        Change::Free(Amount::Cpu(units)) => occupancy.taken.cpu_units -= units,
        Change::Free(Amount::Memory(mib)) => occupancy.taken.memory_mib -= mib,
        Change::Free(Amount::Ports(ports)) => {
            let ended: Vec<u16> = occupancy.ports_tcp.iter().copied().collect();
            for port in ended.into_iter().rev().take(usize::try_from(*ports).unwrap()) {
                occupancy.ports_tcp.remove_mut(&port);
            }
        }
        Change::HaveInAll(_) | Change::AskOnceFor(_) => return false,
        Change::FreePort(Port::Tcp(port)) => {
            occupancy.ports_tcp.remove_mut(port);
        }
        Change::FreePort(Port::Udp(port)) => {
            occupancy.ports_udp.remove_mut(port);
        }
        Change::GiveUpPort(Port::Tcp(port)) => {
            instance.reserved_ports_tcp.remove(port);
        }
        Change::GiveUpPort(Port::Udp(port)) => {
            instance.reserved_ports_udp.remove(port);
        }
        Change::Satisfy(wish) => wish.make(candidate),
        Change::EndTasksOf(group, _) => {
            occupancy.groups.remove_mut(*group);
        }
    }
    true
}

proptest! {
    #[test]
    fn those_are_explained_as_out_that_placement_does_not_choose(
        lines in prop::collection::vec(any_instance(), 0..6),
        ask in any_ask(),
    ) {
        let group: Arc<str> = "web".into();
        let request = ask.request(&group);
        let lines: Vec<_> = (0..).zip(&lines).map(|(at, it)| format!("{at} {it}")).collect();
        let candidates: Vec<_> = lines.iter().map(|it| candidate(it)).collect();
        let summary = request.summary(candidates.iter());
        let mut suitable = 0;
        for one in &candidates {
            let causes = request.causes(one);
            let placement = place(vec![one.clone()], &Request { count: 1, ..request }, 0);
            prop_assert_eq!(causes.is_empty(), placement.placed.len() == 1);
            // A refusal is the first cause; who is not even asked is of another kind or status.
            match placement.refused.first() {
                Some((_, refusal)) => {
                    prop_assert_eq!(causes[0].refusal(), Some(*refusal));
                    prop_assert_eq!(causes[0].reason(), refusal.reason());
                }
                None if causes.is_empty() => suitable += 1,
                None => prop_assert!(matches!(
                    causes[0], Cause::LaunchType(_) | Cause::Status(_)
                )),
            }
        }
        prop_assert_eq!(summary.suitable, suitable);
        let out = candidates.len() - usize::try_from(suitable).unwrap();
        prop_assert_eq!(summary.nearest.len(), out.min(MAX_NEAREST));
        let of_cause = |cause: &Cause<'_>| {
            let with = candidates.iter().filter(|it| request.causes(it).contains(cause));
            u32::try_from(with.count()).unwrap()
        };
        for tally in &summary.tallies {
            prop_assert_eq!(tally.count, of_cause(&tally.cause));
            prop_assert!(tally.alone <= tally.count);
        }
    }

    #[test]
    fn an_instance_fits_once_the_changes_are_made(line in any_instance(), mut ask in any_ask()) {
        let group: Arc<str> = "web".into();
        let mut candidate = candidate(&format!("i {line}"));
        let before = ask.clone();
        let request = before.request(&group);
        let filter = request.filter();
        let causes = request.causes(&candidate);
        let changes = filter.changes(&causes, &candidate);
        let all_made = changes.iter().all(|it| make(it, &mut candidate, &mut ask));
        let can_be_made = changes.iter().all(|it| it.steps().is_some());
        prop_assert_eq!(all_made, can_be_made);
        if all_made {
            let left = ask.request(&group).causes(&candidate);
            prop_assert!(left.is_empty(), "{:?} leave {:?} of {:?}", changes, left, candidate);
        }
        // None of them is named for nothing.
        prop_assert_eq!(changes.is_empty(), causes.is_empty());
    }

    /// Also where constraints look at the same things.
    #[test]
    fn whatever_is_as_the_changes_say_fits(
        line in any_instance(),
        other in any_instance(),
        expressions in prop::sample::subsequence(ENTANGLED.to_vec(), 1..=3),
        distinct in any::<bool>(),
    ) {
        let of = |it: &&str| Constraint::MemberOf(Query::parse(it).unwrap());
        let mut constraints: Vec<_> = expressions.iter().map(of).collect();
        constraints.extend(distinct.then_some(Constraint::DistinctInstance));
        let demand = Demand::default();
        let requires = [Attribute::with_value("zone", "b")];
        let filter = Filter::new(&demand, &requires[..usize::from(distinct)], "web", &constraints);
        let candidate = candidate(&format!("i {line}"));
        let changes = filter.changes(&filter.causes(&candidate), &candidate);
        // Another instance, in what the changes are about; all else stays.
        let other = testing::candidate(&format!("i {other}"));
        let mut changed = candidate.clone();
        let instance = Arc::make_mut(&mut changed.instance);
        let occupancy = Arc::make_mut(&mut changed.occupancy);
        instance.status = InstanceStatus::Active;
        for subject in subjects(&changes) {
            match subject {
                Subject::Attribute(name) => {
                    instance.attributes.retain(|it| &*it.name != name);
                    let given = other.instance.attributes.iter().filter(|it| &*it.name == name);
                    instance.attributes.extend(given.cloned());
                }
                Subject::TaskGroup => occupancy.groups = other.occupancy.groups.clone(),
                Subject::AgentConnected => instance.agent_connected = other.instance.agent_connected,
                Subject::RunningTasksCount => occupancy.running = other.occupancy.running,
                Subject::AgentVersion | Subject::Ec2InstanceId | Subject::RegisteredAt => {}
            }
        }
        let is_so = changes.iter().all(|it| match it {
            Change::Satisfy(wish) => wish.is_granted_by(&changed),
            Change::Attribute(attribute) => attribute.is_met_by(&changed.instance.attributes),
            Change::ConnectAgent => changed.instance.agent_connected,
            Change::EndTasksOf(group, _) => changed.tasks_of(group) == 0,
            _ => true,
        });
        if is_so {
            let left = filter.causes(&changed);
            prop_assert!(left.is_empty(), "{:?} leave {:?} of {:?}", changes, left, changed);
        }
    }
}
