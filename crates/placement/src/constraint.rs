//! Rules that an instance must satisfy.

use crate::query::{Query, QueryError};

/// The most constraints of one task, those of its definition included.
/// Source: Amazon ECS API Reference, RunTask.
pub const MAX_CONSTRAINTS: usize = 10;

/// A rule that an instance must satisfy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(kind: &str, expression: Option<&str>, expect: &str) {
        assert_eq!(Constraint::parse(kind, expression).unwrap_err().to_string(), expect);
    }

    #[test]
    fn constraints_are_read_as_requests_spell_them() {
        assert_eq!(Constraint::parse("distinctInstance", None), Ok(Constraint::DistinctInstance));
        let query = Query::parse("attribute:a == b").unwrap();
        let read = Constraint::parse("memberOf", Some("attribute:a == b"));
        assert_eq!(read, Ok(Constraint::MemberOf(query)));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_in_the_words_of_ecs() {
        let given = "distinctInstance expression should not be specified.";
        check_error("distinctInstance", Some("attribute:a == b"), given);
        check_error("distinctInstance", Some(""), given);
        check_error("memberOf", None, "memberOf expression should be specified.");
        let unread = "Invalid expression: a == b \
                      (at offset 0: expected a subject such as attribute:NAME or task:group)";
        check_error("memberOf", Some("a == b"), unread);
        let types = "constraint type should be one of [distinctInstance,memberOf]";
        check_error("memberof", Some("attribute:a == b"), types);
        check_error("", None, types);
    }
}
