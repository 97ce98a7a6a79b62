//! A point in time as AWS JSON spells it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::shape::{Kind, Mismatch, Reader, Shape};

/// Milliseconds since the epoch; on the wire a JSON number of seconds with a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Far beyond any date, and far inside what `f64` holds to the millisecond.
const MAX_SECONDS: f64 = 1e12;

impl Timestamp {
    /// The point in time this many milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Rounds to the millisecond; `None` when the number is no date at all.
    fn from_seconds(seconds: f64) -> Option<Self> {
        (seconds.abs() <= MAX_SECONDS).then(|| Self((seconds * 1000.0).round() as i64))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Self::from_seconds(seconds)
            .ok_or_else(|| serde::de::Error::custom("the timestamp is out of range"))
    }
}

impl Shape for Timestamp {
    fn read(value: Value, reader: &mut Reader) -> Result<Self, Mismatch> {
        value
            .as_f64()
            .and_then(Self::from_seconds)
            .ok_or_else(|| reader.mismatch(&value, "Timestamp"))
    }

    fn kind() -> Kind {
        Kind::Timestamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, millis: i64, printed: &str) {
        let timestamp: Timestamp = serde_json::from_str(text).unwrap();
        assert_eq!(timestamp, Timestamp::from_millis(millis));
        assert_eq!(serde_json::to_string(&timestamp).unwrap(), printed);
    }

    #[test]
    fn seconds_carry_milliseconds_as_a_fraction() {
        check("1497513600.123", 1_497_513_600_123, "1497513600.123");
        check("1748592434.001", 1_748_592_434_001, "1748592434.001");
    }

    #[test]
    fn whole_seconds_and_exponents_are_read_too() {
        check("1795455949", 1_795_455_949_000, "1795455949.0");
        check("1.619952106055E9", 1_619_952_106_055, "1619952106.055");
        check("-1.5", -1500, "-1.5");
    }

    #[test]
    fn a_number_that_is_no_date_is_refused() {
        assert!(serde_json::from_str::<Timestamp>("1e300").is_err());
    }
}
