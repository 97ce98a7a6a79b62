//! A snapshot is a file that explains as the server did.

use longshore_model::Owner;
use longshore_server::{Site, explain};
use longshore_store::snapshot::{Snapshot, read};
use longshore_wire::ErrorBody;
use longshore_wire::Operation::{CreateCluster, RunTask};
use longshore_wire::own::ExplainResponse;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Fleet, Machine, World};

#[path = "../../../store/tests/entry/mod.rs"]
mod entry;

async fn snapshot(world: &World, body: Value) -> Snapshot {
    let answer = world.call_own("snapshot", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    read(answer.text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// A request under whose strategy no two instances of these tests are equally good.
fn request(members: Value) -> Value {
    let strategy = json!([
        {"type": "spread", "field": "attribute:zone"}, {"type": "binpack", "field": "memory"}
    ]);
    let mut body = json!({"taskDefinition": "job", "placementStrategy": strategy});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

async fn check_same(world: &World, body: Value) {
    let live = world.call_own("explain", body.clone()).await.success();
    let Snapshot { header, state } = snapshot(world, json!({})).await;
    let site = Site { owner: header.owner, has_fargate: header.has_fargate };
    let text = body.to_string();
    let saved = explain(text.as_bytes(), &state, &site, header.taken_at, 7).unwrap();
    assert_eq!(serde_json::to_value(saved).unwrap(), live, "{body}");
}

#[tokio::test]
async fn a_snapshot_explains_as_the_server_does() {
    let machine = |memory, attributes| Machine { memory, attributes, ..Machine::default() };
    let fleet = Fleet::of(&[
        machine(1000, &["zone=x"]),
        machine(900, &["zone=x"]),
        machine(800, &["zone=y"]),
        machine(100, &[]),
    ])
    .await;
    fleet.world.define("job", json!({"memory": 250, "cpu": 10})).await;
    for count in [1, 4, 20] {
        check_same(&fleet.world, request(json!({"count": count}))).await;
        let memory = json!({"containerOverrides": [{"name": "main", "memory": 600}]});
        check_same(&fleet.world, request(json!({"count": count, "overrides": memory}))).await;
        let constraints = json!([{"type": "distinctInstance"}]);
        let constrained = json!({"count": count, "placementConstraints": constraints});
        check_same(&fleet.world, request(constrained)).await;
        fleet.world.ask(RunTask, request(json!({"count": 2}))).await;
    }
    fleet.world.set_state(fleet.arn('a'), "DRAINING").await;
    check_same(&fleet.world, request(json!({"count": 9}))).await;
}

#[tokio::test]
async fn a_snapshot_says_what_it_is_of() {
    let world = World::with_fargate().await;
    world.ask(CreateCluster, json!({"clusterName": "other"})).await;
    let all = snapshot(&world, json!({})).await;
    let names = |it: &Snapshot| -> Vec<String> {
        it.state.clusters().map(|it| it.name.to_string()).collect()
    };
    assert_eq!(names(&all), ["default", "other"]);
    assert_eq!(all.header.cluster, None);
    assert!(all.header.has_fargate);
    let owner = Owner { region: "us-east-1".into(), account: "111122223333".into() };
    assert_eq!(all.header.owner, owner);
    assert_eq!(all.header.taken_at, world.control.now());
    let one = snapshot(&world, json!({"cluster": "other"})).await;
    assert_eq!(names(&one), ["other"]);
    assert_eq!(one.header.cluster.map(|it| it.to_string()).as_deref(), Some("other"));
}

/// Far more than what the server holds of it at once.
#[tokio::test]
async fn a_large_snapshot_comes_whole() {
    let world = World::start().await;
    world.define("job", json!({"memory": 250})).await;
    for number in 0..300 {
        let environment = json!([{"name": "TEXT", "value": "x".repeat(2_000)}]);
        world
            .define(&format!("job-{number}"), json!({"memory": 9, "environment": environment}))
            .await;
    }
    let answer = world.call_own("snapshot", json!({})).await;
    assert!(answer.text.len() > 600_000);
    let snapshot = read(answer.text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(snapshot.state.definitions().count(), 301);
}

/// Where in a snapshot's lines a number begins, and its length.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let is_begin = |at: usize| {
        let before = text[..at].chars().next_back();
        text[at..].starts_with(|it: char| it.is_ascii_digit()) && before == Some(':')
    };
    let length = |at: usize| text[at..].bytes().take_while(u8::is_ascii_digit).count();
    (1..text.len()).filter(|at| is_begin(*at)).map(|at| (at, length(at))).collect()
}

fn explained(snapshot: Snapshot, count: u32) -> Result<ExplainResponse, ErrorBody> {
    let Snapshot { header, state } = snapshot;
    let site = Site { owner: header.owner, has_fargate: header.has_fargate };
    let strategy = json!([
        {"type": "spread", "field": "attribute:zone"}, {"type": "binpack", "field": "cpu"}
    ]);
    let body = json!({"cluster": "a", "taskDefinition": "web", "count": count,
        "placementStrategy": strategy});
    explain(body.to_string().as_bytes(), &state, &site, header.taken_at, 7)
}

#[test]
fn what_made_up_snapshots_begin_with_is_explained() {
    let snapshot = read(&*entry::sealed(entry::LINES.trim_end().as_bytes())).ok().unwrap();
    let answer = explained(snapshot, 3).unwrap();
    assert_eq!((answer.registered, answer.unplaced), (Some(1), Some(3)));
    assert_eq!(answer.reasons.unwrap()[0].reason.as_deref(), Some("RESOURCE:PORTS"));
}

#[test]
fn a_definition_whose_constraint_cannot_be_read_is_refused() {
    let lines = entry::LINES.trim_end().replace("attribute:zone == b", "attribute:zone = b");
    let refused = explained(read(&*entry::sealed(lines.as_bytes())).ok().unwrap(), 1).unwrap_err();
    assert_eq!(refused.code, "InvalidParameterException");
    let message = "The task definition has a placement constraint that cannot be read: \
        Invalid expression: attribute:zone = b (at offset 15: expected an operator such as == or \
        exists)";
    assert_eq!(refused.message, message);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whoever makes a snapshot up can say in it what no control plane would.
    #[test]
    fn a_made_up_snapshot_is_refused_or_explained(
        changes in prop::collection::vec((
            any::<prop::sample::Index>(),
            prop::sample::select(vec!["0", "1", "65535", "4294967295", "9223372036854775807"]),
        ), 1..8),
        statuses in any::<[bool; 2]>(),
        count in 1..50_u32,
    ) {
        let mut lines = entry::LINES.trim_end().to_owned();
        for (index, number) in changes {
            let numbers = numbers(&lines);
            let (at, length) = numbers[index.index(numbers.len())];
            lines.replace_range(at..at + length, number);
        }
        for (is_changed, (from, to)) in statuses.into_iter().zip([
            (r#""status":"ACTIVE","agent"#, r#""status":"DRAINING","agent"#),
            (r#""last_status":"PENDING","desired"#, r#""last_status":"RUNNING","desired"#),
        ]) {
            if is_changed {
                lines = lines.replace(from, to);
            }
        }
        if let Ok(snapshot) = read(&*entry::sealed(lines.as_bytes())) {
            // It may well be an exception.
            let _ = explained(snapshot, count);
        }
    }
}
