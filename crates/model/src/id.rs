//! Identities of tasks, containers and container instances.
//!
//! 128 bits whose first 48 are the milliseconds at which they were made, so that records made
//! together lie together on disk and a list in id order is a list in order of creation. Shown as
//! 32 lower-case hex digits; hyphenated UUIDs of older ARNs are understood too.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::clock::Timestamp;

/// The text is not 32 hex digits, nor a UUID with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 hex digits, or a UUID with hyphens")]
pub struct IdError;

fn time_ordered(at: Timestamp, random_bits: u128) -> u128 {
    let millis = u128::try_from(at.millis().max(0)).unwrap_or(0) & ((1 << 48) - 1);
    (millis << 80) | (random_bits & ((1 << 80) - 1))
}

fn parse_bits(text: &str) -> Result<u128, IdError> {
    let mut bits: u128 = 0;
    let mut digits = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'-' && text.len() == 36 && matches!(at, 8 | 13 | 18 | 23) {
            continue;
        }
        let digit = char::from(byte).to_digit(16).ok_or(IdError)?;
        bits = (bits << 4) | u128::from(digit);
        digits += 1;
    }
    if digits == 32 && matches!(text.len(), 32 | 36) { Ok(bits) } else { Err(IdError) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// A new identity made at this time; the lower 80 of the given bits are used.
            pub fn new(at: Timestamp, random_bits: u128) -> Self {
                Self(time_ordered(at, random_bits))
            }

            /// The bits, most significant first in the text.
            pub const fn bits(self) -> u128 {
                self.0
            }

            /// The identity with exactly these bits, as read back from a record's key.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// As a UUID with hyphens, the form of 2017.
            pub fn hyphenated(self) -> String {
                let hex = self.to_string();
                let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                parts.join("-")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_bits(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

id! {
    /// Identifies a task.
    TaskId
}
id! {
    /// Identifies a container instance.
    InstanceId
}
id! {
    /// Identifies a container of a task; shown as a UUID with hyphens.
    ContainerId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_of_ids_are_understood() {
        let short: TaskId = "0b69d5c0-d655-4695-98cd-5d2d526d9d5a".parse().unwrap();
        let long: TaskId = "0b69d5c0d655469598cd5d2d526d9d5a".parse().unwrap();
        assert_eq!(short, long);
        assert_eq!(short.to_string(), "0b69d5c0d655469598cd5d2d526d9d5a");
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in ["", "abc", "0b69d5c0d655469598cd5d2d526d9d5", "g".repeat(32).as_str()] {
            assert_eq!(text.parse::<TaskId>(), Err(IdError), "{text}");
        }
        assert!("0b69d5c0-d655-4695-98cd-5d2d526d9d5é".parse::<TaskId>().is_err());
        assert!("-".repeat(36).parse::<TaskId>().is_err());
        assert!("0b69d5c0d-655-4695-98cd-5d2d526d9d5a".parse::<TaskId>().is_err());
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let earlier = TaskId::new(Timestamp::from_millis(1_000), u128::MAX);
        let later = TaskId::new(Timestamp::from_millis(1_001), 0);
        assert!(earlier < later);
    }

    #[test]
    fn a_container_id_has_hyphens() {
        let id: ContainerId = "0b69d5c0d655469598cd5d2d526d9d5a".parse().unwrap();
        assert_eq!(id.hyphenated(), "0b69d5c0-d655-4695-98cd-5d2d526d9d5a");
    }
}
