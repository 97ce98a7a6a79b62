//! What every journal keeps, and what the embedded one does when its disk fails it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::disk::Disk;
use super::*;

type Kept = (u64, Vec<(Vec<u8>, Vec<u8>)>);

fn put(key: &str, value: &str) -> Record {
    (key.into(), Some(value.into()))
}

fn loaded(journal: &mut dyn Journal) -> Kept {
    let mut records = Vec::new();
    let revision = journal
        .load(&mut |key, value| {
            records.push((key.to_vec(), value.to_vec()));
            Ok(())
        })
        .unwrap();
    (revision, records)
}

/// The suite that every journal passes; `reopen` is a restart.
fn suite<J: Journal>(mut reopen: impl FnMut() -> J) {
    let mut journal = reopen();
    assert_eq!(loaded(&mut journal), (0, vec![]), "a new journal is empty");
    journal
        .commit(&Batch { follows: 0, revision: 1, records: vec![put("b", "1"), put("c", "2")] })
        .unwrap();
    let records = vec![put("a", "3"), put("b", "4"), ("c".into(), None), ("x".into(), None)];
    journal.commit(&Batch { follows: 1, revision: 3, records }).unwrap();
    drop(journal);
    let kept = (3, vec![("a".into(), "3".into()), ("b".into(), "4".into())]);
    let mut journal = reopen();
    assert_eq!(loaded(&mut journal), kept, "it keeps what was committed, in the order of keys");
    let stale =
        journal.commit(&Batch { follows: 1, revision: 2, records: vec![put("a", "stale")] });
    let expected = JournalError::Superseded { expected: 1, found: 3 };
    assert_eq!(stale, Err(expected), "a batch built on an older revision is refused");
    drop(journal);
    let mut journal = reopen();
    assert_eq!(loaded(&mut journal), kept, "and changes nothing");
    let refused = journal.load(&mut |_, _| Err(StoreError::Journal("enough".into())));
    assert_eq!(refused, Err(StoreError::Journal("enough".into())), "a reader may give up");
    let large =
        Batch { follows: 3, revision: 4, records: vec![("a".into(), Some(vec![7; 1 << 20]))] };
    journal.commit(&large).unwrap();
    assert_eq!(loaded(&mut journal).1[0].1.len(), 1 << 20, "a large record is kept whole");
}

#[test]
fn memory_passes_the_suite() {
    let journal = MemoryJournal::default();
    suite(|| journal.clone());
}

#[test]
fn a_file_passes_the_suite() {
    let dir = tempfile::tempdir().unwrap();
    suite(|| EmbeddedJournal::open(&dir.path().join("journal")).unwrap());
}

#[test]
fn a_disk_that_does_not_fail_passes_the_suite() {
    let disk = Disk::default();
    suite(|| EmbeddedJournal::on(disk.clone()).unwrap());
}

#[test]
fn a_file_that_is_open_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let _first = EmbeddedJournal::open(&path).unwrap();
    assert_eq!(EmbeddedJournal::open(&path).err(), Some(JournalError::InUse(path)));
}

/// Names the file to a second process, which is this very test started again.
const HELD_FILE: &str = "LONGSHORE_TEST_HELD_FILE";

#[test]
fn a_file_that_another_process_has_open_is_refused_until_that_one_is_gone() {
    if let Some(path) = std::env::var_os(HELD_FILE) {
        return hold(path.as_ref());
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("journal::tests::a_file_that_another_process_has_open_is_refused_until_that_one_is_gone")
        .env(HELD_FILE, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|it| it.ends_with("it is open")));
    assert_eq!(EmbeddedJournal::open(&path).err(), Some(JournalError::InUse(path.clone())));
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(EmbeddedJournal::open(&path).is_ok());
}

