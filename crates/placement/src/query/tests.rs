//! The table of worked expressions, and each operator and subject.

mod errors;

use super::*;
use crate::testing::{candidates, name};

/// The instances of the worked expressions.
const WORKED: &str = "
    I1  @zone=a  @stack=prod  @type=t2.small    tasks=web
    I2  @zone=b  @stack=test  @type=t2.medium   tasks=web,db
    I3  @zone=b               @type=g2.2xlarge";

/// Instances that differ in everything else that can be asked.
const VARIED: &str = "
    I1  ec2=i-aa  version=1.14.3  running=0  registered=2018-06-18T00:00:00Z  @gpu  @cores=8
    I2  ec2=i-bb  version=1.9.0   running=3  registered=2018-06-18T22:28:28Z  @cores=16  agent=off
    I3                            running=9  registered=2018-06-19T00:00:00Z  @cores=many  @empty=
    I4  ec2=i-cc  version=odd";

#[track_caller]
fn select(instances: &str, expression: &str, expect: &str) {
    let query = Query::parse(expression).unwrap_or_else(|error| panic!("{error}"));
    let selected: Vec<_> = candidates(instances)
        .iter()
        .filter(|it| query.matches(it))
        .map(|it| name(it.id()))
        .collect();
    assert_eq!(selected.join(" "), expect, "{expression}");
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (expression, expect) in rows {
        select(WORKED, expression, expect);
    }
}

#[track_caller]
fn check_varied(rows: &[(&str, &str)]) {
    for (expression, expect) in rows {
        select(VARIED, expression, expect);
    }
}

#[test]
fn the_worked_expressions_select_what_ecs_does() {
    check(&[
        ("attribute:stack == prod", "I1"),
        ("attribute:stack != prod", "I2"),
        ("not(attribute:stack == prod)", "I2 I3"),
        ("attribute:stack exists", "I1 I2"),
        ("attribute:stack not_exists", "I3"),
        ("attribute:stack !exists", "I3"),
        ("attribute:stack in [prod, test]", "I1 I2"),
        ("attribute:stack not_in [prod]", "I2"),
        ("attribute:type =~ t2.*", "I1 I2"),
        ("attribute:type =~ t2", ""),
        ("attribute:type !~ t2.*", "I3"),
        ("task:group == db", "I2"),
        ("task:group != web", "I3"),
        ("not(task:group == db) and attribute:zone == b", "I3"),
        ("attribute:zone == a or attribute:zone == b and attribute:stack exists", "I1 I2"),
        ("(attribute:zone == a or attribute:zone == b) and attribute:stack exists", "I1 I2"),
        ("attribute:zone==b", "I2 I3"),
    ]);
}

#[test]
fn the_examples_of_the_developer_guide_are_understood() {
    for expression in [
        "attribute:ecs.instance-type == t2.small",
        "attribute:ecs.availability-zone in [us-east-1a, us-east-1b]",
        "attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d",
        "task:group == service:production",
        "not(task:group == database)",
        "runningTasksCount == 1",
        "agentVersion < 1.14.5",
        "registeredAt > 2018-06-18T22:28:28+00:00",
        "ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']",
        "agentConnected == true",
        "(attribute:a == 1 or attribute:b == 2) and attribute:c == 3",
    ] {
        assert_eq!(Query::parse(expression).map(|it| it.to_string()).as_deref(), Ok(expression));
    }
}

#[test]
fn every_operator_is_a_symbol_or_a_word() {
    check(&[
        ("attribute:zone equals a", "I1"),
        ("attribute:zone not_equals a", "I2 I3"),
        ("attribute:zone greater_than a", "I2 I3"),
        ("attribute:zone > a", "I2 I3"),
        ("attribute:zone greater_than_equal b", "I2 I3"),
        ("attribute:zone >= b", "I2 I3"),
        ("attribute:zone less_than b", "I1"),
        ("attribute:zone < b", "I1"),
        ("attribute:zone less_than_equal b", "I1 I2 I3"),
        ("attribute:zone <= b", "I1 I2 I3"),
        ("attribute:stack !in [prod]", "I2"),
        ("attribute:type matches t2.*", "I1 I2"),
        ("attribute:type not_matches t2.*", "I3"),
    ]);
}

