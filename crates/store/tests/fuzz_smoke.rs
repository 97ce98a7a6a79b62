//! The fuzz target's functions over inputs from seeds, on the stable compiler, with every test run.

mod entry;

use proptest::prelude::*;

/// What lines may be changed to.
const PIECES: &[&str] = &[
    "\n",
    "c1 ",
    "d1 ",
    "i1 ",
    "t1 ",
    "p1 ",
    "a1 {}",
    "f1 ",
    "end 3",
    "end 0",
    "{",
    "}",
    "\"",
    ":",
    ",",
    "null",
    "-1",
    "4294967295",
    "18446744073709551616",
    "web",
    "\u{e9}",
    "\\u0000",
    " ",
    "",
];

#[test]
fn the_lines_that_are_changed_are_those_of_a_snapshot() {
    let file = entry::sealed(entry::LINES.trim_end().as_bytes());
    let snapshot = longshore_store::snapshot::read(&*file).unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(snapshot.state.all_tasks().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        entry::snapshot(&bytes);
        entry::snapshot(&[entry::FIRST.as_bytes(), &bytes].concat());
        entry::sealed_snapshot(&bytes);
    }

    #[test]
    fn any_change_to_a_snapshots_lines_is_read_or_refused(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..24_usize, prop::sample::select(PIECES)), 1..4,
        ),
    ) {
        let mut lines = entry::LINES.trim_end().as_bytes().to_vec();
        for (at, length, piece) in changes {
            let begin = at.index(lines.len() + 1);
            let end = (begin + length).min(lines.len());
            lines.splice(begin..end, piece.bytes());
        }
        entry::sealed_snapshot(&lines);
        entry::snapshot(&lines);
    }
}
