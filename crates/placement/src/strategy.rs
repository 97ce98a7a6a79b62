//! Which of the instances that can take a task are best: each strategy keeps its best, and what is
//! left of a tie is the next one's.

use std::collections::HashMap;
use std::sync::Arc;

use crate::candidate::Candidate;

/// The most strategies of one task. Source: Amazon ECS API Reference, RunTask.
pub const MAX_STRATEGIES: usize = 5;

/// An order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Any will do, and nothing after it matters.
    Random,
    /// Where there are fewest tasks of the group.
    Spread(SpreadField),
    /// Where least of a resource is left.
    Binpack(BinpackField),
}

/// What tasks are spread over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpreadField {
    /// `instanceId`, also spelled `host`.
    InstanceId,
    /// `attribute:NAME`: the values of an attribute.
    Attribute(Arc<str>),
}

/// What is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinpackField {
    /// CPU units.
    Cpu,
    /// Memory.
    Memory,
}

/// Why a strategy cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// No such type.
    #[error("strategy type should be one of [random,spread,binpack]")]
    Type,
    /// A field where none belongs.
    #[error("random field should not be specified")]
    FieldGiven,
    /// Not a field that can be spread over.
    #[error("spread field '{0}' is invalid")]
    Spread(String),
    /// Not a field that can be packed.
    #[error("binpack field '{0}' is invalid")]
    Binpack(String),
}

impl Strategy {
    /// Reads a strategy as requests spell it; fields are compared without case.
    pub fn parse(kind: &str, field: Option<&str>) -> Result<Self, StrategyError> {
        let field = field.unwrap_or_default();
        match kind {
            "random" if field.is_empty() => Ok(Self::Random),
            "random" => Err(StrategyError::FieldGiven),
            "spread" => SpreadField::parse(field).map(Self::Spread),
            "binpack" if field.eq_ignore_ascii_case("cpu") => Ok(Self::Binpack(BinpackField::Cpu)),
            "binpack" if field.eq_ignore_ascii_case("memory") => {
                Ok(Self::Binpack(BinpackField::Memory))
            }
            "binpack" => Err(StrategyError::Binpack(field.into())),
            _ => Err(StrategyError::Type),
        }
    }
}

impl SpreadField {
    fn parse(field: &str) -> Result<Self, StrategyError> {
        if field.eq_ignore_ascii_case("instanceId") || field.eq_ignore_ascii_case("host") {
            return Ok(Self::InstanceId);
        }
        match field.split_at_checked("attribute:".len()) {
            Some((prefix, name))
                if prefix.eq_ignore_ascii_case("attribute:") && !name.is_empty() =>
            {
                Ok(Self::Attribute(name.into()))
            }
            _ => Err(StrategyError::Spread(field.into())),
        }
    }
}

/// The positions in `all`, of those in `fitting`, that are best under every strategy in turn.
/// Spread counts the group's tasks on all instances, not only on those that fit.
pub(crate) fn best(
    all: &[Candidate],
    fitting: Vec<usize>,
    strategies: &[Strategy],
    group: &str,
) -> Vec<usize> {
    let mut best = fitting;
    for strategy in strategies {
        best = match strategy {
            Strategy::Random => return best,
            Strategy::Binpack(BinpackField::Cpu) => {
                least(best, |at| u64::from(all[at].remaining().cpu_units))
            }
            Strategy::Binpack(BinpackField::Memory) => {
                least(best, |at| u64::from(all[at].remaining().memory_mib))
            }
            Strategy::Spread(SpreadField::InstanceId) => {
                least(best, |at| u64::from(all[at].tasks_of(group)))
            }
            Strategy::Spread(SpreadField::Attribute(name)) => {
                let counts = counts_by_value(all, name, group);
                least(best, |at| match all[at].instance.attribute(name) {
                    Some(value) => counts.get(value).copied().unwrap_or(0),
                    None => u64::MAX, // an instance without the attribute comes last
                })
            }
        };
    }
    best
}

fn counts_by_value<'a>(all: &'a [Candidate], name: &str, group: &str) -> HashMap<&'a str, u64> {
    let mut counts = HashMap::new();
    for candidate in all {
        if let Some(value) = candidate.instance.attribute(name) {
            *counts.entry(value).or_insert(0) += u64::from(candidate.tasks_of(group));
        }
    }
    counts
}

fn least(positions: Vec<usize>, measure: impl Fn(usize) -> u64) -> Vec<usize> {
    let mut least = u64::MAX;
    let mut kept = Vec::new();
    for at in positions {
        let measured = measure(at);
        if measured < least || kept.is_empty() {
            least = measured;
            kept.clear();
        }
        if measured == least {
            kept.push(at);
        }
    }
    kept
}