#[test]
fn connectives_are_symbols_or_words_of_any_case() {
    check(&[
        ("attribute:zone==b&&attribute:stack==test", "I2"),
        ("attribute:zone==a||attribute:stack==test", "I1 I2"),
        ("!attribute:zone==a", "I2 I3"),
        ("! (attribute:zone == a)", "I2 I3"),
        ("NOT attribute:zone == a AND attribute:stack exists", "I2"),
        ("attribute:zone == a Or attribute:stack == test", "I1 I2"),
        ("not not attribute:zone == a", "I1"),
        ("attribute:zone == b and not attribute:stack exists", "I3"),
    ]);
}

#[test]
fn not_binds_tighter_than_and_and_and_tighter_than_or() {
    check(&[
        ("not attribute:zone == a and attribute:stack == prod", ""),
        ("not (attribute:zone == a and attribute:stack == test)", "I1 I2 I3"),
        ("attribute:stack == prod or attribute:zone == b and attribute:type =~ g.*", "I1 I3"),
        ("(attribute:stack == prod or attribute:zone == b) and attribute:type =~ g.*", "I3"),
    ]);
}

#[test]
fn quoted_values_hold_what_else_would_end_them() {
    let instances = "
        I1  @a=x,y   tasks=a(b)
        I2  @a=and   tasks=matches
        I3  @a==     tasks=service:web";
    let select = |expression, expect| select(instances, expression, expect);
    select("attribute:a == 'x,y'", "I1");
    select("attribute:a == \"x,y\"", "I1");
    select("attribute:a == 'and' and attribute:a exists", "I2");
    select("attribute:a == and and attribute:a exists", "I2");
    select("attribute:a == '='", "I3");
    select("task:group == 'a(b)'", "I1");
    select("task:group in [matches]", "I2");
    select("task:group == matches && attribute:a exists", "I2");
    select("task:group == service:web", "I3");
    select("task:group in [ service:web ,'a(b)']", "I1 I3");
}

#[test]
fn a_pattern_matches_the_whole_value() {
    let instances = "
        I1  @type=t2.small
        I2  @type=t2.medium
        I3  @type=a|b";
    let select = |expression, expect| select(instances, expression, expect);
    select("attribute:type =~ t2", "");
    select("attribute:type =~ small|t2.small", "I1");
    select("attribute:type =~ t2\\.[d-u]+", "I2");
    select("attribute:type =~ 't2\\.(small|medium)'", "I1 I2");
    select("attribute:type =~ \"(?i)T2\\..{5}\"", "I1");
    select("attribute:type =~ [^a-s]2.* or attribute:type == a|b", "I1 I2 I3");
    select("attribute:type =~ a\\|b", "I3");
    select("attribute:type =~ '(?x) t2 \\. small'", "I1");
}

#[test]
fn what_is_absent_satisfies_no_comparison() {
    check_varied(&[
        ("attribute:gpu == x", ""),
        ("attribute:gpu exists", "I1"),
        ("attribute:gpu == ''", "I1"),
        ("attribute:gpu != x", "I1"),
        ("attribute:empty == ''", "I3"),
        ("attribute:none != x", ""),
        ("attribute:none not_in [x]", ""),
        ("attribute:none !~ x", ""),
        ("attribute:none < x", ""),
        ("attribute:none not_exists or attribute:none != x", "I1 I2 I3 I4"),
        ("ec2InstanceId != i-aa", "I2 I4"),
        ("agentVersion != 1.14.3", "I2"),
    ]);
}

