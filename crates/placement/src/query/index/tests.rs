//! What is asked of all instances at once. That it is what each of them says is shown for any
//! expression and history by `tests/fuzz_smoke.rs`.

use super::*;
use crate::testing::candidates;

/// The slots that an expression is true for; `?` where it asks about tasks.
#[track_caller]
fn check(index: &Index, expression: &str, expect: &str) {
    let found = index.evaluate(&Query::parse(expression).unwrap());
    let slots = |it: Slots| it.iter().map(|it| it.to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(found.map_or("?".into(), slots), expect, "{expression}");
}

fn index(instances: &str) -> Index {
    let mut index = Index::new();
    for (slot, it) in (0..).zip(candidates(instances)) {
        index.follow(slot, Some(&it.instance));
    }
    index
}

const VARIED: &str = "
    0  ec2=i-aa  version=1.14.3  registered=2018-06-18T00:00:00Z  @zone=a  @gpu  @cores=8
    1  ec2=i-bb  version=1.9.0   registered=2018-06-18T22:28:28Z  @zone=b  @cores=16  agent=off
    2                            registered=2018-06-19T00:00:00Z  @zone=b  @cores=many";

#[test]
fn each_subject_is_asked_of_all_at_once() {
    let index = index(VARIED);
    for (expression, expect) in [
        ("attribute:zone == b", "1 2"),
        ("attribute:zone != b", "0"),
        ("attribute:gpu exists", "0"),
        ("attribute:gpu == ''", "0"),
        ("attribute:gpu !exists", "1 2"),
        ("attribute:gpu != x", "0"),
        ("attribute:none != x", ""),
        ("not attribute:none != x", "0 1 2"),
        ("attribute:cores > 9", "1 2"),
        ("attribute:zone in [a, b, c]", "0 1 2"),
        ("attribute:zone not_in [a, c]", "1 2"),
        ("attribute:zone =~ [b-z]", "1 2"),
        ("attribute:zone !~ [b-z]", "0"),
        ("agentConnected == true", "0 2"),
        ("agentConnected == false", "1"),
        ("agentConnected =~ .*", "0 1 2"),
        ("agentVersion < 1.10", "1"),
        ("ec2InstanceId != i-aa", "1"),
        ("ec2InstanceId in [i-aa, i-bb]", "0 1"),
        ("registeredAt > 2018-06-18", "1 2"),
        ("attribute:zone == b and (agentConnected == true or attribute:gpu exists)", "2"),
        ("task:group == web", "?"),
        ("attribute:zone == b and not runningTasksCount > 1", "?"),
    ] {
        check(&index, expression, expect);
    }
}

#[test]
fn what_changes_is_followed_and_what_is_gone_is_in_nothing() {
    let mut index = index(VARIED);
    let changed = candidates("1 @zone=c").remove(0).instance;
    index.follow(1, Some(&changed));
    index.follow(2, None);
    check(&index, "attribute:zone exists", "0 1");
    check(&index, "attribute:zone == b", "");
    check(&index, "not attribute:zone == c", "0");
    check(&index, "agentVersion == 1.9.0", "");
    check(&index, "registeredAt >= 1970-01-01", "0 1");
    index.follow(0, None);
    index.follow(1, None);
    check(&index, "not attribute:zone == c", "");
    assert!(index.attributes.is_empty() && index.agent_versions.is_empty());
}

#[test]
fn of_two_attributes_with_one_name_the_first_counts() {
    let index = index("0 @zone=b @a @zone=a");
    check(&index, "attribute:zone == b", "0");
    check(&index, "attribute:zone == a", "");
}

#[test]
fn of_two_attributes_with_one_name_either_may_be_what_a_task_requires() {
    let index = index("0 @zone=b @zone=a\n1 @zone=b\n2 @zone\n3");
    let meeting = |required| index.meeting(&required).iter().collect::<Vec<_>>();
    assert_eq!(meeting(Attribute::with_value("zone", "a")), [0]);
    assert_eq!(meeting(Attribute::with_value("zone", "b")), [0, 1]);
    assert_eq!(meeting(Attribute::named("zone")), [0, 1, 2]);
    assert_eq!(meeting(Attribute::named("rack")), []);
}
