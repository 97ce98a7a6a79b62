//! Who may call: a signature that does not hold opens neither door, and changes nothing.

use longshore_wire::Operation::CreateCluster;
use serde_json::{Value, json};

use crate::harness::{Answer, Call, Handshake, Machine, World, open};

const MISSING: &str = "MissingAuthenticationTokenException";
const INCOMPLETE: &str = "IncompleteSignatureException";
const UNRECOGNIZED: &str = "UnrecognizedClientException";
const INVALID: &str = "InvalidSignatureException";

/// A change that would show.
fn call(world: &World) -> Call {
    world.request(CreateCluster, json!({"clusterName": "intruder"}).to_string())
}

async fn check(world: &World, answer: Answer, exception: &str, begins: &str) {
    let (status, name, message) = answer.refusal();
    assert_eq!((status, name.as_str()), (400, exception), "{message}");
    assert!(message.starts_with(begins), "{message}");
    assert!(world.state().cluster(&"intruder".parse().unwrap()).is_none());
}

const MISMATCH: &str =
    "The request signature we calculated does not match the signature you provided.";

#[tokio::test]
async fn a_request_is_signed() {
    let world = World::start().await;
    let mut request = call(&world).signed();
    request.headers_mut().remove("authorization");
    check(&world, world.send(request).await, MISSING, "Missing Authentication Token").await;

    let mut request = call(&world).signed();
    request.headers_mut().insert("authorization", "Basic YTpi".parse().unwrap());
    let begins = "Authorization header requires 'AWS4-HMAC-SHA256'.";
    check(&world, world.send(request).await, INCOMPLETE, begins).await;

    let mut request = call(&world).signed();
    request.headers_mut().remove("x-amz-date");
    let begins = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date'";
    check(&world, world.send(request).await, INCOMPLETE, begins).await;
}

#[tokio::test]
async fn the_key_is_one_that_we_gave() {
    let world = World::start().await;
    let unknown = Call { key: ("AKIAOTHER".into(), "x".repeat(40)), ..call(&world) };
    let begins = "The security token included in the request is invalid.";
    check(&world, world.send(unknown.signed()).await, UNRECOGNIZED, begins).await;

    let mut wrong = call(&world);
    wrong.key.1 = "x".repeat(40);
    check(&world, world.send(wrong.signed()).await, INVALID, MISMATCH).await;
}

#[tokio::test]
async fn nothing_is_altered_on_the_way() {
    let world = World::start().await;
    let mut request = call(&world).signed();
    *request.body_mut() = json!({"clusterName": "intruder", "x": null}).to_string().into();
    check(&world, world.send(request).await, INVALID, MISMATCH).await;

    let altered = [
        ("x-amz-target", "AmazonEC2ContainerServiceV20141113.DescribeClusters"),
        ("host", "elsewhere.test"),
        ("content-type", "text/plain"),
    ];
    for (name, value) in altered {
        let mut request = call(&world).signed();
        request.headers_mut().insert(name, value.parse().unwrap());
        check(&world, world.send(request).await, INVALID, MISMATCH).await;
    }

    let mut request = call(&world).signed();
    *request.uri_mut() = "/?a=b".parse().unwrap();
    check(&world, world.send(request).await, INVALID, MISMATCH).await;

    let mut request = call(&world).signed();
    request.headers_mut().insert("x-amz-security-token", "t".parse().unwrap());
    let begins = "'x-amz-security-token' must be a 'SignedHeader'";
    check(&world, world.send(request).await, INVALID, begins).await;
}

#[tokio::test]
async fn a_signature_holds_for_fifteen_minutes_either_way() {
    let world = World::start().await;
    let now = world.clock.now_secs();
    let signed_at = |secs: i64| Call { signed_at_secs: now + secs, ..call(&world) }.signed();
    let answer = world.send(signed_at(-16 * 60)).await;
    check(&world, answer, INVALID, "Signature expired: 20170615T074400Z is now earlier than").await;
    let answer = world.send(signed_at(16 * 60)).await;
    check(&world, answer, INVALID, "Signature not yet current: 20170615T081600Z").await;
    world.send(signed_at(14 * 60)).await.success();
    world.send(signed_at(-14 * 60)).await.success();
}

