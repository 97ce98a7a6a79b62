//! Machines that join by a token: over HTTP, many at once, over restarts, until they are cut off.

use std::time::Duration;

use longshore_store::{EmbeddedJournal, Store};
use longshore_wire::Operation;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Call, Key, Machine, World};

#[tokio::test]
async fn a_machine_that_joined_is_given_its_tasks() {
    let world = World::start().await;
    let it = world.joined(&Machine::default()).await;
    let mut agent = world.connect_as(it.key, &it.instance).await.unwrap();
    world.until_connected(&it.instance, true).await;
    world.define("job", json!({"memory": 64})).await;
    let ran = world.ask(Operation::RunTask, json!({"taskDefinition": "job"})).await;
    let task = agent.task().await.arn;
    assert_eq!(ran["tasks"][0]["taskArn"], task);
    let report = json!({"cluster": "default", "task": task, "status": "RUNNING"});
    world.call_as(it.key, Operation::SubmitTaskStateChange, report).await.success();
    assert_eq!(world.task(&task).await["lastStatus"], "RUNNING");
}

#[tokio::test]
async fn a_call_that_is_made_again_gives_the_same_key_and_counts_once() {
    let world = World::start().await;
    let token = world.token(1).await;
    let answer = world.try_join(token, 7).await.success();
    assert_eq!(world.try_join(token, 7).await.success(), answer);
    assert_eq!((&answer["cluster"], &answer["region"]), (&json!("default"), &json!("us-east-1")));
    let (status, name, message) = world.try_join(token, 8).await.refusal();
    assert_eq!((status, name.as_str()), (400, "AccessDeniedException"));
    assert!(message.contains("was for 1 uses, and they are used up"), "{message}");
    let listed = world.call_own("list-join-tokens", json!({})).await.success();
    let listed = &listed["joinTokens"][0];
    assert_eq!((&listed["used"], &listed["status"]), (&json!(1), &json!("USED_UP")));
}

/// Each of the calls is made twice at once, as by an agent that gave up too early.
#[tokio::test]
async fn many_that_join_at_once_are_as_many_as_may() {
    const USES: i32 = 5;
    let world = World::start().await;
    let token = world.token(USES).await;
    let mut calls = JoinSet::new();
    for nonce in 0..40_u128 {
        let body = json!({"nonce": format!("{nonce:032x}")}).to_string();
        for _ in 0..2 {
            let call = Call::own("join", body.clone(), world.clock.now_secs());
            let (request, address) = (token.sign(call).signed(), world.address);
            calls.spawn(async move {
                (nonce, crate::harness::try_send(address, request).await.unwrap())
            });
        }
    }
    let (mut joined, mut refused) = (Vec::new(), 0);
    for (nonce, answer) in calls.join_all().await {
        if answer.status == 200 {
            joined.push((nonce, answer.json()["accessKeyId"].as_str().unwrap().to_owned()));
        } else {
            assert!(answer.refusal().2.contains("used up"), "{}", answer.text);
            refused += 1;
        }
    }
    joined.sort();
    joined.dedup();
    assert_eq!(joined.len(), 5, "{joined:?}");
    assert_eq!(refused, (40 - 5) * 2);
    let state = world.state();
    assert_eq!(state.join_tokens().next().unwrap().used, 5);
    let mut keys: Vec<_> = state.instance_keys().map(|it| it.id.to_string()).collect();
    let mut given: Vec<_> = joined.into_iter().map(|(_, key)| key).collect();
    keys.sort();
    given.sort();
    assert_eq!(keys, given);
}

#[tokio::test]
async fn a_token_that_has_expired_or_was_revoked_says_so() {
    let world = World::start().await;
    let (expired, revoked) = (world.token(1).await, world.token(1).await);
    world.call_own("revoke-join-token", json!({"id": revoked.0})).await.success();
    world.clock.move_by_secs(3600);
    for (token, why) in [(expired, "has expired"), (revoked, "was revoked")] {
        let (_, name, message) = world.try_join(token, 1).await.refusal();
        assert_eq!(name, "AccessDeniedException");
        assert!(message.contains(token.0) && message.contains(why), "{message}");
    }
    let forged = Key(expired.0, "0123456789abcdef");
    assert_eq!(world.try_join(forged, 1).await.refusal().1, "InvalidSignatureException");
    let unknown = Key("LSJT00000000000000000000000000000FFF", expired.1);
    assert_eq!(world.try_join(unknown, 1).await.refusal().1, "UnrecognizedClientException");
}

#[tokio::test]
async fn a_revoked_key_is_cut_off_within_a_second() {
    let world = World::start().await;
    let it = world.joined(&Machine::default()).await;
    let other = world.joined(&Machine::default()).await;
    let mut agent = world.connect_as(it.key, &it.instance).await.unwrap();
    let mut stays = world.connect_as(other.key, &other.instance).await.unwrap();
    for instance in [&it.instance, &other.instance] {
        world.until_connected(instance, true).await;
    }
    let revoked = world.call_own("revoke-instance-key", json!({"id": it.key.0})).await.success();
    assert_eq!(revoked["instanceKey"]["status"], "REVOKED");
    assert_eq!(revoked["instanceKey"]["containerInstanceArn"], json!(it.instance));
    let frame = tokio::time::timeout(Duration::from_secs(1), agent.frame()).await;
    assert_eq!(frame.expect("within a second"), None, "the connection is over");
    world.until_connected(&it.instance, false).await;
    let (_, refusal) = world.connect_as(it.key, &it.instance).await.map(drop).unwrap_err();
    assert!(refusal.contains("UnrecognizedClientException"), "{refusal}");
    assert!(refusal.contains(&format!("{} was revoked", it.key.0)), "{refusal}");
    let again = Machine::default().registration();
    let answer = world.call_as(it.key, Operation::RegisterContainerInstance, again).await;
    assert_eq!(answer.refusal().1, "UnrecognizedClientException");
    // The other is still told what is to run.
    world.define("job", json!({"memory": 64})).await;
    world.ask(Operation::RunTask, json!({"taskDefinition": "job"})).await;
    stays.task().await;
}

