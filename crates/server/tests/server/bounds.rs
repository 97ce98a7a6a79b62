//! How much a client may send, and how long it may take. Time is tokio's, and stands still until
//! nothing else is left to do.

use std::time::Duration;

use longshore_wire::Operation::{DescribeClusters, DescribeTasks, RunTask};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::World;

const MIB: usize = 1024 * 1024;

/// Checks that this is refused as no client should send it, and that the server is still there.
async fn check(world: &World, body: impl Into<bytes::Bytes>, expected: (u16, &str)) {
    let (status, name, _) = world.call_raw(RunTask, body).await.refusal();
    assert_eq!((status, name.as_str()), expected);
    world.ask(DescribeClusters, json!({})).await;
}

#[tokio::test]
async fn a_body_has_at_most_a_mebibyte() {
    let world = World::start().await;
    check(&world, vec![b' '; MIB + 1], (413, "RequestEntityTooLargeException")).await;
    check(&world, vec![b' '; MIB], (400, "ClientException")).await;
    let longest_text = format!(r#"{{"cluster":"{}"}}"#, "x".repeat(MIB - 20));
    check(&world, longest_text, (400, "InvalidParameterException")).await;
}

#[tokio::test]
async fn depth_is_bounded() {
    let world = World::start().await;
    let nested = |depth: usize| format!(r#"{{"x":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
    check(&world, nested(100), (400, "InvalidParameterException")).await;
    check(&world, nested(200), (400, "SerializationException")).await;
    check(&world, nested(200_000), (400, "SerializationException")).await;
    let open = r#"{"overrides":"#.repeat(50_000);
    check(&world, open, (400, "SerializationException")).await;
}

#[tokio::test]
async fn long_texts_and_huge_numbers_are_refused_where_they_stand() {
    let world = World::start().await;
    let long = "x".repeat(100_000);
    for member in ["cluster", "startedBy", "group"] {
        let body = json!({"taskDefinition": "job", member: long}).to_string();
        check(&world, body, (400, "InvalidParameterException")).await;
    }
    check(&world, json!({"taskDefinition": long}).to_string(), (400, "ClientException")).await;
    let constraints = json!([{"type": "memberOf", "expression": long}]);
    let body = json!({"taskDefinition": "job", "placementConstraints": constraints}).to_string();
    check(&world, body, (400, "InvalidParameterException")).await;
    for number in ["1e999", "-1e999", "99999999999999999999999999", "1e18", "0.1", "-0.0000001"] {
        let body = format!(r#"{{"taskDefinition":"job","count":{number}}}"#);
        check(&world, body, (400, "SerializationException")).await;
    }
    let many = json!({"tasks": vec!["x"; 100_000]}).to_string();
    let refusal = world.call_raw(DescribeTasks, many).await.refusal();
    assert_eq!(refusal.2, "taskIds can have at most 100 items.");
}

/// Sends the beginning of something and nothing more; gives what came back until the server hung
/// up, and how long that took.
async fn begin(world: &World, bytes: &[u8]) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    (String::from_utf8_lossy(&answer).into_owned(), begun.elapsed())
}

const A_LITTLE_MORE_THAN_30_SECS: std::ops::Range<Duration> =
    Duration::from_secs(30)..Duration::from_secs(32);

#[tokio::test(start_paused = true)]
async fn headers_that_never_end_are_cut() {
    let world = World::start_inline().await;
    for bytes in [&b""[..], b"POST / HT", b"POST / HTTP/1.1\r\nHost: a\r\nX-More: "] {
        let (_, took) = begin(&world, bytes).await;
        assert!(A_LITTLE_MORE_THAN_30_SECS.contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_cut() {
    let world = World::start_inline().await;
    let (answer, took) =
        begin(&world, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("The request's body took too long to arrive."), "{answer}");
    assert!(took < Duration::from_secs(95), "{took:?}");
}

#[tokio::test]
async fn what_is_not_http_is_cut_off() {
    let world = World::start().await;
    let long_header = format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(10 * MIB));
    let many_headers = format!("POST / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(10_000));
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n\r\n",
        long_header.as_bytes(),
        many_headers.as_bytes(),
    ] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = crate::harness::soon("the end", stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    world.ask(DescribeClusters, json!({})).await;
}
