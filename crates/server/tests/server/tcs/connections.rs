//! Which connection counts, who may open one, and when it ends.

use std::time::Duration;

use expect_test::{Expect, expect};
use longshore_wire::Operation::DiscoverPollEndpoint;
use longshore_wire::tcs::ServerMessage;
use serde_json::json;
use tokio::time::Instant;

use super::scene::{Scene, tell};
use crate::harness::{Agent, Handshake, Machine, World, open};

#[tokio::test]
async fn the_endpoint_is_where_the_agent_reached_the_server() {
    let world = World::start().await;
    let answer = world.ask(DiscoverPollEndpoint, json!({"cluster": "default"})).await;
    assert_eq!(answer["endpoint"], "http://longshore.test:18080/acs/");
    assert_eq!(answer["telemetryEndpoint"], "http://longshore.test:18080/tcs/");
}

async fn check_refusal(world: &World, handshake: Handshake, expect: Expect) {
    let Err((status, body)) = open(world, handshake.signed()).await else { panic!("opened") };
    expect.assert_eq(&format!("{status} {body}"));
}

#[tokio::test]
async fn a_handshake_is_refused_as_that_of_acs_is() {
    let world = World::start().await;
    let arn = world.register(&Machine::default()).await;
    let handshake = |instance: &str| Handshake::telemetry(&world, instance);
    let unsigned = Handshake { secret: "another", ..handshake(&arn) };
    let mut refused = Vec::new();
    if let Err(it) = open(&world, unsigned.signed()).await {
        refused.push(it.0);
    }
    assert_eq!(refused, [400]);
    let acs_names = Handshake { path: "/tcs/ws", ..Handshake::of(&world, &arn) };
    check_refusal(
        &world,
        acs_names,
        expect![[r#"400 {"InvalidInstanceException":"Container Instance Identifier is invalid"}"#]],
    )
    .await;
    check_refusal(
        &world,
        handshake(&arn.replace(arn.rsplit('/').next().unwrap(), &"0".repeat(32))),
        expect![[
            r#"400 {"InvalidInstanceException":"The container instance is not registered in this cluster."}"#
        ]],
    )
    .await;
    world.deregister(&arn).await;
    check_refusal(
        &world,
        handshake(&arn),
        expect![[
            r#"400 {"InactiveInstanceException":"The container instance was deregistered."}"#
        ]],
    )
    .await;
}

#[tokio::test]
async fn the_newest_connection_counts() {
    let mut scene = Scene::new().await;
    let arn = scene.fleet.arn('a').to_owned();
    let newer = tell(&scene.fleet.world, &arn).await.unwrap();
    assert_eq!(scene.teller.frame().await, None, "the older one is closed");
    scene.teller = newer;
    let message = scene.message("metrics-idle").to_string();
    assert!(matches!(scene.say(&message).await, ServerMessage::AckMetric(_)));
}

#[tokio::test]
async fn an_instance_that_is_deregistered_tells_no_more() {
    let mut scene = Scene::new().await;
    let arn = scene.fleet.arn('a').to_owned();
    scene.fleet.world.deregister(&arn).await;
    assert_eq!(scene.teller.frame().await, None);
    let (status, body) = tell(&scene.fleet.world, &arn).await.err().unwrap();
    assert_eq!(status, 400);
    assert!(body.contains("InactiveInstanceException"), "{body}");
}

#[tokio::test]
async fn a_key_is_good_for_its_own_instance_until_it_is_revoked() {
    let world = World::start().await;
    let (own, other) =
        (world.joined(&Machine::default()).await, world.joined(&Machine::default()).await);
    let handshake = |instance: &str| Handshake {
        access_key: own.key.0,
        secret: own.key.1,
        ..Handshake::telemetry(&world, instance)
    };
    let (status, body) = open(&world, handshake(&other.instance).signed()).await.err().unwrap();
    assert_eq!(status, 400);
    assert!(body.contains("AccessDeniedException"), "{body}");
    let socket = open(&world, handshake(&own.instance).signed()).await.unwrap();
    let mut teller = Agent { instance: own.instance.clone(), socket };
    world.call_own("revoke-instance-key", json!({"id": own.key.0})).await.success();
    assert_eq!(teller.frame().await, None);
    assert!(open(&world, handshake(&own.instance).signed()).await.is_err());
}

#[tokio::test]
async fn it_ends_with_the_server() {
    let mut scene = Scene::new().await;
    scene.fleet.world.request_shutdown();
    assert_eq!(scene.teller.frame().await, None);
}

#[tokio::test]
async fn it_does_not_connect_the_agent() {
    let world = World::start().await;
    let arn = world.register(&Machine::default()).await;
    let mut teller = tell(&world, &arn).await.unwrap();
    teller.say(r#"{"type":"PublishMetricsRequest"}"#).await;
    assert!(teller.frame().await.unwrap().contains("ResourceValidationException"));
    assert_eq!(world.instance(&arn).await["agentConnected"], false);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_comes_every_thirty_seconds() {
    let world = World::start_inline().await;
    let arn = world.register(&Machine::default()).await;
    let mut teller = tell(&world, &arn).await.unwrap();
    let connected = Instant::now();
    for beat in 1..=10 {
        let frame = teller.frame().await.expect("the connection lasts");
        assert_eq!(frame, r#"{"type":"HeartbeatMessage","message":{"healthy":true}}"#);
        let at = connected.elapsed().as_secs_f64();
        assert!((at - f64::from(beat) * 30.0).abs() < 1.0, "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_answers_no_ping_is_left() {
    let world = World::start_inline().await;
    let arn = world.register(&Machine::default()).await;
    let mut teller = tell(&world, &arn).await.unwrap();
    tokio::time::sleep(Duration::from_secs(95)).await; // it does not read
    let mut beats = 0;
    while teller.frame().await.is_some() {
        beats += 1;
    }
    assert_eq!(beats, 2, "then the server had heard nothing for long enough");
}

/// What is said faster than an agent has reason to waits, and nothing else does.
#[tokio::test(start_paused = true)]
async fn a_flood_is_read_slowly() {
    let world = World::start_inline().await;
    let arn = world.register(&Machine::default()).await;
    let mut teller = tell(&world, &arn).await.unwrap();
    let began = Instant::now();
    let frame = r#"{"type":"PublishMetricsRequest"}"#;
    for _ in 0..400 {
        teller.say(frame).await;
    }
    let mut answers = 0;
    while answers < 400 {
        answers += usize::from(teller.frame().await.unwrap().contains("ResourceValidation"));
    }
    let took = began.elapsed();
    assert!((Duration::from_secs(9)..Duration::from_secs(12)).contains(&took), "{took:?}");
}