#[tokio::test]
async fn one_key_is_one_instance() {
    let world = World::start().await;
    let it = world.joined(&Machine::default()).await;
    let register = Operation::RegisterContainerInstance;
    let unnamed = Machine::default().registration();
    let again = world.call_as(it.key, register, unnamed.clone()).await.success();
    assert_eq!(again["containerInstance"]["containerInstanceArn"], json!(it.instance));
    world.ask(Operation::CreateCluster, json!({"clusterName": "other"})).await;
    let mut elsewhere = unnamed.clone();
    elsewhere["cluster"] = json!("other");
    let denied = world.call_as(it.key, register, elsewhere).await.refusal();
    assert_eq!(denied.1, "AccessDeniedException");
    world.deregister(&it.instance).await;
    let (_, name, message) = world.call_as(it.key, register, unnamed).await.refusal();
    assert_eq!(name, "ClientException");
    assert!(message.contains("was deregistered. Join the machine again"), "{message}");
    assert_eq!(world.state().all_instances().count(), 1);
}

/// The text of every file below a directory.
fn files(dir: &std::path::Path) -> Vec<u8> {
    let entries = std::fs::read_dir(dir).unwrap();
    entries.flat_map(|it| std::fs::read(it.unwrap().path()).unwrap()).collect()
}

#[tokio::test]
async fn a_restart_knows_tokens_and_keys_and_no_secret_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = || Store::open(EmbeddedJournal::open(&dir.path().join("db")).unwrap()).unwrap();
    let world = World::over(store()).await;
    let token = world.token(2).await;
    let key = world.key(token, 1).await;
    let registered = Machine::default().registration();
    let register = Operation::RegisterContainerInstance;
    let answer = world.call_as(key, register, registered.clone()).await.success();
    let arn = answer["containerInstance"]["containerInstanceArn"].clone();
    let keys = world.keys.clone();
    world.request_shutdown();
    world.end().await.unwrap();

    let on_disk = files(dir.path());
    let holds = |text: &str| on_disk.windows(text.len()).any(|it| it == text.as_bytes());
    assert!(holds(token.0) && holds(key.0), "the records are there");
    assert!(!holds(token.1) && !holds(key.1), "and their secrets are not");

    let world = World::reopened(store(), keys).await;
    let mut again = registered;
    again["containerInstanceArn"] = arn;
    world.call_as(key, register, again).await.success();
    assert_eq!(world.key(token, 1).await, key);
    world.key(token, 2).await;
    assert!(world.try_join(token, 3).await.refusal().2.contains("used up"));
}

/// Without the master key nobody is known who has joined; a new one makes no old secret good.
#[tokio::test]
async fn another_master_key_makes_all_secrets_bad() {
    let world = World::start().await;
    let token = world.token(2).await;
    let other = World::start().await;
    let theirs = other.token(2).await;
    assert_eq!(token.0, theirs.0, "ids count in tests");
    assert_eq!(other.try_join(token, 1).await.refusal().1, "InvalidSignatureException");
}

#[tokio::test]
async fn bad_requests_are_refused_by_name_and_change_nothing() {
    let world = World::start().await;
    let token = world.token(1).await;
    let before = world.state().revision();
    let id = |body: Value| ("revoke-join-token", body);
    for (operation, body) in [
        ("create-join-token", json!({"uses": 0})),
        ("create-join-token", json!({"uses": -1})),
        ("create-join-token", json!({"uses": 10_001})),
        ("create-join-token", json!({"goodForSeconds": 0})),
        ("create-join-token", json!({"goodForSeconds": 2_592_001})),
        ("create-join-token", json!({"note": "x".repeat(256)})),
        ("create-join-token", json!({"cluster": "no blanks"})),
        ("create-join-token", json!({"expires": "1h"})),
        id(json!({})),
        id(json!({"id": "LSIK00000000000000000000000000000001"})),
        id(json!({"id": "LSJT00000000000000000000000000000FFF"})),
        ("revoke-instance-key", json!({"id": token.0})),
        ("list-instance-keys", json!({"cluster": "no blanks"})),
    ] {
        let (status, name, message) = world.call_own(operation, body.clone()).await.refusal();
        let refused = (status, name.as_str());
        assert_eq!(refused, (400, "InvalidParameterException"), "{operation} {body}: {message}");
    }
    let missing = world.call_own("create-join-token", json!({"cluster": "missing"})).await;
    assert_eq!(missing.refusal().1, "ClusterNotFoundException");
    for nonce in [json!({}), json!({"nonce": ""}), json!({"nonce": "abc"})] {
        let answer = world.call_own_as(token, "join", nonce).await;
        assert_eq!(answer.refusal().1, "InvalidParameterException");
    }
    let wrong_type = world.call_own("create-join-token", json!({"uses": "many"})).await;
    assert_eq!(wrong_type.refusal().1, "SerializationException");
    assert_eq!(world.state().revision(), before);
}
