//! Rules that an instance must satisfy.

use crate::query::{Query, QueryError};

/// The most constraints of one task, those of its definition included.
/// Source: Amazon ECS API Reference, RunTask.
pub const MAX_CONSTRAINTS: usize = 10;

/// A rule that an instance must satisfy.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// No two live tasks of the group on one instance.
    DistinctInstance,
    /// The expression is true for the instance.
    MemberOf(Query),
}

/// Why a constraint cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// No such type.
    #[error("constraint type should be one of [distinctInstance,memberOf]")]
    Type,
    /// An expression where none belongs, even an empty one.
    #[error("distinctInstance expression should not be specified.")]
    ExpressionGiven,
    /// No expression where one belongs.
    #[error("memberOf expression should be specified.")]
    ExpressionMissing,
    /// The expression cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Constraint {
    /// Reads a constraint as requests spell it.
    pub fn parse(kind: &str, expression: Option<&str>) -> Result<Self, ConstraintError> {
        match (kind, expression) {
            ("distinctInstance", None) => Ok(Self::DistinctInstance),
            ("distinctInstance", Some(_)) => Err(ConstraintError::ExpressionGiven),
            ("memberOf", None) => Err(ConstraintError::ExpressionMissing),
            ("memberOf", Some(text)) => Ok(Self::MemberOf(Query::parse(text)?)),
            _ => Err(ConstraintError::Type),
        }
    }
}
