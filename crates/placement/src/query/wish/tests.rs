//! Wishes by their words, and that one names all that has to be otherwise.

use std::sync::Arc;

use longshore_model::Attribute;

use super::*;
use crate::testing::candidate;

const INSTANCE: &str = "i @zone=a @rack=3 @gpu tasks=web*2,job agent=on version=1.14.3 ec2=i-1 \
                        running=2 registered=2017-06-15T08:00:00Z";

/// What has to be so for an expression to be true for the instance; nothing where it is.
#[track_caller]
fn check(expression: &str, expect: &str) {
    let query = Query::parse(expression).unwrap();
    let instance = candidate(INSTANCE);
    let wish = query.wish(&instance, &[]);
    assert_eq!(wish.is_none(), query.matches(&instance), "{expression}");
    assert_eq!(wish.map(|it| it.to_string()).unwrap_or_default(), expect, "{expression}");
}

#[test]
fn what_is_true_leaves_nothing_to_wish() {
    check("attribute:zone == a", "");
    check("attribute:zone == b or attribute:rack > 2", "");
    check("not(attribute:zone == b and agentConnected == true)", "");
}

#[test]
fn a_comparison_says_what_its_subject_would_have_to_be() {
    check("attribute:zone == b", "attribute:zone would have to be b");
    check("attribute:zone in [b, 'c d']", "attribute:zone would have to be one of b, 'c d'");
    check("attribute:zone =~ b.*", "attribute:zone would have to match b.*");
    check("attribute:zone != a", "attribute:zone would have to be other than a");
    check("attribute:zone not_in [a, b]", "attribute:zone would have to be none of a, b");
    check("attribute:zone !~ a.*", "attribute:zone would have to not match a.*");
    check("attribute:rack > 3", "attribute:rack would have to be > 3");
    check("attribute:disk exists", "attribute:disk would have to be there");
    check("agentConnected == false", "agentConnected would have to be false");
    check("agentVersion >= 1.15", "agentVersion would have to be >= 1.15");
    check("ec2InstanceId == i-2", "ec2InstanceId would have to be i-2");
    check("runningTasksCount < 2", "runningTasksCount would have to be < 2");
    check(
        "registeredAt > 2018-01-01T00:00:00Z",
        "registeredAt would have to be > 2018-01-01T00:00:00Z",
    );
}

#[test]
fn what_is_absent_would_have_to_be_there_first() {
    check("attribute:disk == ssd", "attribute:disk would have to be ssd");
    check("attribute:disk != ssd", "attribute:disk would have to be there and be other than ssd");
    check("attribute:disk !~ s.*", "attribute:disk would have to be there and not match s.*");
}

#[test]
fn a_negation_wants_the_opposite() {
    check("not(attribute:zone == a)", "attribute:zone would have to be other than a");
    check("not(attribute:zone != b)", "attribute:zone would have to be b");
    check("not(attribute:gpu exists)", "attribute:gpu would have to be absent");
    for (relation, opposite) in
        [("==", "!="), (">=", "<"), ("<=", ">"), ("<", ">="), (">", "<="), ("!=", "==")]
    {
        let value = match relation {
            "<" => 3,
            ">" | "!=" => 1,
            _ => 2,
        };
        check(
            &format!("not(runningTasksCount {relation} {value})"),
            &format!("runningTasksCount would have to be {opposite} {value}"),
        );
    }
}

#[test]
fn groups_of_tasks_would_have_to_be_there_or_not() {
    check("task:group == db", "a task of group db would have to run there");
    check("task:group in [db, x]", "a task of one of the groups db, x would have to run there");
    check("task:group =~ d.*", "a task whose group matches d.* would have to run there");
    check("task:group != web", "no task of group web could run there");
    check("task:group !~ w.*", "no task whose group matches w.* could run there");
    check("not(task:group == web)", "no task of group web could run there");
}

#[test]
fn of_an_and_all_that_is_false_is_wished_for_and_of_an_or_any() {
    check(
        "attribute:zone == b and attribute:rack == 3 and attribute:disk exists",
        "attribute:zone would have to be b and attribute:disk would have to be there",
    );
    check(
        "attribute:zone == b or attribute:rack == 1",
        "attribute:zone would have to be b or attribute:rack would have to be 1",
    );
    check(
        "not(attribute:zone == a and attribute:rack == 3)",
        "attribute:zone would have to be other than a or attribute:rack would have to be other than 3",
    );
    check(
        "attribute:disk exists and (attribute:zone == b or attribute:rack == 1)",
        "attribute:disk would have to be there and \
         (attribute:zone would have to be b or attribute:rack would have to be 1)",
    );
}

