//! What a shape looks like: its members, their names and types, in the words of AWS's service
//! models. It is the list of what is claimed, made from what is read and written.

use std::fmt;

/// The type of a member. A structure names its members only when it is asked, so that one may
/// hold itself.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A number with a fraction.
    Double,
    /// Seconds since the epoch.
    Timestamp,
    /// Any number of the same.
    List(fn() -> Kind),
    /// Names that the sender chooses, each with a value of the same type.
    Map(fn() -> Kind),
    /// Named members.
    Structure(&'static Structure),
}

/// A structure: a table of members.
#[derive(Debug)]
pub struct Structure {
    /// Such as `RunTaskRequest`.
    pub name: &'static str,
    /// In the order in which they are written.
    pub members: &'static [Member],
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name on the wire, such as `taskDefinition`.
    pub name: &'static str,
    /// The name in Rust, such as `task_definition`.
    pub field: &'static str,
    /// Gives the type.
    pub kind: fn() -> Kind,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("String"),
            Self::Boolean => f.write_str("Boolean"),
            Self::Integer => f.write_str("Integer"),
            Self::Long => f.write_str("Long"),
            Self::Double => f.write_str("Double"),
            Self::Timestamp => f.write_str("Timestamp"),
            Self::List(element) => f.debug_tuple("List").field(&element()).finish(),
            Self::Map(value) => f.debug_tuple("Map").field(&value()).finish(),
            Self::Structure(structure) => {
                f.debug_tuple("Structure").field(&structure.name).finish()
            }
        }
    }
}

impl Kind {
    /// The structure that this type is or that its elements are, if any.
    pub fn structure(self) -> Option<&'static Structure> {
        match self {
            Self::Structure(structure) => Some(structure),
            Self::List(element) | Self::Map(element) => element().structure(),
            Self::String
            | Self::Boolean
            | Self::Integer
            | Self::Long
            | Self::Double
            | Self::Timestamp => None,
        }
    }
}

impl Structure {
    /// This structure and all that its members lead to, each once, in the order in which they are
    /// met.
    pub fn reach(&'static self) -> Vec<&'static Self> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(structure) = found.get(next).copied() {
            for member in structure.members {
                if let Some(inner) = (member.kind)().structure()
                    && !found.iter().any(|it| std::ptr::eq(*it, inner))
                {
                    found.push(inner);
                }
            }
            next += 1;
        }
        found
    }
}
