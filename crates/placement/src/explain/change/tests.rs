//! Every change by its words; that it suffices is shown in `explain::properties`.

use std::sync::Arc;

use longshore_model::Demand;

use super::*;
use crate::constraint::Constraint;
use crate::explain::testing::{FITS, with_request};
use crate::query::Query;
use crate::testing::candidate;

#[track_caller]
fn check(instance: &str, expect: &str) {
    let candidate = candidate(&format!("i {instance}"));
    let changes = with_request(1024, |request| {
        let (filter, causes) = (request.filter(), request.causes(&candidate));
        let change = |it| filter.change(it, &candidate).to_string();
        causes.iter().map(change).collect::<Vec<_>>()
    });
    assert_eq!(changes.join("; "), expect, "{instance}");
}

#[test]
fn each_cause_has_its_change() {
    check(FITS, "");
    for (instance, expect) in [
        ("status=DRAINING", "set it ACTIVE"),
        ("status=INACTIVE", "register it again"),
        ("agent=off", "connect its agent"),
        ("cpu=512/4096", "free 512 CPU units"),
        ("cpu=1023/4096", "free 1 CPU unit"),
        ("memory=12/4096", "free 500 MiB of memory"),
        ("tcp=80", "free TCP 80"),
        ("reserved-tcp=80", "let its agent not reserve TCP 80"),
        ("tcp=101-200", "free 1 host port"),
        ("tasks=web", "end the task of group web there"),
        ("tasks=web*1200", "end the 1,200 tasks of group web there"),
        ("@ecs.capability.external", "launch the task as EXTERNAL"),
        ("@ecs.capability.external ec2=i-1", "launch the task without a launch type"),
    ] {
        check(&format!("{FITS} {instance}"), expect);
    }
    check("@os=linux @zone=b", "attribute:cap would have to be there");
    check("@cap @os=windows @zone=b", "attribute:os would have to be linux");
    check("@cap @os=linux @zone=a", "attribute:zone would have to be b");
}

#[test]
fn an_instance_that_is_too_small_cannot_be_helped() {
    let changes = "it would have to have 1,024 CPU units in all; \
                   it would have to have 512 MiB of memory in all";
    check(&format!("{FITS} cpu=0/1000 memory=511/511"), changes);
}

/// An agent may register again with less than its tasks have.
#[test]
fn where_more_is_taken_than_there_is_that_is_to_be_freed_too() {
    let mut candidate = candidate("i cpu=0/8192 memory=4096");
    Arc::make_mut(&mut candidate.instance).registered.cpu_units = 1024;
    let mut demand = Demand::default();
    demand.resources.cpu_units = 1000;
    let filter = Filter::new(&demand, &[], "web", &[]);
    let change = filter.change(&Cause::Cpu, &candidate).to_string();
    assert_eq!(change, "free 8,168 CPU units");
}

#[test]
fn a_port_is_asked_for_once() {
    let demand = Demand { ports_tcp: vec![80, 80], ..Demand::default() };
    let filter = Filter::new(&demand, &[], "web", &[]);
    let candidate = candidate("i");
    let changes: Vec<_> = filter
        .causes(&candidate)
        .iter()
        .map(|it| filter.change(it, &candidate).to_string())
        .collect();
    assert_eq!(changes, ["ask for TCP 80 once only"]);
}

#[test]
fn all_causes_have_a_change_each() {
    check(
        "@cap @zone=a status=DRAINING agent=off cpu=0/4096 tcp=80 tasks=web",
        "set it ACTIVE; connect its agent; attribute:os would have to be linux; \
         free 1,024 CPU units; free TCP 80; attribute:zone would have to be b; \
         end the task of group web there",
    );
}

#[test]
fn what_two_constraints_want_of_one_attribute_is_named_together() {
    let changes = |expressions: &[&str], instance: &str| {
        let of = |it: &&str| Constraint::MemberOf(Query::parse(it).unwrap());
        let constraints: Vec<_> = expressions.iter().map(of).collect();
        let demand = Demand::default();
        let filter = Filter::new(&demand, &[], "web", &constraints);
        let candidate = candidate(instance);
        let changes = filter.changes(&filter.causes(&candidate), &candidate);
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let both = ["attribute:zone in [a, b]", "attribute:zone != a", "attribute:rack exists"];
    let wants = "attribute:zone would have to be one of a, b; \
                 attribute:zone would have to be other than a";
    assert_eq!(changes(&both, "i @zone=a @rack=1"), wants);
    // Nothing satisfies these, and that shows.
    let contradict = ["attribute:zone == a", "attribute:zone == b"];
    let wants = "attribute:zone would have to be a; attribute:zone would have to be b";
    assert_eq!(changes(&contradict, "i @zone=a"), wants);
    let wants = "connect its agent; agentConnected would have to be false";
    assert_eq!(changes(&["agentConnected == false"], "i agent=off"), wants);
    assert_eq!(changes(&["agentConnected == false"], "i"), wants);
}
