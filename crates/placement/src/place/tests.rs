//! The table of worked placements, each filter and strategy, and calls for several tasks.

use std::collections::BTreeSet;

use longshore_model::container_instance::MAX_USED_PORTS;

use super::*;
use crate::fleet::Fleet;
use crate::testing::{candidates, name};

/// The instances of the worked placements; the group is `web`.
const WORKED: &str = "
    first   memory=900/1000  @zone=a  tasks=web
    second  memory=400/1000  @zone=a
    third   memory=600/1000  @zone=b";

/// `COUNT KEY=VALUE...`: `cpu`, `memory`, `tcp`, `udp`, `requires`.
fn demand(text: &str) -> (u32, Demand, Vec<Attribute>) {
    let mut words = text.split_whitespace();
    let count = words.next().and_then(|it| it.parse().ok()).expect("a count");
    let (mut demand, mut requires) = (Demand::default(), vec![]);
    for word in words {
        let (key, value) = word.split_once('=').expect("key=value");
        let ports = || value.split(',').map(|it| it.parse().unwrap()).collect();
        match key {
            "cpu" => demand.resources.cpu_units = value.parse().unwrap(),
            "memory" => demand.resources.memory_mib = value.parse().unwrap(),
            "tcp" => demand.ports_tcp = ports(),
            "udp" => demand.ports_udp = ports(),
            "requires" => requires.push(match value.split_once(':') {
                Some((name, value)) => Attribute::with_value(name, value),
                None => Attribute::named(value),
            }),
            _ => panic!("{key} is no key"),
        }
    }
    (count, demand, requires)
}

/// Rules, one after another with commas: `distinctInstance`, `memberOf EXPRESSION`, `spread FIELD`.
fn rules(text: &str) -> (Vec<Constraint>, Vec<Strategy>) {
    let (mut constraints, mut strategies) = (vec![], vec![]);
    for rule in text.split(", ").filter(|it| !it.is_empty()) {
        let (kind, rest) = rule.split_once(' ').map_or((rule, None), |(kind, it)| (kind, Some(it)));
        match Constraint::parse(kind, rest) {
            Ok(constraint) => constraints.push(constraint),
            Err(_) => strategies.push(Strategy::parse(kind, rest).unwrap()),
        }
    }
    (constraints, strategies)
}

/// Both ways to place, which mean the same.
const WAYS: [Way; 2] = [place, place_by_fleet];

type Way = fn(Vec<Candidate>, &Request<'_>, u64) -> Placement;

fn place_by_fleet(instances: Vec<Candidate>, request: &Request<'_>, seed: u64) -> Placement {
    let mut fleet = Fleet::new();
    for it in instances {
        fleet.follow(it.id(), Some(it));
    }
    fleet.place(request, seed)
}

/// The names of the chosen instances, then each refused one's reason, by name.
fn placement(way: Way, instances: &str, tasks: &str, chosen_by: &str, seed: u64) -> String {
    let (count, demand, requires) = demand(tasks);
    let (constraints, strategies) = rules(chosen_by);
    let group = "web".into();
    let request = Request {
        kind: Some(LaunchKind::Ec2),
        demand: &demand,
        requires: &requires,
        group: &group,
        constraints: &constraints,
        strategies: &strategies,
        count,
    };
    let placement = way(candidates(instances), &request, seed);
    let placed = placement.placed.iter().map(|it| name(*it));
    let refused =
        placement.refused.iter().map(|(id, why)| format!("{}!{}", name(*id), why.reason()));
    let refused = refused.collect::<BTreeSet<_>>();
    placed.chain(refused).collect::<Vec<_>>().join(" ")
}

/// The outcome is one of those expected, whatever the seed, and every one of them with some seed.
#[track_caller]
fn check_any(instances: &str, tasks: &str, chosen_by: &str, expect: &[&str]) {
    let mut expect = expect.to_vec();
    expect.sort_unstable();
    for way in WAYS {
        let outcome = |seed| placement(way, instances, tasks, chosen_by, seed);
        let mut seen: Vec<_> = (0..100).map(outcome).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen, expect, "{tasks} by {chosen_by}");
    }
}

#[track_caller]
fn check(instances: &str, tasks: &str, chosen_by: &str, expect: &str) {
    check_any(instances, tasks, chosen_by, &[expect]);
}

#[test]
fn the_worked_placements_choose_what_ecs_does() {
    let small = "1 memory=300";
    check(WORKED, small, "binpack memory", "second");
    check(WORKED, small, "spread attribute:zone", "third");
    check_any(WORKED, small, "spread instanceId", &["second", "third"]);
    check(WORKED, small, "spread attribute:zone, binpack memory", "third");
    check(WORKED, small, "distinctInstance, binpack memory", "second");
    check(WORKED, small, "memberOf attribute:zone == a, spread instanceId", "second");
    for strategy in ["", "random", "binpack memory", "spread attribute:zone", "spread host"] {
        check(WORKED, "1 memory=700", strategy, "first");
    }
    let nowhere = "first!RESOURCE:MEMORY second!RESOURCE:MEMORY third!RESOURCE:MEMORY";
    check(WORKED, "1 memory=950", "binpack memory", nowhere);
}

