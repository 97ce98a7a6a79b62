//! How a JSON value becomes a shape: one table of members per struct, read by one rule.
//!
//! The rule is AWS's: an explicit `null` is the same as an absent member, a member of the wrong
//! JSON type is refused with AWS's wording, and a member that the shape does not know is skipped.
//! Skipped members are noted by path, because whoever answers must be able to refuse by name what
//! it cannot honour.

mod kind;
mod salvage;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use kind::{Kind, Member, Structure};
pub use salvage::salvage;

/// Something that AWS JSON can carry as a member.
pub trait Shape: Default {
    /// Reads a value that is not `null`.
    ///
    /// # Errors
    /// [`Mismatch`] when the value, or one inside it, has the wrong JSON type.
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch>;

    /// What it looks like on the wire.
    fn kind() -> Kind;

    /// Whether the member is left out when written. Only `Option` ever is.
    fn is_left_out(&self) -> bool {
        false
    }
}

/// A shape with the members that were sent but that it does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<T> {
    /// What was understood.
    pub shape: T,
    /// Members that were not. Those sent as `null` are not listed.
    pub unknown: Vec<Unknown>,
}

/// A member that was sent but that the shape does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// Such as `overrides.containerOverrides[0].environmentFiles`.
    pub path: String,
    /// What was sent, which may be harmless: `false`, an empty list.
    pub value: Value,
}

/// Reads a request body: one JSON object, where nothing at all stands for `{}`.
///
/// # Errors
/// [`Mismatch`] when the body is not JSON, is not an object, is nested too deeply (the limit is
/// serde_json's, 128), or has a member of the wrong type.
pub fn parse<T: Shape>(body: &[u8]) -> Result<Parsed<T>, Mismatch> {
    let mut reader = Reader::default();
    let shape = if body.trim_ascii().is_empty() {
        T::default()
    } else {
        T::read(serde_json::from_slice(body).map_err(Mismatch::not_json)?, &mut reader)?
    };
    Ok(Parsed { shape, unknown: reader.unknown })
}

/// A value that does not fit its shape, in the words of AWS's front end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mismatch {
    message: String,
    path: String,
}

impl Mismatch {
    /// The member that does not fit, such as `overrides.containerOverrides[0].cpu`; empty for the
    /// body as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn not_json(error: serde_json::Error) -> Self {
        Self { message: format!("The body is not valid JSON: {error}"), path: String::new() }
    }
}

/// Where in a value the reading stands, and what was skipped on the way.
#[derive(Debug, Default)]
pub struct Reader {
    path: Vec<Step>,
    unknown: Vec<Unknown>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Member(&'static str),
    Index(usize),
}

impl Reader {
    /// Reads a known member of the structure the reader stands at.
    pub(crate) fn member<T: Shape>(
        &mut self,
        name: &'static str,
        value: Value,
    ) -> Result<T, Mismatch> {
        self.path.push(Step::Member(name));
        let shape = T::read(value, self)?;
        self.path.pop();
        Ok(shape)
    }

    fn element<T: Shape>(&mut self, index: usize, value: Value) -> Result<T, Mismatch> {
        self.path.push(Step::Index(index));
        let shape = T::read(value, self)?;
        self.path.pop();
        Ok(shape)
    }

    /// Notes a member that the structure lacks.
    pub(crate) fn skip(&mut self, name: &str, value: Value) {
        if !value.is_null() {
            let path = self.path();
            let dot = if path.is_empty() { "" } else { "." };
            self.unknown.push(Unknown { path: format!("{path}{dot}{name}"), value });
        }
    }

    /// The refusal of `value` where `expected` should stand.
    pub(crate) fn mismatch(&self, value: &Value, expected: &str) -> Mismatch {
        let message = match (value, expected) {
            (Value::Object(_), _) => "Start of structure or map found where not expected.".into(),
            (Value::Array(_), _) => "Start of list found where not expected.".into(),
            (_, "List") => "Expected list or null".into(),
            (_, "Map") => "Expected map or null".into(),
            (Value::Null, _) => format!("NULL_VALUE cannot be converted to {expected}"),
            (Value::Bool(true), _) => format!("TRUE_VALUE cannot be converted to {expected}"),
            (Value::Bool(false), _) => format!("FALSE_VALUE cannot be converted to {expected}"),
            (Value::Number(_), _) => format!("NUMBER_VALUE cannot be converted to {expected}"),
            (Value::String(_), _) => format!("STRING_VALUE cannot be converted to {expected}"),
        };
        Mismatch { message, path: self.path() }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Member(name) if path.is_empty() => path.push_str(name),
                Step::Member(name) => path.extend([".", name]),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

impl<T: Shape> Shape for Option<T> {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        T::read(value, reader).map(Some)
    }

    fn kind() -> Kind {
        T::kind()
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        let Value::Array(elements) = value else { return Err(reader.mismatch(&value, "List")) };
        elements
            .into_iter()
            .enumerate()
            .map(|(index, element)| reader.element(index, element))
            .collect()
    }

    fn kind() -> Kind {
        Kind::List(T::kind)
    }
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        let Value::Object(members) = value else { return Err(reader.mismatch(&value, "Map")) };
        members.into_iter().map(|(key, value)| Ok((key, T::read(value, reader)?))).collect()
    }

