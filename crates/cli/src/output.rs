//! What commands say on standard output.

use std::io::{self, ErrorKind, Write};

use longshore_wire::Timestamp;

/// Writes a text. Whoever reads it may have enough at any time, which is no error; what it could
/// make a terminal do besides showing it is left out.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let shown: String = text.chars().filter(|it| *it == '\n' || !it.is_control()).collect();
    match io::stdout().lock().write_all(shown.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Such as `2026-11-24 09:30:00Z`; the number where no calendar has it.
pub(crate) fn instant(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.millis()) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => format!("{} ms after 1970", at.millis()),
    }
}

/// Such as `1 task` or `1,234 tasks`.
pub(crate) fn counted(count: i64, one: &str, more: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{} {more}", number(count)),
    }
}

/// Such as `1,234`.
pub(crate) fn number(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = if count < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The last part of an ARN, which says enough beside its cluster; the whole where it is none.
pub(crate) fn short(arn: Option<&String>) -> &str {
    let arn = arn.map(String::as_str).unwrap_or_default();
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_comma_before_each_three_digits() {
        let texts = [0, 12, 999, 1000, 123_456, 1_234_567, -1000].map(number);
        assert_eq!(texts, ["0", "12", "999", "1,000", "123,456", "1,234,567", "-1,000"]);
    }

    #[test]
    fn an_instant_is_shown_in_utc() {
        assert_eq!(instant(Timestamp::from_millis(1_500_000_000_999)), "2017-07-14 02:40:00Z");
        assert_eq!(
            instant(Timestamp::from_millis(i64::MAX)),
            format!("{} ms after 1970", i64::MAX)
        );
    }
}
