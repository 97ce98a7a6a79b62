//! Versions of the agent, ordered component by component as numbers.

/// Such as `1.14.3`. Missing components count as 0, so none ends in one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(Vec<u64>);

impl Version {
    /// Numbers with dots between them; what follows a hyphen or a plus does not count.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut components: Vec<u64> =
            numbers.split('.').map(|it| it.parse().ok()).collect::<Option<_>>()?;
        while components.last() == Some(&0) {
            components.pop();
        }
        Some(Self(components))
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