#[test]
fn the_first_failing_check_is_the_reason() {
    let instances = "
        a  status=DRAINING
        b  agent=off        cpu=0
        c  @cap             cpu=0  memory=0
        d  @cap=1           cpu=0  memory=0
        e  @cap  @zone=a    cpu=0  memory=0
        f  @cap  @zone=a    memory=0  tcp=80
        g  @cap  @zone=a    tcp=80
        h  @cap  @zone=a
        i  @cap  @zone=a    tasks=web";
    let tasks = "1 cpu=1 memory=1 tcp=80 requires=cap requires=zone:a";
    let chosen_by = "memberOf task:group == web, distinctInstance";
    check(
        instances,
        tasks,
        chosen_by,
        "b!AGENT c!ATTRIBUTE d!ATTRIBUTE e!RESOURCE:CPU f!RESOURCE:MEMORY \
         g!RESOURCE:PORTS h!MemberOf placement constraint unsatisfied. \
         i!DistinctInstance placement constraint unsatisfied.",
    );
}

#[test]
fn a_chosen_instance_is_checked_without_constraints() {
    let instances = candidates("a cpu=10 tcp=80\nb agent=off\nc status=INACTIVE agent=off");
    let refusals = |text| {
        let (_, demand, requires) = demand(text);
        let filter = Filter::new(&demand, &requires, "", &[]);
        let reason = |it| filter.refusal(it).map_or("-", Refusal::reason);
        instances.iter().map(reason).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(refusals("1 cpu=10 tcp=81"), "- AGENT INACTIVE");
    assert_eq!(refusals("1 cpu=11 tcp=80"), "RESOURCE:CPU AGENT INACTIVE");
    assert_eq!(refusals("1 tcp=80"), "RESOURCE:PORTS AGENT INACTIVE");
    assert_eq!(refusals("1 requires=cap"), "ATTRIBUTE AGENT INACTIVE");
}

#[test]
fn everything_that_is_left_can_be_taken() {
    check("a cpu=100/400 memory=7/9", "1 cpu=100 memory=7", "", "a");
    check("a cpu=100/400", "1 cpu=101", "", "a!RESOURCE:CPU");
    check("a memory=7/9", "1 memory=8", "", "a!RESOURCE:MEMORY");
    check("a cpu=0 memory=0", "1 cpu=0 memory=0", "", "a");
}

#[test]
fn no_instance_has_more_host_ports_in_use_than_there_may_be() {
    let ports = |count: u16| {
        let ports: Vec<_> = (1000..1000 + count).map(|it| it.to_string()).collect();
        format!("1 tcp={}", ports.join(","))
    };
    let all = u16::try_from(MAX_USED_PORTS).unwrap();
    check("a", &ports(all), "", "a");
    check("a", &ports(all + 1), "", "a!RESOURCE:PORTS");
    check("a tcp=1", &ports(all), "", "a!RESOURCE:PORTS");
}

#[test]
fn ports_are_taken_per_protocol() {
    let instances = "
        a  reserved-tcp=22  tcp=80
        b  reserved-udp=22  udp=80
        c  udp=53";
    check(instances, "1 tcp=22 udp=53", "binpack cpu", "b");
    check_any(instances, "1 tcp=80", "", &["b", "c"]);
    check_any(instances, "1 udp=80", "", &["a", "c"]);
    check(instances, "1 tcp=22,80 udp=22", "", "c");
}

#[test]
fn a_port_wanted_twice_is_nowhere_free() {
    check("a", "1 tcp=80,80", "", "a!RESOURCE:PORTS");
    check("a", "1 udp=80,53,80", "", "a!RESOURCE:PORTS");
    check("a", "1 tcp=80 udp=80", "", "a");
}

#[test]
fn an_instance_has_at_most_100_used_ports() {
    check("a reserved-tcp=1-50 tcp=51-70 udp=1-29", "1 tcp=100", "", "a");
    check("a reserved-tcp=1-50 tcp=51-70 udp=1-29", "1 tcp=100,101", "", "a!RESOURCE:PORTS");
    check("a reserved-udp=1-100", "1 tcp=100", "", "a!RESOURCE:PORTS");
    check("a reserved-udp=1-100", "1 cpu=1", "", "a");
    check("a reserved-tcp=1-60 tcp=1-60", "1 tcp=100", "", "a");
}

#[test]
fn tasks_of_one_call_see_what_the_earlier_took() {
    check("a cpu=100", "3 cpu=50", "", "a a a!RESOURCE:CPU");
    check("a memory=100", "3 memory=50", "", "a a a!RESOURCE:MEMORY");
    check("a", "2 tcp=80", "", "a a!RESOURCE:PORTS");
    check("a", "2 udp=80", "", "a a!RESOURCE:PORTS");
    let once = "a a!DistinctInstance placement constraint unsatisfied.";
    check("a", "2 cpu=1", "distinctInstance", once);
    let never_beside_itself = "a a!MemberOf placement constraint unsatisfied.";
    check("a", "2 cpu=1", "memberOf task:group != web", never_beside_itself);
    check("a", "2 cpu=1", "memberOf runningTasksCount == 0", "a a");
}

#[test]
fn reasons_are_given_for_the_first_task_that_could_not_be_placed() {
    let instances = "
        a  cpu=100
        b  agent=off
        c  cpu=0";
    check(instances, "9 cpu=60", "", "a a!RESOURCE:CPU b!AGENT c!RESOURCE:CPU");
    check(instances, "1 cpu=60", "", "a");
}

#[test]
fn no_instances_and_no_tasks_are_nothing() {
    check("", "3 cpu=1", "spread host", "");
    check("a", "0 cpu=1", "", "");
}

#[test]
fn binpack_fills_the_fullest_instance_first() {
    let instances = "
        a  cpu=400  memory=900
        b  cpu=600  memory=400";
    check(instances, "3 cpu=200 memory=1", "binpack cpu", "a a b");
    check(instances, "3 cpu=100 memory=200", "binpack memory", "b b a");
    check("a cpu=90 memory=9\nb cpu=90 memory=8", "1 cpu=1", "binpack cpu, binpack memory", "b");
}

#[test]
fn spreading_counts_tasks_of_the_group_only() {
    let instances = "
        a  @zone=x  tasks=db*9
        b  @zone=x
        c  @zone=y  tasks=web";
    check_any(instances, "1 cpu=1", "spread attribute:zone", &["a", "b"]);
}

#[test]
fn spreading_counts_tasks_where_no_more_fit() {
    let instances = "
        a  @zone=x  tasks=web*3  cpu=0
        b  @zone=x
        c  @zone=y  tasks=web*2";
    check(instances, "1 cpu=1", "spread attribute:zone", "c");
}

#[test]
fn spreading_goes_on_within_one_call() {
    let instances = "
        a  @zone=x  memory=1000
        b  @zone=x  memory=2000
        c  @zone=y  memory=3000";
    let by_zone = "spread attribute:zone, spread instanceId, binpack memory";
    check(instances, "6 memory=1", by_zone, "a c b c a c");
    check(instances, "6 memory=1", "spread host, binpack memory", "a b c a b c");
}

#[test]
fn an_instance_without_the_attribute_comes_last_and_is_not_lost() {
    let instances = "
        a  cpu=1
        b  cpu=2  @zone=x  tasks=web*5";
    check(instances, "4 cpu=1", "spread attribute:zone", "b b a a!RESOURCE:CPU b!RESOURCE:CPU");
    check_any("a\nb", "1 cpu=1", "spread attribute:zone", &["a", "b"]);
}

#[test]
fn an_attribute_without_a_value_is_a_value_to_spread_over() {
    check("a @rack\nb @rack=1 tasks=web\nc", "1 cpu=1", "spread attribute:rack", "a");
    check("a @rack tasks=web\nb @rack=1\nc", "1 cpu=1", "spread attribute:rack", "b");
}

#[test]
fn what_follows_random_is_moot() {
    check_any(WORKED, "1 memory=1", "random, binpack memory", &["first", "second", "third"]);
    check_any(WORKED, "1 memory=1", "", &["first", "second", "third"]);
    check_any(WORKED, "1 memory=1", "spread host, random, binpack memory", &["second", "third"]);
}

#[test]
fn a_seed_decides_all() {
    let instances = "a\nb\nc\nd";
    for way in WAYS {
        let outcome = |seed| placement(way, instances, "8 cpu=1", "", seed);
        assert_eq!(outcome(7), outcome(7));
        assert!((0..20).any(|seed| outcome(seed) != outcome(7)));
    }
}

#[test]
fn distinct_instances_see_tasks_of_earlier_calls() {
    let instances = "
        a  tasks=web
        b  tasks=db";
    let reason = "DistinctInstance placement constraint unsatisfied.";
    let expect = format!("b a!{reason} b!{reason}");
    check(instances, "2 cpu=1", "distinctInstance", &expect);
}

#[test]
fn constraints_that_contradict_each_other_place_nothing_and_say_so() {
    let instances = "
        a  @zone=a
        b  @zone=b  tasks=web";
    let member = "MemberOf placement constraint unsatisfied.";
    let distinct = "DistinctInstance placement constraint unsatisfied.";
    let neither = format!("a!{member} b!{member}");
    let apart = "memberOf attribute:zone == a, memberOf attribute:zone == b";
    check(instances, "1 cpu=1", apart, &neither);
    check(instances, "1 cpu=1", "memberOf attribute:zone == a and attribute:zone == b", &neither);
    check(instances, "1 cpu=1", "memberOf task:group == web and task:group != web", &neither);
    let beside_itself_and_not = format!("a!{member} b!{distinct}");
    check(
        instances,
        "1 cpu=1",
        "distinctInstance, memberOf task:group == web",
        &beside_itself_and_not,
    );
}
