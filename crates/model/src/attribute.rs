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

impl Attribute {
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
