//! Attributes of container instances, and the capabilities that a task requires of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A fact about a container instance: a name and, for most, a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attribute {
    /// Such as `ecs.availability-zone`.
    pub name: Arc<str>,
    /// Absent for capabilities, which are there or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Arc<str>>,
}

/// The most characters of a name, and of a value. Source: Amazon ECS API Reference, `Attribute`.
const MAX_CHARS: usize = 128;

/// Why a name and a value make no attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// The name is empty, too long, or has other characters.
    #[error(
        "Attribute name must be 1 to 128 letters, digits, hyphens, underscores, periods, slashes and backslashes."
    )]
    Name,
    /// The value is too long, has other characters, or a space at its beginning or end.
    #[error(
        "Attribute value must be at most 128 letters, digits, hyphens, underscores, periods, at signs, slashes, backslashes, colons and spaces, without spaces at either end."
    )]
    Value,
}

impl Attribute {
    /// An attribute as ECS allows it; an empty value is none.
    pub fn parse(name: &str, value: Option<&str>) -> Result<Self, AttributeError> {
        let in_name = |it: char| it.is_ascii_alphanumeric() || "-_./\\".contains(it);
        let in_value = |it: char| it.is_ascii_alphanumeric() || "-_.@/:\\ ".contains(it);
        let value = value.filter(|it| !it.is_empty());
        if !(1..=MAX_CHARS).contains(&name.len()) || !name.chars().all(in_name) {
            return Err(AttributeError::Name);
        }
        let fits = |it: &str| {
            it.len() <= MAX_CHARS && it.chars().all(in_value) && it.trim_matches(' ') == it
        };
        match value {
            Some(value) if !fits(value) => Err(AttributeError::Value),
            value => Ok(Self { name: name.into(), value: value.map(Into::into) }),
        }
    }

    /// Whether the name has a meaning of its own to ECS or to Longshore: such attributes are what an
    /// agent and its machine have at each registration. All others are custom ones.
    pub fn is_reserved(&self) -> bool {
        Self::is_reserved_name(&self.name)
    }

    /// The same of a name alone.
    pub fn is_reserved_name(name: &str) -> bool {
        ["ecs.", "com.amazonaws.", "io.longshore."].iter().any(|it| name.starts_with(it))
    }

    /// An attribute without a value.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), value: None }
    }

    /// An attribute with a value.
    pub fn with_value(name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), value: Some(value.into()) }
    }

    /// Whether an instance with these attributes has what `self` requires: the name, and the same
    /// value where `self` has one.
    pub fn is_met_by(&self, attributes: &[Attribute]) -> bool {
        attributes
            .iter()
            .any(|it| it.name == self.name && (self.value.is_none() || it.value == self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: Option<&str>, expected: Result<(), AttributeError>) {
        assert_eq!(Attribute::parse(name, value).map(drop), expected, "{name:?} {value:?}");
    }

    #[test]
    fn a_name_and_a_value_have_characters_of_their_own() {
        let long = "x".repeat(128);
        for name in ["stack", "a-b_c.d/e\\f", "9", &long] {
            check(name, None, Ok(()));
        }
        for value in ["prod", "us-east-1a", "a@b:c/d\\e f", "", &long] {
            check("stack", Some(value), Ok(()));
        }
        for name in ["", " ", "a b", "a:b", "a@b", "é", &format!("{long}x")] {
            check(name, None, Err(AttributeError::Name));
        }
        for value in ["a,b", "é", " a", "a ", " ", &format!("{long}x")] {
            check("stack", Some(value), Err(AttributeError::Value));
        }
    }

    #[test]
    fn an_empty_value_is_none() {
        assert_eq!(Attribute::parse("stack", Some("")), Ok(Attribute::named("stack")));
    }
}
