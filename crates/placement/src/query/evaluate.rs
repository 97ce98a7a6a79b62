//! Whether an expression is true for an instance.
//!
//! Every comparison with something absent is false, the negative ones too; a group test is about
//! all live tasks of the instance: `==` asks whether any has the group, `!=` whether none has.

use std::cmp::Ordering;

use super::parser::version;
use super::{Expression, Operand, Order, Subject, Test};
use crate::candidate::Candidate;

pub(super) fn evaluate(expression: &Expression, candidate: &Candidate) -> bool {
    match expression {
        Expression::Or(parts) => parts.iter().any(|it| evaluate(it, candidate)),
        Expression::And(parts) => parts.iter().all(|it| evaluate(it, candidate)),
        Expression::Not(inner) => !evaluate(inner, candidate),
        Expression::Predicate { subject, test } => predicate(subject, test, candidate),
    }
}

fn predicate(subject: &Subject, test: &Test, candidate: &Candidate) -> bool {
    let instance = &candidate.instance;
    match subject {
        Subject::Attribute(name) => about_text(test, instance.attribute(name)),
        Subject::TaskGroup => about_groups(test, candidate),
        Subject::AgentConnected => {
            about_text(test, Some(if instance.agent_connected { "true" } else { "false" }))
        }
        Subject::Ec2InstanceId => about_text(test, instance.ec2_instance_id.as_deref()),
        Subject::AgentVersion => {
            let found = instance.version_info.agent_version.as_deref().and_then(version);
            match (test, found) {
                (Test::Ordered(order, Operand::Version(wanted)), Some(found)) => {
                    order.holds(compare_versions(&found, wanted))
                }
                _ => false,
            }
        }
        Subject::RegisteredAt => match test {
            Test::Ordered(order, Operand::Millis(wanted)) => {
                order.holds(instance.registered_at.millis().cmp(wanted))
            }
            _ => false,
        },
        Subject::RunningTasksCount => match test {
            Test::Ordered(order, Operand::Count(wanted)) => {
                order.holds(u64::from(candidate.occupancy.running).cmp(wanted))
            }
            _ => false,
        },
    }
}

fn about_text(test: &Test, found: Option<&str>) -> bool {
    let Some(found) = found else { return matches!(test, Test::NotExists) };
    match test {
        Test::Exists => true,
        Test::NotExists => false,
        Test::Equals(wanted) => found == wanted,
        Test::NotEquals(wanted) => found != wanted,
        Test::In(wanted) => wanted.iter().any(|it| it == found),
        Test::NotIn(wanted) => wanted.iter().all(|it| it != found),
        Test::Matches(pattern) => pattern.is_match(found),
        Test::NotMatches(pattern) => !pattern.is_match(found),
        Test::Ordered(order, Operand::Text(wanted)) => order.holds(compare_texts(found, wanted)),
        Test::Ordered(..) => false,
    }
}

fn about_groups(test: &Test, candidate: &Candidate) -> bool {
    let groups = || candidate.occupancy.groups.keys();
    let has = |wanted: &String| groups().any(|it| **it == **wanted);
    match test {
        Test::Equals(wanted) => has(wanted),
        Test::NotEquals(wanted) => !has(wanted),
        Test::In(wanted) => wanted.iter().any(has),
        Test::NotIn(wanted) => !wanted.iter().any(has),
        Test::Matches(pattern) => groups().any(|it| pattern.is_match(it)),
        Test::NotMatches(pattern) => !groups().any(|it| pattern.is_match(it)),
        Test::Exists | Test::NotExists | Test::Ordered(..) => false,
    }
}

/// As numbers where both are, else as texts.
fn compare_texts(one: &str, other: &str) -> Ordering {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) if one.is_finite() && other.is_finite() => one.total_cmp(&other),
        _ => one.cmp(other),
    }
}

/// Component by component; missing ones count as 0.
fn compare_versions(one: &[u64], other: &[u64]) -> Ordering {
    let component = |version: &[u64], at: usize| version.get(at).copied().unwrap_or(0);
    (0..one.len().max(other.len()))
        .map(|at| component(one, at).cmp(&component(other, at)))
        .find(|it| it.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }
}
