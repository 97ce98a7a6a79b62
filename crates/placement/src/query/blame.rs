//! Which parts of an expression are in the way of an instance, and what they found there.

use std::fmt;

use super::Query;
use super::expression::{Expression, Predicate, Relation, Test, Texts};
use crate::candidate::Candidate;

/// The most groups of tasks that are named.
const MAX_GROUPS: usize = 4;

impl Query {
    /// The smallest parts that make the expression false for an instance, each with what it found,
    /// such as `attribute:zone == b is false: zone is a`. Of an `and`, the false ones; of an `or`,
    /// all, since any would do. None when the expression is true.
    pub(crate) fn false_parts(&self, candidate: &Candidate) -> Vec<String> {
        let mut blamed = Vec::new();
        self.expression.is_as_wanted(true, candidate, &mut blamed);
        blamed.iter().map(|it| it.describe(candidate)).collect()
    }
}

/// A comparison that is not as it should be.
struct Blamed<'a> {
    predicate: &'a Predicate,
    /// What it should be: false below an odd number of negations.
    wanted: bool,
}

impl Expression {
    /// Whether the expression is what is wanted; if not, adds what is to blame, which is something.
    fn is_as_wanted<'a>(
        &'a self,
        wanted: bool,
        candidate: &Candidate,
        blamed: &mut Vec<Blamed<'a>>,
    ) -> bool {
        match (self, wanted) {
            (Self::Predicate(predicate), _) => {
                let is_so = predicate.is_true_for(candidate) == wanted;
                if !is_so {
                    blamed.push(Blamed { predicate, wanted });
                }
                is_so
            }
            (Self::Not(inner), _) => inner.is_as_wanted(!wanted, candidate, blamed),
            (Self::And(parts), true) | (Self::Or(parts), false) => {
                // All are asked, since all that are in the way are to be named.
                let before = blamed.len();
                for part in parts {
                    part.is_as_wanted(wanted, candidate, blamed);
                }
                blamed.len() == before
            }
            (Self::Or(parts), true) | (Self::And(parts), false) => {
                let before = blamed.len();
                let any = parts.iter().any(|it| it.is_as_wanted(wanted, candidate, blamed));
                if any {
                    blamed.truncate(before);
                }
                any
            }
        }
    }
}

impl Blamed<'_> {
    fn describe(&self, candidate: &Candidate) -> String {
        let (predicate, found) = (self.predicate, self.predicate.found(candidate, self.wanted));
        match self.wanted {
            true => format!("{predicate} is false: {found}"),
            false => format!("not({predicate}) is false: {found}"),
        }
    }
}

impl Predicate {
    /// What an instance has of the thing that is compared.
    fn found(&self, candidate: &Candidate, wanted: bool) -> String {
        let instance = &candidate.instance;
        match self {
            Self::AttributeExists(name)
            | Self::Attribute(name, _)
            | Self::AttributeOrder(name, ..) => match instance.attribute(name) {
                None => format!("the instance has no {name}"),
                Some("") => format!("{name} has no value"),
                Some(value) => format!("{name} is {value}"),
            },
            Self::TaskGroup(test) => {
                let unwanted = test.is_negated == wanted;
                let groups = candidate.occupancy.groups.keys();
                match unwanted {
                    // Those that should not be there.
                    true => listed(groups.filter(|it| test.texts.contains(it)).map(|it| &**it)),
                    false => listed(groups.map(|it| &**it)),
                }
            }
            Self::AgentConnected(_) => format!("agentConnected is {}", instance.agent_connected),
            Self::AgentVersion(..) => match &instance.version_info.agent_version {
                None => "the instance has no agentVersion".into(),
                Some(version) => format!("agentVersion is {version}"),
            },
            Self::Ec2InstanceId(_) => match &instance.ec2_instance_id {
                None => "the instance has no ec2InstanceId".into(),
                Some(id) => format!("ec2InstanceId is {id}"),
            },
            Self::RegisteredAt(..) => {
                format!("registeredAt is {}", date(instance.registered_at.millis()))
            }
            Self::RunningTasksCount(..) => {
                format!("runningTasksCount is {}", candidate.occupancy.running)
            }
        }
    }
}

/// The groups of an instance's tasks.
fn listed<'a>(mut groups: impl Iterator<Item = &'a str>) -> String {
    let mut named: Vec<&str> = groups.by_ref().take(MAX_GROUPS).collect();
    match groups.count() {
        0 if named.is_empty() => "no task runs there".into(),
        0 if named.len() == 1 => format!("a task of group {} runs there", named.concat()),
        0 => format!("tasks of groups {} run there", named.join(", ")),
        more => {
            let last = format!("{more} more");
            named.push(&last);
            format!("tasks of groups {} run there", named.join(", "))
        }
    }
}

pub(super) fn date(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |it| it.to_string())
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AttributeExists(name) => write!(f, "attribute:{name} exists"),
            Self::Attribute(name, test) => write!(f, "attribute:{name} {test}"),
            Self::AttributeOrder(name, relation, wanted) => {
                write!(f, "attribute:{name} {} {}", relation.symbol(), value(wanted))
            }
            Self::TaskGroup(test) => write!(f, "task:group {test}"),
            Self::AgentConnected(test) => write!(f, "agentConnected {test}"),
            Self::AgentVersion(relation, wanted) => {
                write!(f, "agentVersion {} {wanted}", relation.symbol())
            }
            Self::Ec2InstanceId(test) => write!(f, "ec2InstanceId {test}"),
            Self::RegisteredAt(relation, wanted) => {
                write!(f, "registeredAt {} {}", relation.symbol(), date(wanted.millis()))
            }
            Self::RunningTasksCount(relation, wanted) => {
                write!(f, "runningTasksCount {} {wanted}", relation.symbol())
            }
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.texts, self.is_negated) {
            (Texts::Among(texts), is_negated) => match (&texts[..], is_negated) {
                ([only], false) => write!(f, "== {}", value(only)),
                ([only], true) => write!(f, "!= {}", value(only)),
                (all, is_negated) => {
                    let all: Vec<_> = all.iter().map(|it| value(it)).collect();
                    let operator = if is_negated { "not_in" } else { "in" };
                    write!(f, "{operator} [{}]", all.join(", "))
                }
            },
            (Texts::Matching(pattern), is_negated) => {
                let operator = if is_negated { "!~" } else { "=~" };
                write!(f, "{operator} {}", value(pattern.as_str()))
            }
        }
    }
}

impl Relation {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

/// A value as it can be read back: in quotes where it has to be.
pub(super) fn value(text: &str) -> String {
    let plain = |it: char| it.is_alphanumeric() || "._-:/*@+?^$\\".contains(it);
    match text {
        _ if !text.is_empty() && text.chars().all(plain) => text.into(),
        _ if text.contains('\'') => format!("\"{text}\""),
        _ => format!("'{text}'"),
    }
}

#[cfg(test)]
mod tests;
