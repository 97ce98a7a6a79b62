//! Where bytes from strangers enter: each function takes any bytes and must not panic. The fuzz
//! targets in `fuzz/` and the smoke test beside this folder feed the same functions.

#![allow(dead_code, reason = "each fuzz target uses one of them")]

use longshore_wire::acs::{AgentMessage, Refusal, ServerMessage};
use longshore_wire::ecs::*;
use longshore_wire::join_token::JoinToken;
use longshore_wire::sigv4::{Credentials, SignedRequest, Verifier, sign};
use longshore_wire::tcs;
use longshore_wire::{ErrorBody, parse};

/// Every request's parser.
pub(crate) const REQUEST_PARSERS: &[fn(&[u8])] = &[
    request::<CreateClusterRequest>,
    request::<DescribeClustersRequest>,
    request::<DescribeContainerInstancesRequest>,
    request::<DescribeTaskDefinitionRequest>,
    request::<DescribeTasksRequest>,
    request::<DiscoverPollEndpointRequest>,
    request::<ListContainerInstancesRequest>,
    request::<ListTasksRequest>,
    request::<RegisterContainerInstanceRequest>,
    request::<RegisterTaskDefinitionRequest>,
    request::<RunTaskRequest>,
    request::<StartTaskRequest>,
    request::<StopTaskRequest>,
    request::<SubmitContainerStateChangeRequest>,
    request::<SubmitTaskStateChangeRequest>,
];

/// One body through every parser of requests.
pub(crate) fn requests(body: &[u8]) {
    for parser in REQUEST_PARSERS {
        parser(body);
    }
    ErrorBody::decode(body);
}

/// What was understood is written so that it is understood in full.
fn request<R: Request>(body: &[u8]) {
    if let Ok(parsed) = parse::<R>(body) {
        let written = serde_json::to_vec(&parsed.shape).expect("a shape can be written");
        let again = parse::<R>(&written).expect("what we write can be read");
        assert_eq!(again.unknown, []);
        parse::<R::Response>(body).ok();
    }
}

/// One websocket frame, at either end, and the body of a refused handshake.
pub(crate) fn acs(frame: &[u8]) {
    Refusal::decode(frame);
    let Ok(frame) = std::str::from_utf8(frame) else { return };
    if let Ok(Some(message)) = ServerMessage::decode(frame) {
        assert_eq!(ServerMessage::decode(&message.encode()), Ok(Some(message)));
    }
    if let Ok(Some(message)) = AgentMessage::decode(frame) {
        assert_eq!(AgentMessage::decode(&message.encode()), Ok(Some(message)));
    }
}

/// One frame of telemetry, at either end.
pub(crate) fn tcs(frame: &[u8]) {
    let Ok(frame) = std::str::from_utf8(frame) else { return };
    if let Ok(Some(message)) = tcs::ServerMessage::decode(frame) {
        assert_eq!(tcs::ServerMessage::decode(&message.encode()), Ok(Some(message)));
    }
    if let Ok(Some(message)) = tcs::AgentMessage::decode(tcs::frame::json(frame)) {
        assert_eq!(tcs::AgentMessage::decode(&message.encode()), Ok(Some(message)));
    }
}

/// A join token as somebody pastes it.
pub(crate) fn join_token(text: &[u8]) {
    if let Ok(token) = String::from_utf8_lossy(text).parse::<JoinToken>() {
        assert_eq!(token.to_string().parse(), Ok(token));
    }
}

/// 2026-11-23T21:01:34Z, near the dates in `golden/sigv4`.
const NOW: i64 = 1_795_467_694;

/// A request as text: request line, headers, an empty line, the body. What we sign ourselves must
/// be accepted.
pub(crate) fn sigv4(request: &[u8]) {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.split('\n');
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &[u8])> = lines
        .map(|line| line.split_once(": ").unwrap_or((line, "")))
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    let verifier = Verifier::new("ecs");
    let secret_of = |_: &str| Some("secret");
    let received = SignedRequest { method, path, query, headers: &headers, body: body.as_bytes() };
    let verdict = verifier.verify(&received, NOW, secret_of);
    assert!(verdict.is_err(), "nobody but us knows the secret");

    let typed = headers.iter().copied().filter(|(it, _)| it.eq_ignore_ascii_case("content-type"));
    let mut headers: Vec<_> = typed.chain([("host", b"127.0.0.1:8080".as_slice())]).collect();
    let ours = SignedRequest { headers: &headers.clone(), ..received };
    let credentials = Credentials { access_key_id: "AK", secret_access_key: "secret" };
    let signature = sign(&ours, credentials, "us-east-1", "ecs", NOW);
    headers.push(("x-amz-date", signature.amz_date.as_bytes()));
    headers.push(("authorization", signature.authorization.as_bytes()));
    let ours = SignedRequest { headers: &headers, ..ours };
    verifier.verify(&ours, NOW, secret_of).expect("what we sign, we accept");
}
