//! What would have to be so of an instance for an expression to be true.

use std::fmt;

use super::blame::{date, value};
use super::expression::{Expression, Predicate, Relation, Test, Texts};
use super::{Query, Subject};
use crate::candidate::Candidate;

/// What would have to be so: what is not so yet, and what is so but may not stay so, because it is
/// about something that is to change.
#[derive(Clone, Debug)]
pub enum Wish<'a> {
    /// A comparison would have to come out otherwise.
    Otherwise(Comparison<'a>),
    /// All of these.
    All(Vec<Wish<'a>>),
    /// Any of these.
    Any(Vec<Wish<'a>>),
}

/// A comparison, and how it should come out.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    predicate: &'a Predicate,
    /// What it should be: false below an odd number of negations.
    wanted: bool,
    /// Whether the instance has what is compared.
    is_there: bool,
}

impl Query {
    /// What would have to be so for the expression to be true, whatever becomes of the things that
    /// are to change; `None` where it is true without more.
    pub(crate) fn wish(
        &self,
        candidate: &Candidate,
        to_change: &[Subject<'_>],
    ) -> Option<Wish<'_>> {
        Wisher { candidate, to_change }.wish(&self.expression, true)
    }
}

struct Wisher<'c> {
    candidate: &'c Candidate,
    to_change: &'c [Subject<'c>],
}

impl Wisher<'_> {
    fn wish<'a>(&self, expression: &'a Expression, wanted: bool) -> Option<Wish<'a>> {
        match (expression, wanted) {
            (Expression::Predicate(predicate), _) => {
                let is_so = predicate.is_true_for(self.candidate) == wanted;
                let stays = !self.to_change.contains(&predicate.subject());
                let is_there = predicate.is_there(self.candidate);
                let comparison = Comparison { predicate, wanted, is_there };
                (!(is_so && stays)).then_some(Wish::Otherwise(comparison))
            }
            (Expression::Not(inner), _) => self.wish(inner, !wanted),
            (Expression::And(parts), true) | (Expression::Or(parts), false) => {
                let wishes = parts.iter().filter_map(|it| self.wish(it, wanted));
                let mut wishes: Vec<_> = wishes.collect();
                match wishes.len() {
                    0 | 1 => wishes.pop(),
                    _ => Some(Wish::All(wishes)),
                }
            }
            (Expression::Or(parts), true) | (Expression::And(parts), false) => {
                let wishes = parts.iter().map(|it| self.wish(it, wanted));
                let mut wishes: Vec<_> = wishes.collect::<Option<_>>()?;
                match wishes.len() {
                    1 => wishes.pop(),
                    _ => Some(Wish::Any(wishes)),
                }
            }
        }
    }
}

impl<'a> Wish<'a> {
    /// Adds what it is about to those things that are to change.
    pub(crate) fn add_subjects(&self, to_change: &mut Vec<Subject<'a>>) {
        match self {
            Self::Otherwise(comparison) => {
                let subject = comparison.predicate.subject();
                if !to_change.contains(&subject) {
                    to_change.push(subject);
                }
            }
            Self::All(wishes) | Self::Any(wishes) => {
                wishes.iter().for_each(|it| it.add_subjects(to_change));
            }
        }
    }

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
    fn subject(&self) -> Subject<'_> {
        match self {
            Self::AttributeExists(name)
            | Self::Attribute(name, _)
            | Self::AttributeOrder(name, ..) => Subject::Attribute(name),
            Self::TaskGroup(_) => Subject::TaskGroup,
            Self::AgentConnected(_) => Subject::AgentConnected,
            Self::AgentVersion(..) => Subject::AgentVersion,
            Self::Ec2InstanceId(_) => Subject::Ec2InstanceId,
            Self::RegisteredAt(..) => Subject::RegisteredAt,
            Self::RunningTasksCount(..) => Subject::RunningTasksCount,
        }
    }

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
