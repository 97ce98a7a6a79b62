//! Errors before any operation: the target, the JSON, the types. Signatures are in
//! `authentication`, sizes in `bounds`.

use longshore_wire::Operation::{self, DescribeTasks, RunTask};
use serde_json::{Value, json};

use super::{SERIALIZATION, check, world};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Call, Handshake, Machine, World, soon};

const UNKNOWN: &str = "UnknownOperationException";

#[track_caller]
fn check_answer(answer: &crate::harness::Answer, exception: &str, message: &str) {
    assert_eq!(answer.refusal(), (400, exception.into(), message.into()));
}

async fn targeted(world: &World, target: Option<&str>) -> crate::harness::Answer {
    let call = Call { target: target.map(Into::into), ..world.request(RunTask, "{}") };
    world.send(call.signed()).await
}

#[tokio::test]
async fn a_target_names_an_operation_that_is_there() {
    let world = World::start().await;
    const NONE: &str = "The header X-Amz-Target names no operation.";
    check_answer(&targeted(&world, None).await, UNKNOWN, NONE);
    check_answer(&targeted(&world, Some("")).await, UNKNOWN, NONE);
    let other = targeted(&world, Some("AmazonEC2ContainerServiceV20141113.Dance")).await;
    check_answer(&other, UNKNOWN, "Longshore does not have the operation Dance.");
    let other = targeted(&world, Some("DynamoDB_20120810.RunTask")).await;
    check_answer(&other, UNKNOWN, "Longshore does not have the operation RunTask.");
    for operation in Operation::ALL {
        if !longshore_server::supported().contains(operation) {
            let missing = targeted(&world, Some(operation.target())).await;
            let message = format!("Longshore does not have the operation {operation}.");
            check_answer(&missing, UNKNOWN, &message);
        }
    }
    let long = format!("AmazonEC2ContainerServiceV20141113.{}", "x".repeat(10_000));
    assert!(targeted(&world, Some(&long)).await.text.len() < 300);
}

#[tokio::test]
async fn the_api_is_at_one_place() {
    let world = World::start().await;
    const PLACE: &str = "The ECS API is at POST /.";
    for (method, path) in [("GET", "/"), ("PUT", "/"), ("POST", "/other"), ("POST", "//")] {
        let call = Call { method, path: path.into(), ..world.request(DescribeTasks, "{}") };
        check_answer(&world.send(call.signed()).await, UNKNOWN, PLACE);
    }
}

#[tokio::test]
async fn a_body_is_one_json_object() {
    let world = World::start().await;
    for body in [
        &b"{"[..],
        b"nonsense",
        b"{} {}",
        b"{\"tasks\":[}",
        b"\xff\xfe",
        b"{'a':1}",
        b"{\"a\":01}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\n\"}",
        b"\0",
    ] {
        for operation in longshore_server::supported() {
            let (status, name, message) = world.call_raw(*operation, body).await.refusal();
            assert_eq!((status, name.as_str()), (400, SERIALIZATION), "{operation} {body:?}");
            assert!(message.starts_with("The body is not valid JSON: "), "{message}");
        }
    }
    check(
        &world,
        DescribeTasks,
        &[
            (json!([]), SERIALIZATION, "Start of list found where not expected."),
            (json!("x"), SERIALIZATION, "Expected map or null"),
            (json!(1), SERIALIZATION, "Expected map or null"),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_empty_body_is_an_empty_object() {
    let world = World::start().await;
    for body in ["", " \n"] {
        let answer = world.call_raw(Operation::DescribeClusters, body).await;
        assert_eq!(answer.success()["clusters"][0]["clusterName"], "default");
    }
}

#[tokio::test]
async fn a_member_has_its_type() {
    check(
        &world().await,
        RunTask,
        &[
            (
                json!({"cluster": 1}),
                SERIALIZATION,
                "NUMBER_VALUE cannot be converted to String (at cluster)",
            ),
            (
                json!({"cluster": {}}),
                SERIALIZATION,
                "Start of structure or map found where not expected. (at cluster)",
            ),
            (
                json!({"overrides": []}),
                SERIALIZATION,
                "Start of list found where not expected. (at overrides)",
            ),
            (json!({"overrides": "x"}), SERIALIZATION, "Expected map or null (at overrides)"),
            (
                json!({"placementStrategy": {}}),
                SERIALIZATION,
                "Start of structure or map found where not expected. (at placementStrategy)",
            ),
            (
                json!({"placementStrategy": [null]}),
                SERIALIZATION,
                "Expected map or null (at placementStrategy[0])",
            ),
            (
                json!({"count": true}),
                SERIALIZATION,
                "TRUE_VALUE cannot be converted to Integer (at count)",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_serialization_error_has_a_capital_message_and_every_answer_an_id() {
    let world = World::start().await;
    let answer = world.call(DescribeTasks, json!({"tasks": "x"})).await;
    let body: Value = answer.json();
    assert_eq!(body["__type"], SERIALIZATION);
    assert!(body["Message"].is_string() && body["message"].is_null(), "{body}");
    for answer in [answer, world.call(Operation::CreateCluster, json!({})).await] {
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/x-amz-json-1.1");
        assert!(uuid::Uuid::parse_str(&header("x-amzn-requestid")).is_ok());
    }
}

#[tokio::test]
async fn the_agents_door_is_for_websockets() {
    let world = World::start().await;
    let instance = world.register(&Machine::default()).await;
    let query = Handshake::of(&world, &instance).query;
    for method in ["GET", "POST"] {
        let call = Call {
            method,
            path: "/acs/ws".into(),
            query: query.clone(),
            target: None,
            ..world.request(DescribeTasks, "")
        };
        let status = world.send(call.signed()).await.status;
        assert!((400..500).contains(&status), "{method}: {status}");
    }
    assert_eq!(world.instance(&instance).await["agentConnected"], false);
}

/// A refusal ends the call and not the connection.
#[tokio::test]
async fn one_connection_carries_many_calls() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    for body in ["{}", "nonsense", r#"{"clusters":[""]}"#, "{}"] {
        let request = world.request(Operation::DescribeClusters, body).signed();
        let mut bytes = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in request.headers() {
            bytes.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        bytes.push_str("\r\n");
        bytes.push_str(body);
        stream.write_all(bytes.as_bytes()).await.unwrap();
    }
    let mut answers = String::new();
    let mut buffer = [0; 4096];
    while answers.matches("HTTP/1.1 ").count() < 4 {
        let read = soon("an answer", stream.read(&mut buffer)).await.unwrap();
        assert!(read > 0, "closed after {answers}");
        answers.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let statuses: Vec<&str> =
        answers.split("HTTP/1.1 ").skip(1).filter_map(|it| it.get(..3)).collect();
    assert_eq!(statuses, ["200", "400", "400", "200"]);
}
