//! After how long the tasks of a machine that stays away are given up: a cluster's policy, and a
//! task's own, which goes before it. Both are tags, so that every client of ECS can say them.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::tags::Tags;

/// The key of the tag.
pub const LOST_AFTER: &str = "longshore:lost-after";

/// The shortest time. A machine is known to be away 9 s after its last word, and an agent that was
/// restarted is back in seconds: a shorter time would give up what is there.
pub const SHORTEST_SECS: u32 = 10;
const LONGEST_SECS: u32 = 365 * 24 * 3600;

/// What becomes of tasks on a machine that stays away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LostAfter {
    /// They are left as they are, as in ECS.
    #[default]
    Never,
    /// After so many seconds they count as lost.
    Secs(u32),
}

/// A text that is no such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{LOST_AFTER} is `never`, or a time of at least 10 seconds and at most 365 days: a number and \
     one of s, m, h, d, such as 90s, 10m or 2h"
)]
pub struct LostAfterError;

impl LostAfter {
    /// What tags say; `None` where they say nothing.
    pub fn of(tags: &Tags) -> Option<Self> {
        // What is not valid was not let in.
        tags.iter().find(|it| it.key() == LOST_AFTER)?.value().parse().ok()
    }

    /// When the tasks of a machine that has been away since then are lost; `None` for never.
    pub fn due(self, away_since: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::Secs(secs) => Some(away_since.plus_secs(secs.into())),
        }
    }
}

impl FromStr for LostAfter {
    type Err = LostAfterError;

    fn from_str(text: &str) -> Result<Self, LostAfterError> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let (last, _) = text.char_indices().next_back().ok_or(LostAfterError)?;
        let (number, unit) = text.split_at(last);
        let unit_secs = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return Err(LostAfterError),
        };
        if !number.bytes().all(|it| it.is_ascii_digit()) {
            return Err(LostAfterError);
        }
        let number: u32 = number.parse().map_err(|_| LostAfterError)?;
        let secs = number.checked_mul(unit_secs).ok_or(LostAfterError)?;
        if !(SHORTEST_SECS..=LONGEST_SECS).contains(&secs) {
            return Err(LostAfterError);
        }
        Ok(Self::Secs(secs))
    }
}

impl fmt::Display for LostAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Never => f.write_str("never"),
            Self::Secs(secs) if secs % 3600 == 0 => write!(f, "{}h", secs / 3600),
            Self::Secs(secs) if secs % 60 == 0 => write!(f, "{}m", secs / 60),
            Self::Secs(secs) => write!(f, "{secs}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_or_a_number_with_a_unit() {
        for (text, value, shown) in [
            ("never", LostAfter::Never, "never"),
            ("10s", LostAfter::Secs(10), "10s"),
            ("90s", LostAfter::Secs(90), "90s"),
            ("600s", LostAfter::Secs(600), "10m"),
            ("10m", LostAfter::Secs(600), "10m"),
            ("2h", LostAfter::Secs(7200), "2h"),
            ("365d", LostAfter::Secs(LONGEST_SECS), "8760h"),
        ] {
            assert_eq!(text.parse(), Ok(value), "{text}");
            assert_eq!(value.to_string(), shown);
            assert_eq!(shown.parse(), Ok(value), "{shown}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "s",
            "0",
            "0s",
            "9s",
            "10",
            "366d",
            "1.5h",
            "-10s",
            "+10s",
            "10 s",
            " 10s",
            "10S",
            "Never",
            "1h30m",
            "99999999999999999999h",
            "4294967295d",
            "10é",
            "١٠s",
        ] {
            assert_eq!(text.parse::<LostAfter>(), Err(LostAfterError), "{text:?}");
        }
    }
}
