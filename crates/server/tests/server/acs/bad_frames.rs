//! Frames that make no sense: refused in the protocol's own words, and nobody else is touched.

use std::time::Duration;

use futures_util::SinkExt;
use longshore_wire::acs::ServerMessage;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::harness::{Fleet, Machine, World};

/// What the answer to a frame is, if there is one: another frame follows whose answer is known.
async fn answer(fleet: &mut Fleet, frame: Message) -> Option<ServerMessage> {
    let agent = fleet.agent('a');
    agent.socket.send(frame).await.unwrap();
    agent.say(r#"{"type":"AckRequest","message":{"messageId":[]}}"#).await;
    let mut answer = None;
    loop {
        let frame = agent.frame().await.expect("the connection lasts");
        match ServerMessage::decode(&frame).unwrap() {
            Some(ServerMessage::BadRequest(it)) if it.message.ends_with(" at messageId") => {
                return answer;
            }
            it => answer = it,
        }
    }
}

async fn fleet() -> Fleet {
    Fleet::of(&[Machine::default(), Machine::default()]).await
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bad_request() {
    let mut fleet = fleet().await;
    for (frame, expected) in [
        ("", "the frame is not a JSON object"),
        ("nonsense", "the frame is not a JSON object"),
        ("[]", "the frame is not a JSON object"),
        ("{}", "the frame has no message type"),
        (r#"{"type":7}"#, "the frame has no message type"),
        (
            r#"{"type":"AckRequest","message":[]}"#,
            "AckRequest cannot be read: Start of list found where not expected. at ",
        ),
        (
            r#"{"type":"AckRequest","message":{"cluster":7}}"#,
            "AckRequest cannot be read: NUMBER_VALUE cannot be converted to String at cluster",
        ),
    ] {
        let answer = answer(&mut fleet, Message::text(frame)).await;
        let Some(ServerMessage::BadRequest(refusal)) = answer else {
            panic!("{frame}: {answer:?}")
        };
        assert_eq!(refusal.message, expected);
    }
    let answer = answer(&mut fleet, Message::binary(vec![0, 255])).await;
    assert!(matches!(answer, Some(ServerMessage::BadRequest(_))), "{answer:?}");
}

#[tokio::test]
async fn what_is_of_another_instance_is_refused() {
    let mut fleet = fleet().await;
    let (own, other) = (fleet.arn('a').to_owned(), fleet.arn('b').to_owned());
    let ack = |instance: &str| {
        let message = json!({"cluster": "x", "containerInstance": instance, "messageId": "m"});
        Message::text(json!({"type": "AckRequest", "message": message}).to_string())
    };
    for instance in [other.as_str(), "nonsense"] {
        let answer = answer(&mut fleet, ack(instance)).await;
        assert!(matches!(answer, Some(ServerMessage::InvalidInstance(_))), "{answer:?}");
    }
    for instance in [own.as_str(), own.rsplit('/').next().unwrap(), ""] {
        assert_eq!(answer(&mut fleet, ack(instance)).await, None, "{instance}");
    }
}

/// Types of later years, and what official agents say that needs no answer.
#[tokio::test]
async fn what_needs_no_answer_gets_none() {
    let mut fleet = fleet().await;
    for frame in [
        r#"{"type":"Unheard","message":{}}"#,
        r#"{"type":"NackRequest","message":{"messageId":"x","reason":"Updates are disabled"}}"#,
        r#"{"type":"HeartbeatAckRequest","message":{"messageId":"hb-1"}}"#,
        r#"{"type":"HeartbeatAckRequest"}"#,
        r#"{"type":"TaskStopVerificationMessage","message":{"messageId":"tm-1"}}"#,
        r#"{"type":"TaskResendRequest","message":{"messageId":"tm-1","taskArns":["x"]}}"#,
    ] {
        assert_eq!(answer(&mut fleet, Message::text(frame)).await, None, "{frame}");
    }
}

/// Sends bytes beneath the websocket's own rules, as the head of a masked frame and what follows.
async fn raw(fleet: &mut Fleet, bytes: &[u8]) {
    let stream = fleet.agent('a').socket.get_mut();
    // Whoever hangs up does not read to the end.
    let _ = stream.write_all(bytes).await;
}

#[tokio::test]
async fn a_frame_that_announces_too_much_ends_its_connection_at_once() {
    let mut fleet = fleet().await;
    // Final, text; masked, of 2^40 bytes; the mask.
    raw(&mut fleet, &[0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]).await;
    fleet.world.until_connected(fleet.arn('a'), false).await;
    assert_eq!(fleet.world.instance(fleet.arn('b')).await["agentConnected"], true);
}

#[tokio::test]
async fn a_message_of_pieces_without_end_ends_its_connection() {
    let mut fleet = fleet().await;
    let piece = vec![b'x'; 100_000];
    for number in 0..20 {
        let opcode = if number == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(piece.clone(), OpCode::Data(opcode), false);
        if fleet.agent('a').socket.send(Message::Frame(frame)).await.is_err() {
            break;
        }
    }
    fleet.world.until_connected(fleet.arn('a'), false).await;
    assert_eq!(fleet.world.instance(fleet.arn('b')).await["agentConnected"], true);
}

#[tokio::test]
async fn what_breaks_the_websocket_s_rules_ends_its_connection() {
    for bytes in [
        // Not masked; of a reserved kind; a control frame in pieces.
        &[0x81, 0x01, b'x'][..],
        &[0x83, 0x80, 0, 0, 0, 0],
        &[0x09, 0x80, 0, 0, 0, 0],
        // A piece of nothing that had begun; text that is no UTF-8.
        &[0x80, 0x80, 0, 0, 0, 0],
        &[0x81, 0x81, 0, 0, 0, 0, 0xff],
    ] {
        let mut fleet = fleet().await;
        raw(&mut fleet, bytes).await;
        fleet.world.until_connected(fleet.arn('a'), false).await;
        assert_eq!(fleet.world.instance(fleet.arn('b')).await["agentConnected"], true);
    }
}

/// Time is tokio's, and moves when nothing else is left to do.
#[tokio::test(start_paused = true)]
async fn a_frame_that_never_finishes_is_silence() {
    let world = World::start_inline().await;
    let mut agent = world.join(&Machine::default()).await;
    let begun = Instant::now();
    let head = [0x81, 0xfe, 0x10, 0x00, 1, 2, 3, 4, b'{'];
    agent.socket.get_mut().write_all(&head).await.unwrap();
    world.until_connected(&agent.instance, false).await;
    let took = begun.elapsed();
    assert!(took <= Duration::from_secs(10), "{took:?}");
}
