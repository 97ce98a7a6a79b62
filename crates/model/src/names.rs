//! Names, made only by parsing: one rule for all of them, 1 to 255 of `A-Za-z0-9_-`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing.
    #[error("a name cannot be empty")]
    Empty,
    /// Too long, or with a character outside `A-Za-z0-9_-`.
    #[error("a name is 1 to 255 letters, digits, hyphens and underscores")]
    Invalid,
}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.len() <= 255 && text.bytes().all(allowed) { Ok(()) } else { Err(NameError::Invalid) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text).map(|()| Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
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

name! {
    /// The name of a cluster.
    ClusterName
}
name! {
    /// The name of a service within its cluster.
    ServiceName
}
name! {
    /// The family of a task definition.
    Family
}
name! {
    /// The name of a container within its task definition.
    ContainerName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_1_to_255_letters_digits_hyphens_and_underscores() {
        assert!("a-B_9".parse::<Family>().is_ok());
        assert!("x".repeat(255).parse::<Family>().is_ok());
        assert_eq!("".parse::<Family>(), Err(NameError::Empty));
        for text in ["x".repeat(256).as_str(), "a b", "a/b", "a.b", "é"] {
            assert_eq!(text.parse::<Family>(), Err(NameError::Invalid), "{text}");
        }
    }
}
