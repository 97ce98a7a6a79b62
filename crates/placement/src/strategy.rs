//! Orders of preference among the instances that can take a task.

use std::sync::Arc;

use crate::query::is_attribute_name;

/// The most strategies of one task. Source: Amazon ECS API Reference, RunTask.
pub const MAX_STRATEGIES: usize = 5;

/// An order of preference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Any will do, and nothing after it matters.
    Random,
    /// Where there are fewest tasks of the group.
    Spread(SpreadField),
    /// Where least of a resource is left.
    Binpack(BinpackField),
}

/// What tasks are spread over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SpreadField {
    /// `instanceId`, also spelled `host`.
    InstanceId,
    /// `attribute:NAME`: the values of an attribute.
    Attribute(Arc<str>),
}

/// What is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Reads a strategy as requests spell it; fields are compared without case, names of
    /// attributes with it.
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
                if prefix.eq_ignore_ascii_case("attribute:") && is_attribute_name(name) =>
            {
                Ok(Self::Attribute(name.into()))
            }
            _ => Err(StrategyError::Spread(field.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, field: Option<&str>, expect: Strategy) {
        assert_eq!(Strategy::parse(kind, field), Ok(expect));
    }

    #[track_caller]
    fn check_error(kind: &str, field: Option<&str>, expect: &str) {
        assert_eq!(Strategy::parse(kind, field).unwrap_err().to_string(), expect);
    }

    #[test]
    fn fields_are_read_without_case() {
        let zone = SpreadField::Attribute("ecs.availability-zone".into());
        check("random", None, Strategy::Random);
        check("random", Some(""), Strategy::Random);
        check("binpack", Some("cpu"), Strategy::Binpack(BinpackField::Cpu));
        check("binpack", Some("MEMORY"), Strategy::Binpack(BinpackField::Memory));
        check("spread", Some("instanceId"), Strategy::Spread(SpreadField::InstanceId));
        check("spread", Some("INSTANCEID"), Strategy::Spread(SpreadField::InstanceId));
        check("spread", Some("attribute:ecs.availability-zone"), Strategy::Spread(zone.clone()));
        check("spread", Some("Attribute:ecs.availability-zone"), Strategy::Spread(zone));
    }

    #[test]
    fn host_means_instance_id() {
        check("spread", Some("host"), Strategy::Spread(SpreadField::InstanceId));
        check("spread", Some("Host"), Strategy::Spread(SpreadField::InstanceId));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_in_the_words_of_ecs() {
        check_error("random", Some("cpu"), "random field should not be specified");
        check_error("binpack", Some("disk"), "binpack field 'disk' is invalid");
        check_error("binpack", None, "binpack field '' is invalid");
        check_error("spread", Some("zone"), "spread field 'zone' is invalid");
        check_error("spread", Some("attribute:"), "spread field 'attribute:' is invalid");
        check_error("spread", Some("attribute:a b"), "spread field 'attribute:a b' is invalid");
        check_error("spread", Some("attributé:a"), "spread field 'attributé:a' is invalid");
        check_error("spread", None, "spread field '' is invalid");
        let types = "strategy type should be one of [random,spread,binpack]";
        check_error("Random", None, types);
        check_error("", None, types);
    }
}
