//! Where snapshots from strangers enter, and what must hold for each of them: any bytes may be
//! given, and nothing panics. The fuzz target in `fuzz/` and the smoke test beside this folder feed
//! the same functions.

#![allow(dead_code, reason = "each fuzz target uses one of them")]

use longshore_store::snapshot::{Snapshot, SnapshotError, read, write};

/// The first line of a snapshot that is read.
pub(crate) const FIRST: &str = "longshore-snapshot 1\n";

/// The other lines of one, without their checks.
pub(crate) const LINES: &str = include_str!("sample.txt");

/// Any bytes as a file.
pub(crate) fn snapshot(bytes: &[u8]) {
    if let Ok(snapshot) = read(bytes) {
        check(&snapshot);
    }
}

/// Lines of any text, sealed as a snapshot's are: whoever wants to can do that too.
pub(crate) fn sealed_snapshot(bytes: &[u8]) {
    let file = sealed(bytes);
    match read(&*file) {
        Ok(snapshot) => check(&snapshot),
        Err(SnapshotError::Record { offset, .. } | SnapshotError::Cut { offset }) => {
            assert!(offset <= file.len() as u64);
        }
        Err(other) => panic!("sealed lines are not {other}"),
    }
}

/// A file of these lines, each after its check.
pub(crate) fn sealed(lines: &[u8]) -> Vec<u8> {
    let mut file = FIRST.as_bytes().to_vec();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&file);
    for line in lines.split(|it| *it == b'\n') {
        hasher.update(line);
        let check = format!("{:08x} ", hasher.clone().finalize());
        hasher.update(b"\n");
        file.extend([check.as_bytes(), line, b"\n"].concat());
    }
    file
}

/// What was read holds together, and can be written and read again.
fn check(snapshot: &Snapshot) {
    snapshot.state.check_derived().unwrap_or_else(|error| panic!("{error}"));
    let mut bytes = Vec::new();
    write(&snapshot.state, &snapshot.header, &mut bytes).expect("memory takes all");
    let again = read(&*bytes).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.header, snapshot.header);
    let mut same = Vec::new();
    write(&again.state, &again.header, &mut same).expect("memory takes all");
    assert!(same == bytes, "what was read is written otherwise");
}
