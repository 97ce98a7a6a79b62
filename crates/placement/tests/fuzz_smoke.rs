//! The fuzz targets' functions over inputs from seeds, on the stable compiler, with every test run.

mod entry;

use proptest::prelude::*;

/// What expressions are made of.
const TOKENS: &[&str] = &[
    "attribute:a",
    "attribute:zone",
    "task:group",
    "agentConnected",
    "agentVersion",
    "ec2InstanceId",
    "registeredAt",
    "runningTasksCount",
    "==",
    "!=",
    ">",
    "<=",
    "=~",
    "!~",
    "!",
    "exists",
    "in",
    "not_in",
    "not",
    "and",
    "or",
    "&&",
    "||",
    "(",
    ")",
    "[",
    "]",
    ",",
    "'",
    "\"",
    "a",
    "b",
    "1.2",
    "3",
    "2018-06-18",
    ".*",
    "[a-",
    "\\",
    "é",
    " ",
    "",
];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn all_at_once_is_as_one_by_one_for_any_history(bytes in any::<[u8; 16]>()) {
        entry::evaluation(&bytes);
    }

    #[test]
    fn a_fleet_places_as_the_plain_scan_may_in_any_history(bytes in any::<[u8; 16]>()) {
        entry::history(&bytes);
    }

    #[test]
    fn any_tokens_are_read_or_refused(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..16),
    ) {
        entry::query(tokens.join(" ").as_bytes());
        entry::query(tokens.concat().as_bytes());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        entry::query(&bytes);
    }
}