#[test]
fn the_cheapest_way_counts_and_some_things_stay_as_they_are() {
    let steps = |expression: &str| {
        let query = Query::parse(expression).unwrap();
        query.wish(&candidate(INSTANCE), &[]).unwrap().steps()
    };
    assert_eq!(steps("attribute:zone == b"), Some(1));
    assert_eq!(steps("attribute:zone == b and attribute:rack == 1"), Some(2));
    assert_eq!(
        steps("(attribute:zone == b and attribute:rack == 1) or attribute:x exists"),
        Some(1)
    );
    assert_eq!(steps("ec2InstanceId == i-2"), None);
    assert_eq!(steps("ec2InstanceId == i-2 and attribute:zone == b"), None);
    assert_eq!(steps("ec2InstanceId == i-2 or attribute:zone == b"), Some(1));
    assert_eq!(steps("registeredAt > 2018-01-01T00:00:00Z"), None);
}

#[test]
fn what_is_so_is_wished_for_where_it_is_to_change() {
    let wish = |expression: &str| {
        let query = Query::parse(expression).unwrap();
        let instance = candidate(INSTANCE);
        let zone = [Subject::Attribute("zone")];
        query.wish(&instance, &zone).map(|it| it.to_string()).unwrap_or_default()
    };
    assert_eq!(wish("attribute:rack == 3"), "");
    assert_eq!(wish("attribute:zone in [a, b]"), "attribute:zone would have to be one of a, b");
    assert_eq!(wish("attribute:zone == a or attribute:rack == 3"), "");
    let either = "attribute:zone would have to be a or attribute:rack would have to be 1";
    assert_eq!(wish("attribute:zone == a or attribute:rack == 1"), either);
}

impl Wish<'_> {
    /// Whether all is as it is wished.
    pub(crate) fn is_granted_by(&self, candidate: &Candidate) -> bool {
        match self {
            Self::Otherwise(it) => it.predicate.is_true_for(candidate) == it.wanted,
            Self::All(wishes) => wishes.iter().all(|it| it.is_granted_by(candidate)),
            Self::Any(wishes) => wishes.iter().any(|it| it.is_granted_by(candidate)),
        }
    }

    /// Makes an instance as is wished; of several ways the first.
    pub(crate) fn make(&self, candidate: &mut Candidate) {
        match self {
            Self::Otherwise(comparison) => comparison.make(candidate),
            Self::All(wishes) => wishes.iter().for_each(|it| it.make(candidate)),
            Self::Any(wishes) => wishes[0].make(candidate),
        }
    }
}

impl Comparison<'_> {
    fn make(&self, candidate: &mut Candidate) {
        let instance = Arc::make_mut(&mut candidate.instance);
        let occupancy = Arc::make_mut(&mut candidate.occupancy);
        let mut set = |name: &str, value: Option<String>| {
            instance.attributes.retain(|it| &*it.name != name);
            instance.attributes.extend(value.map(|it| Attribute::with_value(name, it)));
        };
        match self.predicate {
            Predicate::AttributeExists(name) => set(name, self.wanted.then(String::new)),
            Predicate::Attribute(name, Test { texts: Texts::Among(texts), is_negated }) => {
                let wants_one_of = self.wanted != *is_negated;
                set(name, Some(if wants_one_of { texts[0].clone() } else { "other".into() }));
            }
            Predicate::AttributeOrder(name, relation, number) => {
                set(name, Some(self.number(*relation, number.parse().unwrap()).to_string()));
            }
            Predicate::RunningTasksCount(relation, number) => {
                occupancy.running = self.number(*relation, *number).try_into().unwrap();
            }
            Predicate::TaskGroup(Test { texts: Texts::Among(texts), is_negated }) => {
                for group in texts {
                    occupancy.groups.remove_mut(&**group);
                }
                if self.wanted != *is_negated {
                    occupancy.groups.insert_mut(texts[0].as_str().into(), 1);
                }
            }
            other => panic!("{other:?} is not made here"),
        }
    }

    fn number(&self, relation: Relation, number: i64) -> i64 {
        match if self.wanted { relation } else { relation.opposite() } {
            Relation::Equal | Relation::GreaterOrEqual | Relation::LessOrEqual => number,
            Relation::Greater => number + 1,
            Relation::Less | Relation::NotEqual => number - 1,
        }
    }
}
