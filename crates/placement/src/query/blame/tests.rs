//! What is named of expressions that are false, as a table.

use super::*;
use crate::testing::candidate;

const INSTANCE: &str = "i @zone=a @stack=prod @cap tasks=web,db*2 running=3 version=1.14.3 \
                        registered=2017-06-15T04:00:00Z";

#[track_caller]
fn check(expression: &str, expect: &[&str]) {
    let (query, instance) = (Query::parse(expression).unwrap(), candidate(INSTANCE));
    assert_eq!(query.false_parts(&instance), expect, "{expression}");
    assert_eq!(query.matches(&instance), expect.is_empty(), "{expression}");
}

#[test]
fn a_comparison_says_what_it_found() {
    check("attribute:zone == b", &["attribute:zone == b is false: zone is a"]);
    check("attribute:zone != a", &["attribute:zone != a is false: zone is a"]);
    check("attribute:zone in [b, 'c d']", &["attribute:zone in [b, 'c d'] is false: zone is a"]);
    check("attribute:zone !~ '(a|b)'", &["attribute:zone !~ '(a|b)' is false: zone is a"]);
    check("attribute:zone > b", &["attribute:zone > b is false: zone is a"]);
    check("attribute:none != x", &["attribute:none != x is false: the instance has no none"]);
    check("attribute:none exists", &["attribute:none exists is false: the instance has no none"]);
    check("attribute:cap == x", &["attribute:cap == x is false: cap has no value"]);
    check("agentConnected == false", &["agentConnected == false is false: agentConnected is true"]);
    check("agentVersion < 1.14", &["agentVersion < 1.14 is false: agentVersion is 1.14.3"]);
    check(
        "ec2InstanceId == i-1",
        &["ec2InstanceId == i-1 is false: the instance has no ec2InstanceId"],
    );
    check("runningTasksCount < 3", &["runningTasksCount < 3 is false: runningTasksCount is 3"]);
    let registered = "registeredAt > 2018-01-01T00:00:00Z is false: \
                      registeredAt is 2017-06-15T04:00:00Z";
    check("registeredAt > 2018-01-01", &[registered]);
}

#[test]
fn groups_are_those_that_should_not_be_there_or_else_all() {
    let all = "task:group == job is false: tasks of groups db, web run there";
    check("task:group == job", &[all]);
    check("task:group != web", &["task:group != web is false: a task of group web runs there"]);
    let negated = "not(task:group == web) is false: a task of group web runs there";
    check("not(task:group == web)", &[negated]);
}

#[test]
fn of_an_and_the_false_parts_are_named_and_of_an_or_all() {
    let (zone, stack) = (
        "attribute:zone == b is false: zone is a",
        "attribute:stack == test is false: stack is prod",
    );
    check("attribute:zone == b and attribute:stack == prod", &[zone]);
    check("attribute:zone == b and attribute:stack == test", &[zone, stack]);
    check("attribute:zone == b or attribute:stack == test", &[zone, stack]);
    check("attribute:zone == b or attribute:stack == prod", &[]);
    check("(attribute:zone == b or attribute:stack == prod) and attribute:stack == test", &[stack]);
}

#[test]
fn a_negation_is_about_what_is_true_below_it() {
    let not_zone = "not(attribute:zone == a) is false: zone is a";
    check("not(attribute:zone == a)", &[not_zone]);
    check("not(not(attribute:zone == b))", &["attribute:zone == b is false: zone is a"]);
    check("not(attribute:zone == a or attribute:stack == test)", &[not_zone]);
    check("not(attribute:zone == b and attribute:stack == prod)", &[]);
    check("attribute:zone not_exists", &["not(attribute:zone exists) is false: zone is a"]);
}
