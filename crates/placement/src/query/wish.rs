//! What would have to be so of an instance for an expression to be true.

use std::fmt;

use super::Query;
use super::blame::{date, value};
use super::expression::{Expression, Predicate, Relation, Test, Texts};
use crate::candidate::Candidate;

/// What is not so yet and would have to be. What is so already is not among it, so where two parts
/// of an expression are about the same thing, such as one attribute, the one may undo the other.
#[derive(Clone, Debug)]
pub enum Wish<'a> {
    /// A comparison would have to come out otherwise.
    Otherwise(Comparison<'a>),
    /// All of these.
    All(Vec<Wish<'a>>),
    /// Any of these.
    Any(Vec<Wish<'a>>),
}

/// A comparison that does not come out as it should.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    predicate: &'a Predicate,
    /// What it should be: false below an odd number of negations.
    wanted: bool,
    /// Whether the instance has what is compared.
    is_there: bool,
}

impl Query {
    /// What would have to be so for the expression to be true; `None` where it is.
    pub(crate) fn wish(&self, candidate: &Candidate) -> Option<Wish<'_>> {
        self.expression.wish(true, candidate)
    }
}

impl Expression {
    fn wish(&self, wanted: bool, candidate: &Candidate) -> Option<Wish<'_>> {
        match (self, wanted) {
            (Self::Predicate(predicate), _) => {
                (predicate.is_true_for(candidate) != wanted).then(|| {
                    let is_there = predicate.is_there(candidate);
                    Wish::Otherwise(Comparison { predicate, wanted, is_there })
                })
            }
            (Self::Not(inner), _) => inner.wish(!wanted, candidate),
            (Self::And(parts), true) | (Self::Or(parts), false) => {
                let wishes = parts.iter().filter_map(|it| it.wish(wanted, candidate));
                let mut wishes: Vec<_> = wishes.collect();
                match wishes.len() {
                    0 | 1 => wishes.pop(),
                    _ => Some(Wish::All(wishes)),
                }
            }
            (Self::Or(parts), true) | (Self::And(parts), false) => {
                let wishes = parts.iter().map(|it| it.wish(wanted, candidate));
                let mut wishes: Vec<_> = wishes.collect::<Option<_>>()?;
                match wishes.len() {
                    1 => wishes.pop(),
                    _ => Some(Wish::Any(wishes)),
                }
            }
        }
    }
}

impl Wish<'_> {
    /// How many comparisons at least would have to come out otherwise; `None` where it needs one
    /// that nothing can change: when the instance was registered, and which one of EC2's it is.
    pub fn steps(&self) -> Option<u32> {
        match self {
            Self::Otherwise(comparison) => match comparison.predicate {
                Predicate::Ec2InstanceId(_) | Predicate::RegisteredAt(..) => None,
                _ => Some(1),
            },
            Self::All(wishes) => wishes.iter().map(Self::steps).sum(),
            Self::Any(wishes) => wishes.iter().filter_map(Self::steps).min(),
        }
    }
}

impl Predicate {
    fn is_there(&self, candidate: &Candidate) -> bool {
        let instance = &candidate.instance;
        match self {
            Self::AttributeExists(name)
            | Self::Attribute(name, _)
            | Self::AttributeOrder(name, ..) => instance.attribute(name).is_some(),
            Self::AgentVersion(..) => instance.version_info.agent_version.is_some(),
            Self::Ec2InstanceId(_) => instance.ec2_instance_id.is_some(),
            Self::TaskGroup(_)
            | Self::AgentConnected(_)
            | Self::RegisteredAt(..)
            | Self::RunningTasksCount(..) => true,
        }
    }
}

impl fmt::Display for Wish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, wishes: &[Self], between: &str| {
            for (at, wish) in wishes.iter().enumerate() {
                let between = if at > 0 { between } else { "" };
                match wish {
                    Self::Otherwise(comparison) => write!(f, "{between}{comparison}")?,
                    Self::All(_) | Self::Any(_) => write!(f, "{between}({wish})")?,
                }
            }
            Ok(())
        };
        match self {
            Self::Otherwise(comparison) => comparison.fmt(f),
            Self::All(wishes) => joined(f, wishes, " and "),
            Self::Any(wishes) => joined(f, wishes, " or "),
        }
    }
}

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.predicate {
            Predicate::AttributeExists(name) if self.wanted => {
                write!(f, "attribute:{name} would have to be there")
            }
            Predicate::AttributeExists(name) => {
                write!(f, "attribute:{name} would have to be absent")
            }
            Predicate::Attribute(name, test) => self.text(f, &format!("attribute:{name}"), test),
            Predicate::AgentConnected(test) => self.text(f, "agentConnected", test),
            Predicate::Ec2InstanceId(test) => self.text(f, "ec2InstanceId", test),
            Predicate::TaskGroup(test) => match self.wants_one_of(test) {
                true => write!(f, "a task {} would have to run there", Group(&test.texts)),
                false => write!(f, "no task {} could run there", Group(&test.texts)),
            },
            Predicate::AttributeOrder(name, relation, wanted) => {
                self.order(f, &format!("attribute:{name}"), *relation, &value(wanted))
            }
            Predicate::AgentVersion(relation, wanted) => {
                self.order(f, "agentVersion", *relation, &wanted.to_string())
            }
            Predicate::RegisteredAt(relation, wanted) => {
                self.order(f, "registeredAt", *relation, &date(wanted.millis()))
            }
            Predicate::RunningTasksCount(relation, wanted) => {
                self.order(f, "runningTasksCount", *relation, &wanted.to_string())
            }
        }
    }
}

impl Comparison<'_> {
    /// Whether what is tested would have to be among the test's texts, or else not among them.
    fn wants_one_of(&self, test: &Test) -> bool {
        self.wanted != test.is_negated
    }

    fn text(&self, f: &mut fmt::Formatter<'_>, subject: &str, test: &Test) -> fmt::Result {
        write!(f, "{subject} would have to ")?;
        if self.wanted && !self.is_there && test.is_negated {
            f.write_str("be there and ")?;
        }
        match (&test.texts, self.wants_one_of(test)) {
            (Texts::Matching(pattern), true) => write!(f, "match {}", value(pattern.as_str())),
            (Texts::Matching(pattern), false) => write!(f, "not match {}", value(pattern.as_str())),
            (Texts::Among(texts), is_one_of) => match (&texts[..], is_one_of) {
                ([only], true) => write!(f, "be {}", value(only)),
                ([only], false) => write!(f, "be other than {}", value(only)),
                (all, true) => write!(f, "be one of {}", list(all)),
                (all, false) => write!(f, "be none of {}", list(all)),
            },
        }
    }

    fn order(
        &self,
        f: &mut fmt::Formatter<'_>,
        subject: &str,
        relation: Relation,
        wanted: &str,
    ) -> fmt::Result {
        let relation = if self.wanted { relation } else { relation.opposite() };
        write!(f, "{subject} would have to be {} {wanted}", relation.symbol())
    }
}

/// The groups of a test, as what a task is of.
struct Group<'a>(&'a Texts);

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Texts::Matching(pattern) => {
                write!(f, "whose group matches {}", value(pattern.as_str()))
            }
            Texts::Among(texts) => match &texts[..] {
                [only] => write!(f, "of group {}", value(only)),
                all => write!(f, "of one of the groups {}", list(all)),
            },
        }
    }
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|it| value(it)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
