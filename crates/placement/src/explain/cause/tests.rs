//! Every cause by its words, and that the first cause is the refusal.

use std::sync::Arc;

use proptest::prelude::*;

use longshore_model::Demand;

use super::*;
use crate::explain::grouped;
use crate::explain::testing::{FITS, with_request};
use crate::testing::{candidate, candidates};

fn with_filter<T>(check: impl FnOnce(&Filter<'_>) -> T) -> T {
    with_request(1024, |request| check(&request.filter()))
}

#[track_caller]
fn check(instance: &str, expect: &str) {
    let candidate = candidate(&format!("i {FITS} {instance}"));
    let detail = with_filter(|it| it.detail(&candidate));
    assert_eq!(detail.unwrap_or_default(), expect, "{instance}");
}

#[test]
fn each_cause_gives_its_figures() {
    check("", "");
    check("status=DRAINING", "the instance is DRAINING");
    check("agent=off", "the instance's agent is not connected");
    check("cpu=512/4096", "asked for 1,024 CPU units, but 512 of 4,096 remain");
    check("memory=256/3768", "asked for 512 MiB of memory, but 256 of 3,768 remain");
    check("tcp=80", "TCP 80 is taken by a task");
    check("reserved-tcp=80", "TCP 80 is reserved by the agent");
    check("udp=80 tcp=81", "");
    check("tcp=101-200", "asked for 1 host ports, but 100 of 100 are in use");
    check("tasks=web", "a task of group web runs there");
    check("tasks=web*2", "2 tasks of group web run there");
}

#[test]
fn an_attribute_is_absent_or_has_another_value() {
    let detail = |line| with_filter(|it| it.detail(&candidate(line)).unwrap_or_default());
    assert_eq!(detail("i @os=linux @zone=b"), "needs cap, which the instance lacks");
    assert_eq!(detail("i @cap @zone=b"), "needs os to be linux, which the instance lacks");
    assert_eq!(detail("i @cap @os=windows @zone=b"), "needs os to be linux, which is windows");
    let zone = "attribute:zone == b is false: zone is a";
    assert_eq!(detail("i @cap @os=linux @zone=a"), zone);
    let no_zone = "attribute:zone == b is false: the instance has no zone";
    assert_eq!(detail("i @cap @os=linux"), no_zone);
}

#[test]
fn all_causes_are_named_in_the_order_of_the_checks() {
    let instance = candidate("i @cap @zone=a status=DRAINING agent=off cpu=0 tcp=80 tasks=web");
    let expect = "the instance is DRAINING; the instance's agent is not connected; \
                  needs os to be linux, which the instance lacks; \
                  asked for 1,024 CPU units, but 0 of 0 remain; TCP 80 is taken by a task; \
                  attribute:zone == b is false: zone is a; a task of group web runs there";
    assert_eq!(with_filter(|it| it.detail(&instance)).unwrap(), expect);
}

#[test]
fn a_port_wanted_twice_is_a_cause_of_its_own() {
    let demand = Demand { ports_tcp: vec![80, 80], ports_udp: vec![80], ..Demand::default() };
    let filter = Filter::new(&demand, &[], "web", &[]);
    assert_eq!(filter.causes(&candidate("i")), [Cause::PortTwice(Port::Tcp(80))]);
    assert_eq!(filter.detail(&candidate("i")).unwrap(), "asked for TCP 80 twice");
}

#[test]
fn a_long_list_ends_in_how_many_more_there_are() {
    let demand = Demand { ports_tcp: (1..=10).collect(), ..Demand::default() };
    let filter = Filter::new(&demand, &[], "web", &[]);
    let detail = filter.detail(&candidate("i tcp=1-10")).unwrap();
    assert!(detail.ends_with("TCP 8 is taken by a task; and 2 more"), "{detail}");
}

#[test]
fn numbers_have_commas_between_thousands() {
    let numbers = [0, 999, 1000, 12_345, 999_999, 4_294_967_295].map(grouped);
    assert_eq!(numbers, ["0", "999", "1,000", "12,345", "999,999", "4,294,967,295"]);
}

proptest! {
    #[test]
    fn the_first_cause_is_the_refusal(
        (status, agent, zone, cap) in (0usize..2, 0usize..2, 0usize..3, any::<bool>()),
        (cpu, memory, tcp, tasks) in (0u32..3, 0u32..3, 78u16..82, 0u32..2),
        (wanted_cpu, wanted_memory) in (0u32..3, 0u32..3),
        ports_tcp in prop::collection::vec(78u16..82, 0..3),
    ) {
        let status = ["ACTIVE", "DRAINING"][status];
        let agent = ["on", "off"][agent];
        let zone = ["@zone=a", "@zone=b", ""][zone];
        let cap = if cap { "@cap" } else { "" };
        let tasks = if tasks > 0 { "tasks=web" } else { "" };
        let line = format!(
            "i status={status} agent={agent} {zone} {cap} cpu={cpu}/9 memory={memory}/9 tcp={tcp} {tasks}"
        );
        let mut demand = Demand { ports_tcp, ..Demand::default() };
        demand.resources.cpu_units = wanted_cpu;
        demand.resources.memory_mib = wanted_memory;
        let requires = [Attribute::named("cap")];
        let query = || Query::parse("attribute:zone == a or task:group == web").unwrap();
        let constraints =
            [Constraint::MemberOf(query()), Constraint::DistinctInstance, Constraint::MemberOf(query())];
        let group: Arc<str> = "web".into();
        let filter = Filter::new(&demand, &requires, &group, &constraints);
        for instance in candidates(&line) {
            let causes = filter.causes(&instance);
            prop_assert_eq!(causes.first().and_then(Cause::refusal), filter.refusal(&instance));
            for (at, cause) in causes.iter().enumerate() {
                prop_assert!(!causes[..at].contains(cause));
                prop_assert!(!filter.describe(cause, &instance).is_empty());
            }
        }
    }
}
