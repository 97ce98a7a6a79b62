//! Docker's instants: RFC 3339 with nanoseconds, mostly of UTC.

use longshore_model::Timestamp;

/// From the first day of Docker's years to the epoch.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// An instant, to the millisecond; `None` if it cannot be read or is none, as of a container that
/// never ran.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let nanos = nanos(text)?.checked_sub(nanos(EPOCH)?)?;
    let millis = i64::try_from(nanos.div_euclid(1_000_000)).ok()?;
    (millis > 0).then(|| Timestamp::from_millis(millis))
}

/// Whole seconds from one instant to a later one; `None` if one cannot be read or there is no such
/// time between them.
pub(super) fn secs_between(from: &str, to: &str) -> Option<u32> {
    let nanos = nanos(to)?.checked_sub(nanos(from)?)?;
    u32::try_from(nanos.div_euclid(1_000_000_000)).ok()
}

/// Nanoseconds since the year 0.
fn nanos(text: &str) -> Option<i128> {
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let zone_at = time.find(['Z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone_at)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(clock, ':')?;
    let offset_minutes = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign, zone) => {
            let [hours, minutes] = numbers(zone, ':')?;
            (hours * 60 + minutes) * if sign == "-" { -1 } else { 1 }
        }
    };
    let minutes = (days(year, month, day)? * 24 + hour) * 60 + minute - offset_minutes;
    let fraction: i128 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(i128::from(minutes * 60 + second) * 1_000_000_000 + fraction)
}

/// Numbers of few digits, so that no sum of them overflows.
fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let numbers = text.split(separator).map(|it| Some(i64::from(it.parse::<u16>().ok()?)));
    numbers.collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// Days since the first of March of the year 0, in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, expect: Option<u32>) {
        assert_eq!(secs_between(from, to), expect, "{from} {to}");
    }

    #[test]
    fn fractions_of_a_second_count() {
        check("2026-11-24T06:00:00.900000001Z", "2026-11-24T06:00:01.9Z", Some(0));
        check("2026-11-24T06:00:00.9Z", "2026-11-24T06:00:01.9Z", Some(1));
        check("2026-11-24T06:00:00Z", "2026-11-24T06:00:00Z", Some(0));
    }

    #[test]
    fn days_months_and_leap_years_count() {
        check("2024-02-28T23:59:59Z", "2024-03-01T00:00:00Z", Some(86_401));
        check("2025-02-28T23:59:59Z", "2025-03-01T00:00:00Z", Some(1));
        check("2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z", Some(86_400));
        check("1970-01-01T00:00:00Z", "2026-11-23T21:01:34Z", Some(1_795_467_694));
    }

    #[test]
    fn an_instant_is_read_to_the_millisecond() {
        let check = |text: &str, expect: Option<i64>| {
            assert_eq!(instant(text).map(|it| it.millis()), expect, "{text}");
        };
        check("2026-11-23T21:01:34.123456789Z", Some(1_795_467_694_123));
        check("2026-11-23T22:01:34+01:00", Some(1_795_467_694_000));
        check("0001-01-01T00:00:00Z", None);
        check("", None);
    }

    #[test]
    fn zones_count() {
        check("2026-11-24T06:00:00+01:30", "2026-11-24T04:31:00Z", Some(60));
        check("2026-11-24T06:00:00-01:00", "2026-11-24T07:00:05+00:00", Some(5));
    }

    #[test]
    fn what_is_no_time_between_two_instants_is_none() {
        check("2026-11-24T06:00:01Z", "2026-11-24T06:00:00Z", None);
        // What Docker says of a container that never ran.
        check("0001-01-01T00:00:00Z", "2026-11-24T06:00:00Z", None);
        for nonsense in ["", "T", "2026-11-24", "2026-11-24T06:00:00", "a-b-cTd:e:fZ"] {
            check(nonsense, "2026-11-24T06:00:00Z", None);
        }
    }
}