/// What the second process of the test above does.
fn hold(path: &Path) {
    let _journal = EmbeddedJournal::open(path).unwrap();
    println!("it is open");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn what_a_killed_process_had_committed_is_there() {
    if let Some(path) = std::env::var_os(HELD_FILE) {
        return commit_for_ever(path.as_ref());
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut committed = 0;
    for _ in 0..3 {
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("journal::tests::what_a_killed_process_had_committed_is_there")
            .env(HELD_FILE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(other.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut revisions = lines.filter_map(|it| it.strip_prefix("committed ")?.parse().ok());
        committed = revisions.find(|it| *it > committed + 40_u64).unwrap();
        other.kill().unwrap();
        other.wait().unwrap();
        committed = revisions.last().unwrap_or(committed);
        let (revision, records) = loaded(&mut EmbeddedJournal::open(&path).unwrap());
        assert!((committed..=committed + 1).contains(&revision));
        assert_eq!(records.len(), 3);
        assert!(records.iter().all(|(_, value)| *value == revision.to_be_bytes()));
        committed = revision;
    }
}

/// What the second process of the test above does, until it is killed.
fn commit_for_ever(path: &Path) {
    let mut journal = EmbeddedJournal::open(path).unwrap();
    let (mut follows, _) = loaded(&mut journal);
    println!();
    loop {
        let revision = follows + 1;
        let record = |key: &str| (key.into(), Some(revision.to_be_bytes().to_vec()));
        let records = ["a", "b", "c"].map(record).into();
        journal.commit(&Batch { follows, revision, records }).unwrap();
        println!("committed {revision}");
        follows = revision;
    }
}

#[test]
fn a_file_that_is_no_journal_is_refused_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    std::fs::write(&path, "something else entirely, and long enough to be looked at").unwrap();
    let error = EmbeddedJournal::open(&path).err().unwrap().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn a_file_whose_making_was_cut_short_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let unfinished = path.with_added_extension(format!("{}.new", std::process::id()));
    std::fs::write(&unfinished, [0; 10_000]).unwrap();
    assert_eq!(loaded(&mut EmbeddedJournal::open(&path).unwrap()), (0, vec![]));
    assert!(!unfinished.exists());
}

#[test]
fn a_damaged_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut journal = EmbeddedJournal::open(&path).unwrap();
    loaded(&mut journal);
    let records = vec![put("key", "find me"), put("other", "value")];
    journal.commit(&Batch { follows: 0, revision: 1, records }).unwrap();
    drop(journal);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(7).position(|it| it == b"find me").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = EmbeddedJournal::open(&path).err().unwrap();
    assert!(matches!(error, JournalError::File { .. }), "{error}");
}

/// Commits one batch after another until the disk fails; gives what was kept before the batch that
/// failed, and with it.
fn commit_until_it_fails(
    mut journal: EmbeddedJournal,
    batches: &[Vec<(u8, Option<u16>)>],
) -> (Kept, Kept) {
    let mut kept = BTreeMap::new();
    let listed = |revision, kept: &BTreeMap<_, _>| (revision, kept.clone().into_iter().collect());
    for (changes, follows) in batches.iter().zip(0..) {
        let before = listed(follows, &kept);
        let changes: BTreeMap<_, _> = changes.iter().copied().collect();
        let record = |(key, value): (u8, Option<u16>)| {
            (vec![key], value.map(|it| vec![key; usize::from(it)]))
        };
        let records: Vec<_> = changes.into_iter().map(record).collect();
        for (key, value) in &records {
            match value {
                Some(value) => kept.insert(key.clone(), value.clone()),
                None => kept.remove(key),
            };
        }
        let revision = follows + 1;
        if journal.commit(&Batch { follows, revision, records }).is_err() {
            return (before, listed(revision, &kept));
        }
    }
    let all = listed(batches.len() as u64, &kept);
    (all.clone(), all)
}

fn batches() -> impl Strategy<Value = Vec<Vec<(u8, Option<u16>)>>> {
    let change = (0..20_u8, prop::option::weighted(0.8, 0..6_000_u16));
    prop::collection::vec(prop::collection::vec(change, 1..6), 1..30)
}

/// Fails a disk in many ways, and looks at what the next process finds on it.
fn check_failures<F: std::fmt::Debug>(
    failure: impl Strategy<Value = F>,
    fail: impl Fn(&Disk, &F),
    next: impl Fn(&Disk, &F) -> Disk,
) {
    let mut runner = TestRunner::new(Config { cases: 60, ..Config::default() });
    let check = |(batches, failure): (Vec<_>, F)| {
        let disk = Disk::default();
        let journal = EmbeddedJournal::on(disk.clone()).unwrap();
        fail(&disk, &failure);
        let (acknowledged, with_the_last) = commit_until_it_fails(journal, &batches);
        let mut journal = EmbeddedJournal::on(next(&disk, &failure)).unwrap();
        let found = loaded(&mut journal);
        prop_assert!(found == acknowledged || found == with_the_last);
        Ok(())
    };
    runner.run(&(batches(), failure), check).unwrap();
}

#[test]
fn after_a_loss_of_power_what_was_acknowledged_is_there_and_the_rest_is_whole_or_absent() {
    check_failures(
        (0..400_u32, any::<u64>()),
        |disk, (operations, _)| disk.cut_power_after(*operations),
        |disk, (_, seed)| {
            let mut seed = *seed | 1;
            disk.after_power_loss(|| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                seed >> 63 == 1
            })
        },
    );
}

#[test]
fn after_a_full_disk_what_was_acknowledged_is_there_and_the_rest_is_whole_or_absent() {
    check_failures(
        0..1_000_000_u64,
        |disk, room_bytes| disk.limit(*room_bytes),
        |disk, _| disk.restarted(),
    );
}
