//! What a fleet keeps between calls.

use longshore_model::{Attribute, Demand, LaunchKind};

use super::*;
use crate::constraint::Constraint;
use crate::filter::Refusal;
use crate::strategy::Strategy;
use crate::testing::{candidate, candidates, name};

fn fleet(lines: &str) -> Fleet {
    let mut fleet = Fleet::new();
    for candidate in candidates(lines) {
        fleet.follow(candidate.id(), Some(candidate));
    }
    fleet
}

fn constraint(expression: &str) -> Constraint {
    Constraint::parse("memberOf", Some(expression)).unwrap()
}

/// Places tasks of the group `web`, each with so much CPU.
fn place(fleet: &mut Fleet, kind: Option<LaunchKind>, count: u32, cpu_units: u32) -> Placement {
    let mut demand = Demand::default();
    demand.resources.cpu_units = cpu_units;
    let request = Request {
        kind,
        demand: &demand,
        requires: &[],
        group: &"web".into(),
        constraints: &[],
        strategies: &[],
        count,
    };
    fleet.place(&request, 1)
}

fn placed(placement: &Placement) -> Vec<String> {
    placement.placed.iter().map(|it| name(*it)).collect()
}

#[test]
fn what_was_placed_counts_in_the_next_call() {
    let mut fleet = fleet("a cpu=100");
    let id = candidate("a").id();
    for _ in 0..2 {
        assert_eq!(placed(&place(&mut fleet, Some(LaunchKind::Ec2), 1, 50)), ["a"]);
    }
    assert_eq!(fleet.candidate(id).map(|it| it.occupancy.tasks.size()), Some(2));
    let refused = place(&mut fleet, Some(LaunchKind::Ec2), 1, 50).refused;
    assert_eq!(refused, [(id, Refusal::Cpu)]);
}

#[test]
fn what_is_told_of_an_instance_replaces_what_was_placed_there() {
    let mut fleet = fleet("a cpu=100");
    let a = candidate("a cpu=100");
    assert_eq!(placed(&place(&mut fleet, Some(LaunchKind::Ec2), 2, 50)), ["a", "a"]);
    fleet.follow(a.id(), Some(a));
    assert_eq!(placed(&place(&mut fleet, Some(LaunchKind::Ec2), 2, 50)), ["a", "a"]);
}

#[test]
fn who_is_not_active_or_serves_another_kind_is_not_asked() {
    let lines = "d status=DRAINING\ne @ecs.capability.external\ni status=INACTIVE";
    let mut fleet = fleet(lines);
    assert_eq!(place(&mut fleet, Some(LaunchKind::Ec2), 1, 1), Placement::default());
    let external = place(&mut fleet, Some(LaunchKind::External), 1, 1);
    assert_eq!((external.candidates, placed(&external)), (1, vec!["e".to_owned()]));
    fleet.follow(candidate("e").id(), None);
    assert_eq!(place(&mut fleet, Some(LaunchKind::External), 1, 1), Placement::default());
}

#[test]
fn refusals_come_in_the_order_of_ids() {
    let mut fleet = fleet("c\na\nb agent=off");
    let refused = place(&mut fleet, Some(LaunchKind::Ec2), 1, 9999).refused;
    assert_eq!(refused.iter().map(|it| name(it.0)).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(fleet.candidates().map(|it| name(it.id())).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn expressions_of_many_requests_are_not_all_kept() {
    let mut fleet = fleet("a");
    let demand = Demand::default();
    let mut constraints: Vec<_> = (0..10)
        .map(|number| {
            let patterns = (0..16).map(|it| format!("attribute:a{it} !~ {number}"));
            constraint(&patterns.collect::<Vec<_>>().join(" and "))
        })
        .collect();
    for number in 0..40 {
        constraints[0] = constraint(&format!("attribute:a !~ {number}"));
        let request = Request {
            kind: Some(LaunchKind::Ec2),
            demand: &demand,
            requires: &[],
            group: &"web".into(),
            constraints: &constraints,
            strategies: &[],
            count: 1,
        };
        fleet.place(&request, 1);
    }
    // Each has 145 patterns, reckoned at 64 KiB.
    assert_eq!(fleet.shelf.len(), 14);
}

#[test]
fn requests_that_differ_in_anything_are_kept_beside_each_other() {
    let mut fleet = fleet("a @x=1\nb @x=2");
    let demand = Demand::default();
    let by = |kind, field| [Strategy::parse(kind, Some(field)).unwrap()];
    let plain = Request {
        kind: Some(LaunchKind::Ec2),
        demand: &demand,
        requires: &[],
        group: &"web".into(),
        constraints: &[constraint("attribute:x == 1")],
        strategies: &by("binpack", "cpu"),
        count: 1,
    };
    let requests = [
        plain,
        Request { kind: Some(LaunchKind::Fargate), ..plain },
        Request { requires: &[Attribute::named("x")], ..plain },
        Request { constraints: &[constraint("attribute:x == 2")], ..plain },
        Request { strategies: &by("binpack", "memory"), ..plain },
        Request { strategies: &by("spread", "attribute:x"), ..plain },
        Request { strategies: &by("spread", "attribute:y"), ..plain },
    ];
    for request in &requests {
        fleet.place(request, 1);
    }
    assert_eq!(fleet.shelf.len(), requests.len());
}
