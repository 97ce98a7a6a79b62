use expect_test::expect;
use longshore_model::{LastStatus, Lost};

use super::*;
use crate::StoreError;
use crate::store::Store;
use crate::testing::{NOW, cluster, definition, instance, task};
use crate::tx::Tx;

fn header(cluster: Option<&str>) -> Header {
    Header {
        taken_at: NOW,
        owner: Owner { region: "us-east-1".into(), account: "123456789012".into() },
        has_fargate: false,
        cluster: cluster.map(|it| it.parse().unwrap()),
    }
}

/// A state of two clusters with an instance and a task each, and what is not written.
fn state() -> State {
    made(|tx| {
        let status = DefinitionStatus::Inactive;
        tx.put_definition(longshore_model::TaskDefinition { status, ..definition("web", 1) });
        tx.put_definition(longshore_model::TaskDefinition { status, ..definition("web", 2) });
        tx.put_definition(definition("web", 3));
        for (number, name) in [(1, "default"), (2, "other")] {
            tx.put_cluster(cluster(name));
            tx.put_instance(instance(number, name));
            tx.put_task(task(number, name, number));
        }
        let last_status = LastStatus::Stopped;
        tx.put_task(Task { last_status, ..task(3, "default", 1) });
        // It was given up, and may still run there.
        tx.put_task(Task { last_status, lost: Some(Lost::AtLarge), ..task(4, "default", 1) });
    })
}

fn made(put: impl FnOnce(&mut Tx<'_>)) -> State {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Store::open_inline(crate::journal::MemoryJournal::default()).unwrap();
        let put = |tx: &mut Tx<'_>| {
            put(tx);
            Ok::<_, StoreError>(())
        };
        store.update(put).await.unwrap();
        State::clone(&store.view())
    })
}

fn written(state: &State, header: &Header) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(state, header, &mut bytes).unwrap();
    bytes
}

#[track_caller]
fn refused(bytes: &[u8]) -> String {
    match read(bytes) {
        Ok(_) => panic!("it was read"),
        Err(error) => error.to_string(),
    }
}

/// What placement looks at is in a snapshot of this state as it is in the state.
pub(crate) fn check_round_trip(state: &State) {
    let header = header(None);
    let bytes = written(state, &header);
    let read = read(&*bytes).unwrap();
    assert_eq!(read.header, header);
    read.state.check_derived().unwrap();
    assert!(read.state.clusters().eq(state.clusters()));
    assert!(read.state.all_instances().eq(state.all_instances()));
    let active = |it: &&Arc<TaskDefinition>| it.status == DefinitionStatus::Active;
    assert!(read.state.definitions().filter(active).eq(state.definitions().filter(active)));
    let there = state.all_tasks().filter(|it| it.takes_resources());
    assert!(read.state.all_tasks().eq(there));
    for instance in state.all_instances() {
        assert_eq!(read.state.occupancy(instance.id), state.occupancy(instance.id));
    }
    assert_eq!(written(&read.state, &header), bytes);
}

#[test]
fn what_placement_looks_at_is_read_back() {
    check_round_trip(&state());
}

#[test]
fn definitions_are_those_that_can_be_run_and_those_of_live_tasks() {
    let read = read(&*written(&state(), &header(None))).unwrap();
    let keys: Vec<_> = read.state.definitions().map(|it| it.key.to_string()).collect();
    assert_eq!(keys, ["web:1", "web:3"]);
}

#[test]
fn a_snapshot_of_one_cluster_has_nothing_of_others() {
    let read = read(&*written(&state(), &header(Some("other")))).unwrap();
    let other = |name: &ClusterName| name.as_str() == "other";
    assert_eq!(read.state.clusters().count(), 1);
    assert_eq!(read.state.all_instances().filter(|it| other(&it.cluster)).count(), 1);
    assert_eq!(read.state.all_instances().count(), 1);
    assert_eq!(read.state.all_tasks().count(), 1);
}