#[test]
fn attributes_are_ordered_as_numbers_where_both_are() {
    check_varied(&[
        ("attribute:cores > 9", "I2 I3"),
        ("attribute:cores <= 8.0", "I1"),
        ("attribute:cores >= 16", "I2 I3"),
        ("attribute:cores < m", "I1 I2"),
        ("attribute:cores < -1e999", ""),
        ("attribute:cores == 16.0", ""),
    ]);
}

#[test]
fn groups_are_asked_of_all_live_tasks() {
    check(&[
        ("task:group == web", "I1 I2"),
        ("task:group != db", "I1 I3"),
        ("task:group in [db, cache]", "I2"),
        ("task:group not_in [db, cache]", "I1 I3"),
        ("task:group =~ d.", "I2"),
        ("task:group !~ w.*", "I3"),
    ]);
}

#[test]
fn agents_are_asked_whether_they_are_connected() {
    check_varied(&[
        ("agentConnected == true", "I1 I3 I4"),
        ("agentConnected != true", "I2"),
        ("agentConnected in [false]", "I2"),
        ("agentConnected not_in [false]", "I1 I3 I4"),
        ("agentConnected =~ t.*", "I1 I3 I4"),
        ("agentConnected !~ t.*", "I2"),
    ]);
}

#[test]
fn agent_versions_are_compared_component_by_component() {
    check_varied(&[
        ("agentVersion == 1.14.3", "I1"),
        ("agentVersion == 1.9", "I2"),
        ("agentVersion < 1.14.3", "I2"),
        ("agentVersion <= 1.14.3", "I1 I2"),
        ("agentVersion > 1.9.0", "I1"),
        ("agentVersion >= 1.9.0", "I1 I2"),
        ("agentVersion >= 1.100", ""),
    ]);
}

#[test]
fn ec2_instance_ids_are_texts() {
    check_varied(&[
        ("ec2InstanceId == i-aa", "I1"),
        ("ec2InstanceId in ['i-aa', 'i-cc']", "I1 I4"),
        ("ec2InstanceId not_in [i-aa]", "I2 I4"),
        ("ec2InstanceId =~ i-[ab]+", "I1 I2"),
        ("ec2InstanceId !~ i-[ab]+", "I4"),
    ]);
}

#[test]
fn dates_without_a_zone_are_utc() {
    check_varied(&[
        ("registeredAt == 2018-06-18T22:28:28Z", "I2"),
        ("registeredAt == 2018-06-18T22:28:28+00:00", "I2"),
        ("registeredAt == 2018-06-19T00:28:28+02:00", "I2"),
        ("registeredAt == 2018-06-18T22:28:28", "I2"),
        ("registeredAt == 2018-06-18", "I1"),
        ("registeredAt != 2018-06-18", "I2 I3 I4"),
        ("registeredAt > 2018-06-18", "I2 I3"),
        ("registeredAt >= 2018-06-18 and registeredAt < 2018-06-19", "I1 I2"),
        ("registeredAt <= 1970-01-01", "I4"),
    ]);
}

#[test]
fn running_tasks_are_counted() {
    check_varied(&[
        ("runningTasksCount == 3", "I2"),
        ("runningTasksCount != 3", "I1 I3 I4"),
        ("runningTasksCount > 3", "I3"),
        ("runningTasksCount >= 3", "I2 I3"),
        ("runningTasksCount < 3", "I1 I4"),
        ("runningTasksCount <= 3", "I1 I2 I4"),
        ("runningTasksCount > -1", "I1 I2 I3 I4"),
    ]);
}

#[test]
fn a_patterns_cost_does_not_grow_with_what_it_could_match() {
    let query = Query::parse("attribute:a =~ '(a+)+(a+)+'").unwrap();
    let instance = format!("I1 @a={}!", "a".repeat(100_000));
    assert!(!query.matches(&crate::testing::candidate(&instance)));
}

#[test]
fn queries_are_equal_when_their_texts_are() {
    let parse = |text| Query::parse(text).unwrap();
    assert_eq!(parse("attribute:a exists"), parse("attribute:a exists"));
    assert_ne!(parse("attribute:a exists"), parse("attribute:a  exists"));
}
