//! Versions of the agent, ordered component by component as numbers.

use std::cmp::Ordering;
use std::fmt;

/// Such as `1.14.3`. Missing components count as 0, so none ends in one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(Vec<u64>);

impl Version {
    /// Numbers with dots between them; what follows a hyphen or a plus does not count.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut components: Vec<u64> = components(text).collect::<Option<_>>()?;
        while components.last() == Some(&0) {
            components.pop();
        }
        Some(Self(components))
    }

    /// How the version that a text is stands to this one; `None` where it is none. Asked of every
    /// instance, so it keeps nothing of what it reads.
    pub(super) fn compare_with(&self, text: &str) -> Option<Ordering> {
        let mut ours = self.0.iter();
        let mut order = Ordering::Equal;
        for theirs in components(text) {
            order = order.then(theirs?.cmp(ours.next().unwrap_or(&0)));
        }
        Some(if ours.next().is_some() { order.then(Ordering::Less) } else { order })
    }
}

/// The numbers of a version, and `None` for each that is no number.
fn components(text: &str) -> impl Iterator<Item = Option<u64>> {
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    numbers.split('.').map(|it| it.parse().ok())
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components: Vec<_> = self.0.iter().map(u64::to_string).collect();
        f.write_str(if components.is_empty() { "0" } else { "" })?;
        f.write_str(&components.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_compared_as_numbers() {
        let sorted = ["0", "0.9", "1", "1.0.1", "1.9.9", "1.14", "1.14.3", "1.14.10", "2.0"];
        assert!(sorted.is_sorted_by(|one, other| Version::parse(one) < Version::parse(other)));
    }

    #[test]
    fn a_text_is_compared_as_the_version_that_it_is() {
        let texts = ["0", "0.0", "0.9", "1", "1.0.1", "1.14-rc1", "1.14.3", "1.14.3.0", "2", "1.x"];
        for one in texts {
            for other in texts {
                let Some(wanted) = Version::parse(other) else { continue };
                let expect = Version::parse(one).map(|it| it.cmp(&wanted));
                assert_eq!(wanted.compare_with(one), expect, "{one} {other}");
            }
        }
        let wanted = Version::parse("2.0").unwrap();
        assert_eq!(wanted.compare_with("1.x"), None);
    }

    #[test]
    fn missing_components_are_0_and_suffixes_do_not_count() {
        for text in ["1.14", "1.14.0", "1.14.0-rc1", "1.14+build", "01.14"] {
            assert_eq!(Version::parse(text), Version::parse("1.14.0.0"), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
        for text in ["", "v1", "1.", ".1", "1..2", "1.x", "-1", "99999999999999999999"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
