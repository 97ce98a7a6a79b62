//! The cluster query language: an expression about a container instance.
//! Source: Amazon ECS Developer Guide, "Cluster query language".

mod blame;
mod expression;
mod index;
mod lexer;
mod parser;
mod pattern;
mod queries;
mod slots;
mod split;
mod subject;
mod values;
mod version;
mod wish;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::candidate::Candidate;
use expression::Expression;
pub use index::Index;
pub(crate) use parser::is_attribute_name;
pub use queries::Queries;
pub use slots::Slots;
use split::Part;
pub use split::Split;
pub(crate) use subject::Subject;
pub(crate) use values::Numbered;
pub use wish::Wish;

/// The most characters of an expression. Source: Amazon ECS API Reference, `PlacementConstraint`.
pub const MAX_LENGTH: usize = 2000;

/// How deep parentheses and negations may nest, so that no expression can exhaust the stack.
pub const MAX_DEPTH: usize = 64;

/// An expression that can be asked of an instance. Two are equal when their texts are, and they are
/// the same part of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Query {
    text: Arc<str>,
    part: Part,
    expression: Arc<Expression>,
}

impl Query {
    /// Parses an expression, such as `attribute:ecs.instance-type =~ t2.*`.
    ///
    /// # Errors
    /// [`QueryError`] carries the byte offset of the first token that cannot be read, and what was
    /// expected there.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let parsed = match text.char_indices().nth(MAX_LENGTH) {
            Some((offset, _)) => Err(Fault::new(offset, "at most 2000 characters")),
            None => parser::parse(text),
        };
        match parsed {
            Ok(expression) => {
                Ok(Self { text: text.into(), part: Part::Whole, expression: expression.into() })
            }
            Err(Fault { offset, expected }) => {
                Err(QueryError { expression: shown(text), offset, expected })
            }
        }
    }

    /// Whether the answer may change with an instance's tasks, and not only with its record.
    pub(crate) fn looks_at_tasks(&self) -> bool {
        self.expression.looks_at_tasks()
    }

    /// Whether the expression is true for an instance.
    pub fn matches(&self, candidate: &Candidate) -> bool {
        self.expression.is_true_for(candidate)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.part == other.part
    }
}

impl Eq for Query {}

impl Hash for Query {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.text, self.part).hash(hasher);
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

/// What an error repeats of an expression: all of it, unless it is longer than any may be.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_LENGTH) {
        Some(_) => text.chars().take(64).chain("...".chars()).collect(),
        None => text.into(),
    }
}

/// Where a text cannot be read, and what should have been there.
#[derive(Debug)]
struct Fault {
    offset: usize,
    expected: String,
}

impl Fault {
    fn new(offset: usize, expected: impl Into<String>) -> Self {
        Self { offset, expected: expected.into() }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
