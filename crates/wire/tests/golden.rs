//! Messages as both sides of the wire send them, in files that a reviewer can read.
//!
//! Each is read, must be understood in full, and must come out again as it went in.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use longshore_wire::acs::{AgentMessage, ServerMessage};
use longshore_wire::ecs::*;
use longshore_wire::sigv4::{SignedRequest, Verified, Verifier};
use longshore_wire::tcs;
use longshore_wire::{Operation, Shape, parse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn golden(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn messages_to_the_agent_survive_a_round_trip() {
    for (path, text) in golden("acs/server") {
        let message = ServerMessage::decode(&text).unwrap().unwrap();
        assert_eq!(json(&message.encode()), json(&text), "{}", path.display());
        assert_eq!(ServerMessage::decode(&message.encode()), Ok(Some(message)));
    }
}

#[test]
fn messages_from_the_agent_survive_a_round_trip() {
    for (path, text) in golden("acs/agent") {
        let message = AgentMessage::decode(&text).unwrap().unwrap();
        assert_eq!(json(&message.encode()), json(&text), "{}", path.display());
        assert_eq!(AgentMessage::decode(&message.encode()), Ok(Some(message)));
    }
}

#[test]
fn telemetry_survives_a_round_trip() {
    for (path, text) in golden("tcs/agent") {
        let message = tcs::AgentMessage::decode(&text).unwrap().unwrap();
        assert_eq!(numbers(json(&message.encode())), numbers(json(&text)), "{}", path.display());
        assert_eq!(tcs::AgentMessage::decode(&message.encode()), Ok(Some(message)));
    }
    for (path, text) in golden("tcs/server") {
        let message = tcs::ServerMessage::decode(&text).unwrap().unwrap();
        assert_eq!(json(&message.encode()), json(&text), "{}", path.display());
        assert_eq!(tcs::ServerMessage::decode(&message.encode()), Ok(Some(message)));
    }
}

/// The same with 12 and 12.0 alike: agents write either.
fn numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(elements) => elements.into_iter().map(numbers).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, numbers(value))).collect()
        }
        other => other,
    }
}

/// Files are named `OPERATION.request.json` or `OPERATION.response.json`, perhaps with a word on
/// what is special before the last dot.
#[test]
fn api_bodies_survive_a_round_trip() {
    for (path, text) in golden("ecs") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut parts = name.split('.');
        let operation = Operation::from_name(parts.next().unwrap()).expect(name);
        let is_request = parts.next() == Some("request");
        check_api_body(operation, is_request, &text, name);
    }
}

fn check_api_body(operation: Operation, is_request: bool, text: &str, name: &str) {
    fn check<R: Request + PartialEq + Debug + DeserializeOwned>(
        is_request: bool,
        text: &str,
        name: &str,
    ) where
        R::Response: PartialEq + Debug,
    {
        if is_request {
            check_shape::<R>(text, name);
        } else {
            check_shape::<R::Response>(text, name);
        }
    }
    let check = match operation {
        Operation::CreateCluster => check::<CreateClusterRequest>,
        Operation::DescribeClusters => check::<DescribeClustersRequest>,
        Operation::DescribeContainerInstances => check::<DescribeContainerInstancesRequest>,
        Operation::DescribeTaskDefinition => check::<DescribeTaskDefinitionRequest>,
        Operation::DescribeTasks => check::<DescribeTasksRequest>,
        Operation::DiscoverPollEndpoint => check::<DiscoverPollEndpointRequest>,
        Operation::ListContainerInstances => check::<ListContainerInstancesRequest>,
        Operation::ListTasks => check::<ListTasksRequest>,
        Operation::RegisterContainerInstance => check::<RegisterContainerInstanceRequest>,
        Operation::RegisterTaskDefinition => check::<RegisterTaskDefinitionRequest>,
        Operation::RunTask => check::<RunTaskRequest>,
        Operation::StartTask => check::<StartTaskRequest>,
        Operation::StopTask => check::<StopTaskRequest>,
        Operation::SubmitContainerStateChange => check::<SubmitContainerStateChangeRequest>,
        Operation::SubmitTaskStateChange => check::<SubmitTaskStateChangeRequest>,
        other => panic!("{name}: {other} has no shapes"),
    };
    check(is_request, text, name);
}

fn check_shape<T: Shape + Serialize + DeserializeOwned + PartialEq + Debug>(
    text: &str,
    name: &str,
) {
    let parsed = parse::<T>(text.as_bytes()).expect(name);
    assert_eq!(parsed.unknown, [], "{name}");
    assert_eq!(serde_json::to_value(&parsed.shape).unwrap(), json(text), "{name}");
    assert_eq!(serde_json::from_str::<T>(text).expect(name), parsed.shape, "{name}");
}

/// 2026-11-23T21:01:34Z, when botocore 1.44.5 signed the requests in `golden/sigv4`.
const SIGNED_AT: i64 = 1_795_467_694;

/// A request as it stands in a file: request line, headers, an empty line, the body.
#[track_caller]
fn check_signature(text: &str, accepted: bool) {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let [method, target, _] = lines.next().unwrap().split(' ').collect::<Vec<_>>()[..] else {
        panic!("no request line");
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &[u8])> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    let request = SignedRequest { method, path, query, headers: &headers, body: body.as_bytes() };
    let verdict = Verifier::new("ecs").verify(&request, SIGNED_AT, |access_key| {
        (access_key == "AKIDEXAMPLE").then_some("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    });
    let expect = Verified { access_key_id: "AKIDEXAMPLE", region: "eu-central-1" };
    assert_eq!(verdict.as_ref() == Ok(&expect), accepted, "{verdict:?}");
}

#[test]
fn what_botocore_signs_is_verified() {
    for (_, text) in golden("sigv4") {
        check_signature(&text, true);
        check_signature(&text.replace("127.0.0.1", "127.0.0.2"), false);
    }
}
