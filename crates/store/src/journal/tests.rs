//! What every journal keeps, and what the embedded one does when its disk fails it.

use super::*;

fn put(key: &str, value: &str) -> Record {
    (key.into(), Some(value.into()))
}

fn loaded(journal: &mut dyn Journal) -> (u64, Vec<(String, String)>) {
    let mut records = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let revision = journal
        .load(&mut |key, value| {
            records.push((text(key), text(value)));
            Ok(())
        })
        .unwrap();
    (revision, records)
}

/// The suite that every journal passes; `reopen` is a restart.
fn keeps_what_was_committed<J: Journal>(mut reopen: impl FnMut() -> J) {
    let mut journal = reopen();
    assert_eq!(loaded(&mut journal), (0, vec![]));
    journal.commit(&Batch { revision: 1, records: vec![put("b", "1"), put("c", "2")] }).unwrap();
    journal
        .commit(&Batch {
            revision: 3,
            records: vec![put("a", "3"), put("b", "4"), ("c".into(), None), ("x".into(), None)],
        })
        .unwrap();
    drop(journal);
    let kept = vec![("a".into(), "3".into()), ("b".into(), "4".into())];
    assert_eq!(loaded(&mut reopen()), (3, kept));
}

#[test]
fn memory_keeps_what_was_committed() {
    let journal = MemoryJournal::default();
    keeps_what_was_committed(|| journal.clone());
}

#[test]
fn a_file_keeps_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    keeps_what_was_committed(|| EmbeddedJournal::open(&dir.path().join("journal")).unwrap());
}

#[test]
fn a_file_that_is_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let _first = EmbeddedJournal::open(&path).unwrap();
    assert_eq!(EmbeddedJournal::open(&path).err(), Some(JournalError::InUse(path)));
}

#[test]
fn a_file_that_is_no_journal_is_refused_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    std::fs::write(&path, "something else entirely, and long enough to be looked at").unwrap();
    let error = EmbeddedJournal::open(&path).err().unwrap().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
}
