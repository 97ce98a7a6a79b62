//! Access keys that are not the root key: tokens by which machines join, and the keys of the
//! agents that have joined.
//!
//! A record never holds a secret. Whoever verifies signatures makes the secret anew from the id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::clock::Timestamp;
use crate::id::InstanceId;
use crate::names::ClusterName;

/// The text is not an access key id of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an access key id of this kind is {0} and 32 upper-case hex digits")]
pub struct AccessKeyIdError(&'static str);

macro_rules! access_key_id {
    ($(#[$doc:meta])* $name:ident $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// The id of these bits.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// Its bits, most significant first in the text.
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{:032X}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = AccessKeyIdError;

            fn from_str(text: &str) -> Result<Self, AccessKeyIdError> {
                let digits = text.strip_prefix($prefix).filter(|it| is_32_digits(it));
                let bits = digits.and_then(|it| u128::from_str_radix(it, 16).ok());
                bits.map(Self).ok_or(AccessKeyIdError($prefix))
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

fn is_32_digits(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'A'..=b'F'))
}

access_key_id! {
    /// Identifies a join token, and is the access key id that a joining machine signs with.
    JoinTokenId "LSJT"
}
access_key_id! {
    /// Identifies an instance key, and is the access key id that its agent signs with.
    InstanceKeyId "LSIK"
}

/// What lets machines join a cluster, a number of times and for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinToken {
    /// Also its access key id.
    pub id: JoinTokenId,
    /// The cluster that machines join with it.
    pub cluster: ClusterName,
    /// How many machines may join with it in all.
    pub uses: u32,
    /// How many have.
    pub used: u32,
    /// What its maker noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is no good.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// Whether a machine may join with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinTokenStatus {
    /// It may.
    Usable,
    /// As many have as may.
    UsedUp,
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked,
}

impl JoinTokenStatus {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usable => "USABLE",
            Self::UsedUp => "USED_UP",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
        }
    }
}

impl JoinToken {
    /// Whether a machine may join with it now. A token that is no good for several reasons is no
    /// good for the one that somebody chose last.
    pub fn status(&self, now: Timestamp) -> JoinTokenStatus {
        if self.revoked_at.is_some() {
            JoinTokenStatus::Revoked
        } else if self.used >= self.uses {
            JoinTokenStatus::UsedUp
        } else if self.expires_at <= now {
            JoinTokenStatus::Expired
        } else {
            JoinTokenStatus::Usable
        }
    }

    /// When it became, or becomes, no good for good.
    pub fn ends_at(&self) -> Timestamp {
        self.revoked_at.map_or(self.expires_at, |it| it.min(self.expires_at))
    }
}

/// What one machine's agent signs with. It is good for that agent's own instance alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceKey {
    /// Also its access key id.
    pub id: InstanceKeyId,
    /// The cluster that its agent joined.
    pub cluster: ClusterName,
    /// The token by which it joined, which may be forgotten since.
    pub token: JoinTokenId,
    /// The container instance that its agent registered; `None` until it has. It never changes
    /// after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// When the machine joined.
    pub created_at: Timestamp,
    /// When it was revoked, if it was: it is refused from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_key_shows_in_its_id() {
        let token = JoinTokenId::from_bits(0xabc);
        let text = "LSJT00000000000000000000000000000ABC";
        assert_eq!(token.to_string(), text);
        assert_eq!(text.parse(), Ok(token));
        assert!(text.parse::<InstanceKeyId>().is_err());
        assert_eq!(InstanceKeyId::from_bits(0xabc).to_string(), text.replace("LSJT", "LSIK"));
    }

    #[test]
    fn an_id_is_written_in_one_way() {
        for text in [
            "",
            "LSJT",
            "LSJTABC",
            "LSJT00000000000000000000000000000abc",
            "LSJT+0000000000000000000000000000ABC",
            "LSJT000000000000000000000000000000ABC",
            "AKIA00000000000000000000000000000ABC",
        ] {
            assert!(text.parse::<JoinTokenId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_is_usable_until_it_is_revoked_used_up_or_expired() {
        let at = Timestamp::from_millis;
        let token = JoinToken {
            id: JoinTokenId::from_bits(1),
            cluster: "default".parse().unwrap(),
            uses: 2,
            used: 1,
            note: None,
            created_at: at(0),
            expires_at: at(1000),
            revoked_at: None,
        };
        assert_eq!(token.status(at(999)), JoinTokenStatus::Usable);
        assert_eq!(token.status(at(1000)), JoinTokenStatus::Expired);
        let used_up = JoinToken { used: 2, ..token.clone() };
        assert_eq!(used_up.status(at(0)), JoinTokenStatus::UsedUp);
        let revoked = JoinToken { revoked_at: Some(at(5)), ..used_up };
        assert_eq!(revoked.status(at(2000)), JoinTokenStatus::Revoked);
        assert_eq!((token.ends_at(), revoked.ends_at()), (at(1000), at(5)));
    }
}
