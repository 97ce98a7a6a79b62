//! What an expression says, and whether it is true for an instance.
//!
//! Every comparison with something absent is false, the negative ones too. One with `task:group` is
//! about all live tasks of the instance: `==` asks whether any has the group, `!=` whether none has.

use std::cmp::Ordering;

use longshore_model::Timestamp;

use super::pattern::Pattern;
use super::version::Version;
use crate::candidate::Candidate;

#[derive(Clone, Debug)]
pub(super) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Predicate(Predicate),
}

#[derive(Clone, Debug)]
pub(super) enum Predicate {
    AttributeExists(String),
    Attribute(String, Test),
    AttributeOrder(String, Relation, String),
    TaskGroup(Test),
    AgentConnected(Test),
    AgentVersion(Relation, Version),
    Ec2InstanceId(Test),
    RegisteredAt(Relation, Timestamp),
    RunningTasksCount(Relation, i64),
}

/// A test of texts.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) texts: Texts,
    /// For `!=`, `not_in` and `!~`.
    pub(super) is_negated: bool,
}

/// A set of texts.
#[derive(Clone, Debug)]
pub(super) enum Texts {
    /// Those listed; only one for `==`.
    Among(Vec<String>),
    /// Those that a pattern matches as a whole.
    Matching(Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Expression {
    pub(super) fn is_true_for(&self, candidate: &Candidate) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|it| it.is_true_for(candidate)),
            Self::And(parts) => parts.iter().all(|it| it.is_true_for(candidate)),
            Self::Not(inner) => !inner.is_true_for(candidate),
            Self::Predicate(predicate) => predicate.is_true_for(candidate),
        }
    }

    /// How many patterns it has.
    pub(super) fn patterns(&self) -> usize {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter().map(Self::patterns).sum(),
            Self::Not(inner) => inner.patterns(),
            Self::Predicate(predicate) => usize::from(predicate.has_pattern()),
        }
    }

    /// Whether the answer may change with an instance's tasks.
    pub(super) fn looks_at_tasks(&self) -> bool {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter().any(Self::looks_at_tasks),
            Self::Not(inner) => inner.looks_at_tasks(),
            Self::Predicate(Predicate::TaskGroup(_) | Predicate::RunningTasksCount(..)) => true,
            Self::Predicate(_) => false,
        }
    }
}

impl Predicate {
    fn has_pattern(&self) -> bool {
        match self {
            Self::Attribute(_, test)
            | Self::TaskGroup(test)
            | Self::AgentConnected(test)
            | Self::Ec2InstanceId(test) => matches!(test.texts, Texts::Matching(_)),
            Self::AttributeExists(_)
            | Self::AttributeOrder(..)
            | Self::AgentVersion(..)
            | Self::RegisteredAt(..)
            | Self::RunningTasksCount(..) => false,
        }
    }

    pub(super) fn is_true_for(&self, candidate: &Candidate) -> bool {
        let (instance, occupancy) = (&candidate.instance, &candidate.occupancy);
        match self {
            Self::AttributeExists(name) => instance.attribute(name).is_some(),
            Self::Attribute(name, test) => {
                instance.attribute(name).is_some_and(|it| test.holds_for(it))
            }
            Self::AttributeOrder(name, relation, wanted) => instance
                .attribute(name)
                .is_some_and(|it| relation.includes(order_against(wanted)(it))),
            Self::TaskGroup(test) => {
                let mut groups = occupancy.groups.keys();
                groups.any(|it| test.texts.contains(it)) != test.is_negated
            }
            Self::AgentConnected(test) => {
                test.holds_for(if instance.agent_connected { "true" } else { "false" })
            }
            Self::AgentVersion(relation, wanted) => {
                let text = instance.version_info.agent_version.as_deref();
                let order = text.and_then(|it| wanted.compare_with(it));
                order.is_some_and(|it| relation.includes(it))
            }
            Self::Ec2InstanceId(test) => {
                instance.ec2_instance_id.as_deref().is_some_and(|it| test.holds_for(it))
            }
            Self::RegisteredAt(relation, wanted) => {
                relation.includes(instance.registered_at.cmp(wanted))
            }
            Self::RunningTasksCount(relation, wanted) => {
                relation.includes(i64::from(occupancy.running).cmp(wanted))
            }
        }
    }
}

impl Test {
    pub(super) fn holds_for(&self, text: &str) -> bool {
        self.texts.contains(text) != self.is_negated
    }
}

impl Texts {
    pub(super) fn contains(&self, text: &str) -> bool {
        match self {
            Self::Among(texts) => texts.iter().any(|it| it == text),
            Self::Matching(pattern) => pattern.is_match(text),
        }
    }
}

impl Relation {
    /// The one that holds where this does not.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
        }
    }

    pub(super) fn includes(self, ordering: Ordering) -> bool {
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

/// How texts stand to one: as numbers where both are, else as texts.
pub(super) fn order_against(wanted: &str) -> impl Fn(&str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok().filter(|it| it.is_finite());
    let wanted_number = number(wanted);
    move |text| match wanted_number.and_then(|wanted| Some((number(text)?, wanted))) {
        Some((one, other)) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
        None => text.cmp(wanted),
    }
}