#[test]
fn the_form_is_lines_that_a_reader_can_read() {
    let state = made(|tx| tx.put_cluster(cluster("default")));
    let text = String::from_utf8(written(&state, &header(Some("default")))).unwrap();
    expect![[r#"
        longshore-snapshot 1
        6bc839b1 {"taken_at":1500000000000,"region":"us-east-1","account":"123456789012","cluster":"default"}
        e51ed845 c1 {"name":"default","status":"ACTIVE","created_at":1500000000000}
        e809200c end 1
    "#]]
    .assert_eq(&text);
}

#[test]
fn wherever_it_is_cut_that_is_said() {
    let bytes = written(&state(), &header(None));
    for length in 1..bytes.len() {
        assert!(
            matches!(read(&bytes[..length]), Err(SnapshotError::Cut { offset }) if offset == length as u64),
            "cut at {length}: {}",
            refused(&bytes[..length])
        );
    }
    assert!(refused(b"").contains("no snapshot"));
}

#[test]
fn any_byte_that_is_changed_is_found_in_its_line() {
    let bytes = written(&state(), &header(None));
    let last = bytes.len() - 1;
    for at in b"longshore-snapshot 1\n".len()..last {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let begin = bytes[..at].iter().rposition(|it| *it == b'\n').unwrap() + 1;
        let text = refused(&changed);
        assert!(text.contains(&format!("damaged at byte {begin},")), "byte {at}: {text}");
    }
    let mut changed = bytes.clone();
    changed[last] ^= 1;
    assert!(refused(&changed).contains("it is cut"));
}

#[test]
fn lines_that_are_lost_repeated_or_exchanged_are_found() {
    let bytes = written(&state(), &header(None));
    let lines: Vec<&[u8]> = bytes.split_inclusive(|it| *it == b'\n').collect();
    for at in 1..lines.len() - 1 {
        let mut lost = lines.clone();
        lost.remove(at);
        assert!(refused(&lost.concat()).contains("damaged at byte"), "line {at} lost");
        let mut repeated = lines.clone();
        repeated.insert(at, lines[at]);
        assert!(refused(&repeated.concat()).contains("damaged at byte"), "line {at} repeated");
        let mut exchanged = lines.clone();
        exchanged.swap(at, at + 1);
        assert!(refused(&exchanged.concat()).contains("damaged at byte"), "line {at} exchanged");
    }
}

#[test]
fn what_is_no_snapshot_of_this_version_is_said_to_be_so() {
    expect!["it is no snapshot of Longshore's: it does not begin with `longshore-snapshot`"]
        .assert_eq(&refused(b"PK\x03\x04"));
    expect![[r#"its form has the version "2", and this Longshore reads version 1"#]]
        .assert_eq(&refused(b"longshore-snapshot 2\nwhatever"));
    let mut more = written(&state(), &header(None));
    more.extend(b"more");
    assert!(refused(&more).contains("something follows its last line"));
}

#[test]
fn a_record_that_makes_no_sense_is_refused_with_its_place() {
    let sealed = |lines: &[&str]| {
        let mut bytes = Vec::new();
        let mut writer = LineWriter::begin(&mut bytes).unwrap();
        lines.iter().for_each(|it| writer.write(it.as_bytes()).unwrap());
        bytes
    };
    let head = r#"{"taken_at":0,"region":"r","account":"1"}"#;
    let cluster = r#"c1 {"name":"a","status":"ACTIVE","created_at":0}"#;
    let check = |lines: &[&str], expect: expect_test::Expect| {
        expect.assert_eq(&refused(&sealed(lines)));
    };
    check(
        &["{}"],
        expect![
            "what it says at byte 21 cannot be understood: missing field `taken_at` at line 1 column 2"
        ],
    );
    check(
        &[head, "x1 {}"],
        expect!["what it says at byte 72 cannot be understood: its table is not known"],
    );
    check(
        &[head, "c2 {}"],
        expect![
            "what it says at byte 72 cannot be understood: its schema version is 2, and 1 is the newest known"
        ],
    );
    check(
        &[head, "hello"],
        expect!["what it says at byte 72 cannot be understood: it is no record"],
    );
    check(
        &[head, cluster, cluster],
        expect![
            "what it says at byte 130 cannot be understood: it comes before the one that it follows, or is the same"
        ],
    );
    check(
        &[head, cluster, "end 2"],
        expect!["what it says at byte 130 cannot be understood: 1 records are before it"],
    );
}
