//! The cluster query language: an expression about a container instance.
//! Source: Amazon ECS Developer Guide, "Cluster query language".

mod evaluate;
mod lexer;
mod parser;

use std::fmt;

use regex::Regex;

use crate::candidate::Candidate;

/// The most characters of an expression. Source: Amazon ECS API Reference, `PlacementConstraint`.
pub const MAX_LENGTH: usize = 2000;

/// How deep parentheses and negations may nest.
pub const MAX_DEPTH: usize = 64;

/// An expression that can be asked of an instance.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    expression: Expression,
}

impl Query {
    /// Parses an expression, such as `attribute:ecs.instance-type =~ t2.*`.
    ///
    /// # Errors
    /// [`QueryError`] carries the byte offset of the first token that cannot be read, and what was
    /// expected there.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.chars().count() > MAX_LENGTH {
            return Err(QueryError {
                expression: text.chars().take(64).chain("...".chars()).collect(),
                offset: MAX_LENGTH,
                expected: "at most 2000 characters".into(),
            });
        }
        parser::parse(text).map(|expression| Self { text: text.into(), expression }).map_err(
            |fault| QueryError {
                expression: text.into(),
                offset: fault.offset,
                expected: fault.expected,
            },
        )
    }

    /// Whether the expression is true for an instance.
    pub fn matches(&self, candidate: &Candidate) -> bool {
        evaluate::evaluate(&self.expression, candidate)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// An expression that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid expression: {expression} (at offset {offset}: expected {expected})")]
pub struct QueryError {
    expression: String,
    offset: usize,
    expected: String,
}

impl QueryError {
    /// Where the reading stopped, in bytes.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What could have stood there.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

/// What a part of a text should have been.
#[derive(Debug)]
struct Fault {
    offset: usize,
    expected: String,
}

#[derive(Clone, Debug)]
enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Predicate { subject: Subject, test: Test },
}

#[derive(Clone, Debug)]
enum Subject {
    Attribute(String),
    TaskGroup,
    AgentConnected,
    AgentVersion,
    Ec2InstanceId,
    RegisteredAt,
    RunningTasksCount,
}

#[derive(Clone, Debug)]
enum Test {
    Exists,
    NotExists,
    Equals(String),
    NotEquals(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Matches(Regex),
    NotMatches(Regex),
    Ordered(Order, Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What an ordered subject is compared with.
#[derive(Clone, Debug)]
enum Operand {
    /// As numbers where both are, else as texts.
    Text(String),
    Version(Vec<u64>),
    Millis(i64),
    Count(u64),
}

#[cfg(test)]
mod tests;
