//! Dates as signatures spell them: `20150830T123600Z`.

use std::fmt;

const SECONDS_PER_DAY: i64 = 86_400;

/// A second in UTC, within the years 0 to 9999, with its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BasicDate {
    unix_secs: i64,
    text: [u8; 16],
}

impl BasicDate {
    /// Seconds outside the years 1 to 9998 are moved to the nearest of them.
    pub(super) fn from_unix(secs: i64) -> Self {
        const YEAR_1: i64 = -62_135_596_800;
        const YEAR_9999: i64 = 253_370_764_800;
        let unix_secs = secs.clamp(YEAR_1, YEAR_9999 - 1);
        let (year, month, day) = civil_from_days(unix_secs.div_euclid(SECONDS_PER_DAY));
        let second = unix_secs.rem_euclid(SECONDS_PER_DAY);
        let mut text = *b"00000000T000000Z";
        write_digits(&mut text[0..4], year);
        write_digits(&mut text[4..6], month);
        write_digits(&mut text[6..8], day);
        write_digits(&mut text[9..11], second / 3600);
        write_digits(&mut text[11..13], second / 60 % 60);
        write_digits(&mut text[13..15], second % 60);
        Self { unix_secs, text }
    }

    /// Reads ISO 8601's basic form, `20150830T123600Z`.
    pub(super) fn parse_basic(value: &[u8]) -> Option<Self> {
        let text: [u8; 16] = value.trim_ascii().try_into().ok()?;
        if text[8] != b'T' || text[15] != b'Z' {
            return None;
        }
        let unix_secs = unix_from_civil(
            (digits(&text[0..4])?, digits(&text[4..6])?, digits(&text[6..8])?),
            (digits(&text[9..11])?, digits(&text[11..13])?, digits(&text[13..15])?),
        )?;
        Some(Self { unix_secs, text })
    }

    /// Reads the form of the `Date` header, `Sun, 30 Aug 2015 12:36:00 GMT`.
    pub(super) fn parse_http(value: &[u8]) -> Option<Self> {
        let text: [u8; 29] = value.trim_ascii().try_into().ok()?;
        if &text[3..5] != b", " || &text[25..29] != b" GMT" {
            return None;
        }
        let months = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let month = months.chunks(3).position(|name| name == &text[8..11])? as i64 + 1;
        let unix_secs = unix_from_civil(
            (digits(&text[12..16])?, month, digits(&text[5..7])?),
            (digits(&text[17..19])?, digits(&text[20..22])?, digits(&text[23..25])?),
        )?;
        Some(Self::from_unix(unix_secs))
    }

    pub(super) fn unix_secs(self) -> i64 {
        self.unix_secs
    }

    /// The day alone: `20150830`.
    pub(super) fn day(&self) -> &str {
        std::str::from_utf8(&self.text[..8]).expect("digits are UTF-8")
    }

    /// The whole: `20150830T123600Z`.
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("digits, T and Z are UTF-8")
    }
}

impl fmt::Display for BasicDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, &byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn write_digits(place: &mut [u8], mut number: i64) {
    for byte in place.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn unix_from_civil(
    (year, month, day): (i64, i64, i64),
    (hour, minute, second): (i64, i64, i64),
) -> Option<i64> {
    let days = days_from_civil(year, month, day);
    let is_date = civil_from_days(days) == (year, month, day);
    let is_time = hour < 24 && minute < 60 && second < 60;
    (is_date && is_time).then(|| days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// Days since the epoch. Years are counted from March, so that the leap day is the last of its
/// year; 400 years are always 146,097 days.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_spellings_name_the_same_second() {
        let date = BasicDate::parse_basic(b"20150830T123600Z").unwrap();
        assert_eq!(date.unix_secs(), 1_440_938_160);
        assert_eq!(BasicDate::parse_http(b"Sun, 30 Aug 2015 12:36:00 GMT"), Some(date));
        assert_eq!(BasicDate::from_unix(1_440_938_160), date);
        assert_eq!((date.day(), date.as_str()), ("20150830", "20150830T123600Z"));
    }

    #[test]
    fn leap_days_are_where_they_belong() {
        for (text, is_date) in [
            ("20160229T000000Z", true),
            ("20150229T000000Z", false),
            ("20000229T000000Z", true),
            ("19000229T000000Z", false),
        ] {
            assert_eq!(BasicDate::parse_basic(text.as_bytes()).is_some(), is_date, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830T1236000",
            "20151330T123600Z",
            "20150800T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "2015083xT123600Z",
            "Sun, 30 Aug 2015 12:36:00 CET",
            "Sun, 30 Xxx 2015 12:36:00 GMT",
        ] {
            assert_eq!(BasicDate::parse_basic(text.as_bytes()), None, "{text}");
            assert_eq!(BasicDate::parse_http(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_survives_its_text(secs in -62_135_596_800_i64..253_370_764_800) {
            let date = BasicDate::from_unix(secs);
            prop_assert_eq!(BasicDate::parse_basic(date.as_str().as_bytes()), Some(date));
            prop_assert_eq!(date.unix_secs(), secs);
        }

        #[test]
        fn no_second_is_too_far(secs: i64) {
            BasicDate::from_unix(secs);
        }
    }
}