    fn kind() -> Kind {
        Kind::Map(T::kind)
    }
}

impl Shape for String {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(reader.mismatch(&other, "String")),
        }
    }

    fn kind() -> Kind {
        Kind::String
    }
}

impl Shape for bool {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        value.as_bool().ok_or_else(|| reader.mismatch(&value, "Boolean"))
    }

    fn kind() -> Kind {
        Kind::Boolean
    }
}

impl Shape for i32 {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        integer(&value)
            .and_then(|number| Self::try_from(number).ok())
            .ok_or_else(|| reader.mismatch(&value, "Integer"))
    }

    fn kind() -> Kind {
        Kind::Integer
    }
}

impl Shape for i64 {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        integer(&value).ok_or_else(|| reader.mismatch(&value, "Long"))
    }

    fn kind() -> Kind {
        Kind::Long
    }
}

impl Shape for f64 {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        value.as_f64().ok_or_else(|| reader.mismatch(&value, "Double"))
    }

    fn kind() -> Kind {
        Kind::Double
    }
}

/// Any spelling of a whole number will do: languages without integers write `3.0` or `3e0`.
fn integer(value: &Value) -> Option<i64> {
    /// Beyond it, not every whole number is an `f64`, so the one meant is not known.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
    })
}

/// Text that stays out of logs: printing it for debugging shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Shape for Secret {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        String::read(value, reader).map(Self)
    }

    fn kind() -> Kind {
        Kind::String
    }
}

/// Declares shapes as tables of members, each with its name on the wire:
///
/// ```text
/// shape! {
///     /// A container's place in a task.
///     pub struct Container {
///         container_arn: Option<String> = "containerArn",
///     }
/// }
/// ```
///
/// Fields are public. Members that are `None` are left out when written; absent ones get their
/// type's default when read. `Shape`, with its description, and serde's `Deserialize` follow the same
/// table.
macro_rules! shape {
    ($(
        $(#[$attribute:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_attribute:meta])* $field:ident : $type:ty = $wire:literal, )*
        }
    )*) => {$(
        $(#[$attribute])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
        $vis struct $name {
            $(
                $(#[$field_attribute])*
                #[serde(rename = $wire, skip_serializing_if = "crate::shape::Shape::is_left_out")]
                $vis $field: $type,
            )*
        }

        impl crate::shape::Shape for $name {
            fn read(
                value: serde_json::Value,
                reader: &mut crate::shape::Reader,
            ) -> Result<Self, crate::shape::Mismatch> {
                let serde_json::Value::Object(members) = value else {
                    return Err(reader.mismatch(&value, "Map"));
                };
                #[allow(unused_mut, reason = "a shape may be empty")]
                let mut shape = Self::default();
                for (name, value) in members {
                    match name.as_str() {
                        $(
                            $wire => {
                                if !value.is_null() {
                                    shape.$field = reader.member($wire, value)?;
                                }
                            }
                        )*
                        _ => reader.skip(&name, value),
                    }
                }
                Ok(shape)
            }

            fn kind() -> crate::shape::Kind {
                static STRUCTURE: crate::shape::Structure = crate::shape::Structure {
                    name: stringify!($name),
                    members: &[$(
                        crate::shape::Member {
                            name: $wire,
                            field: stringify!($field),
                            kind: <$type as crate::shape::Shape>::kind,
                        },
                    )*],
                };
                crate::shape::Kind::Structure(&STRUCTURE)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                crate::shape::Shape::read(value, &mut crate::shape::Reader::default())
                    .map_err(serde::de::Error::custom)
            }
        }
    )*};
}

pub(crate) use shape;

#[cfg(test)]
mod tests;