#[tokio::test]
async fn a_signature_is_for_this_service() {
    let world = World::start().await;
    let other = Call { service: "s3", ..call(&world) };
    let begins = "Credential should be scoped to correct service: 'ecs'.";
    check(&world, world.send(other.signed()).await, INVALID, begins).await;
}

#[tokio::test]
async fn a_signature_in_the_query_is_not_one() {
    let world = World::start().await;
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00".to_owned();
    let mut request = Call { query, ..call(&world) }.signed();
    request.headers_mut().remove("authorization");
    let begins = "Signatures in the query string are not supported";
    check(&world, world.send(request).await, MISSING, begins).await;
}

/// Before anything is said of what was asked for, the caller must be known.
#[tokio::test]
async fn strangers_learn_nothing() {
    let world = World::start().await;
    for (target, path, body) in [
        (None, "/", "{}"),
        (Some("AmazonEC2ContainerServiceV20141113.Dance"), "/", "nonsense"),
        (None, "/other", ""),
    ] {
        let target = target.map(Into::into);
        let unsigned = Call { target, path: path.into(), body: body.into(), ..call(&world) };
        let mut request = unsigned.signed();
        request.headers_mut().remove("authorization");
        check(&world, world.send(request).await, MISSING, "Missing").await;
    }
}

/// The exception and message with which the agents' door refuses.
async fn refused(world: &World, request: http::Request<()>) -> (String, String) {
    let (status, body) = open(world, request).await.map(drop).expect_err("a refusal");
    assert_eq!(status, 400, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let (name, message) = body.as_object().unwrap().iter().next().unwrap();
    (name.clone(), message.as_str().unwrap().into())
}

#[tokio::test]
async fn an_agent_s_handshake_is_signed_too() {
    let world = World::start().await;
    let instance = world.register(&Machine::default()).await;
    let good = || Handshake::of(&world, &instance);
    let now = world.clock.now_secs();

    let mut unsigned = good().signed();
    unsigned.headers_mut().remove("authorization");
    let mut altered = good().signed();
    let other = altered.uri().to_string().replace("1.14.3", "1.99.9");
    *altered.uri_mut() = other.parse().unwrap();
    for (request, exception) in [
        (unsigned, MISSING),
        (altered, INVALID),
        (Handshake { access_key: "AKIAOTHER", ..good() }.signed(), UNRECOGNIZED),
        (Handshake { secret: "xxxxxxxxxxxxxxxx", ..good() }.signed(), INVALID),
        (Handshake { signed_at_secs: now - 16 * 60, ..good() }.signed(), INVALID),
        (Handshake { signed_at_secs: now + 16 * 60, ..good() }.signed(), INVALID),
        (Handshake { service: "s3", ..good() }.signed(), INVALID),
    ] {
        assert_eq!(refused(&world, request).await.0, exception);
    }
    assert_eq!(world.instance(&instance).await["agentConnected"], false);
    world.connect(&instance).await;
}

#[tokio::test]
async fn a_handshake_names_an_instance_that_may_connect() {
    let world = World::start().await;
    let instance = world.register(&Machine::default()).await;
    world.deregister(&instance).await;
    let unknown = "arn:aws:ecs:us-east-1:111122223333:container-instance/default/0b69d5c0d655469598cd5d2d526d9d5a";
    let elsewhere = unknown.replace("/default/", "/batch/");
    for (instance, exception) in [
        (instance.as_str(), "InactiveInstanceException"),
        (unknown, "InvalidInstanceException"),
        (&elsewhere, "InvalidInstanceException"),
        ("nonsense", "InvalidInstanceException"),
        ("", "InvalidInstanceException"),
        ("%ff%", "InvalidInstanceException"),
    ] {
        let request = Handshake::of(&world, instance).signed();
        assert_eq!(refused(&world, request).await.0, exception, "{instance}");
    }
    let no_query = Handshake { query: String::new(), ..Handshake::of(&world, unknown) };
    assert_eq!(refused(&world, no_query.signed()).await.0, "InvalidInstanceException");
    let mut bad_cluster = Handshake::of(&world, unknown);
    bad_cluster.query = bad_cluster.query.replace("clusterArn=default", "clusterArn=no+blanks");
    assert_eq!(refused(&world, bad_cluster.signed()).await.0, "InvalidClusterException");
}
