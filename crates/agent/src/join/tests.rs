//! Against a control plane that answers by a script: what was asked of it is what is looked at.

use std::fs;
use std::sync::{Arc, Mutex};

use longshore_wire::ErrorBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// All rounds that there are, without waits.
async fn join_at_once(token: &JoinToken, dir: &Path) -> Result<Membership, JoinError> {
    join_after(&[Duration::ZERO; 3], token, &Said::default(), dir).await
}

/// Answers each request with the next of these, and keeps the requests' bodies. An answer is a
/// status and a body; `None` is a connection that is closed.
async fn control_plane(answers: Vec<Option<(u16, String)>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    tokio::spawn({
        let asked = Arc::clone(&asked);
        async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                assert!(request.starts_with("POST /longshore/v1/join HTTP/1.1"), "{request}");
                let body = request.split_once("\r\n\r\n").unwrap().1.to_owned();
                asked.lock().unwrap().push(body);
                let Some((status, body)) = answer else { continue };
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        }
    });
    (endpoint, asked)
}

/// A request whose body ends with `}`.
async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"}") {
        let mut piece = [0; 1024];
        let length = stream.read(&mut piece).await.unwrap();
        assert!(length > 0, "the request ends early");
        text.extend_from_slice(&piece[..length]);
    }
    String::from_utf8(text).unwrap()
}

fn token(endpoints: &[&str]) -> JoinToken {
    JoinToken {
        endpoints: endpoints.iter().map(|it| (*it).to_owned()).collect(),
        id: "LSJT0123456789ABCDEF0123456789ABCDEF".into(),
        secret: "0f".repeat(32),
        ca_fingerprint: None,
    }
}

fn accepted() -> Option<(u16, String)> {
    let body =
        r#"{"cluster":"c","region":"eu-west-1","accessKeyId":"LSIK1","secretAccessKey":"s"}"#;
    Some((200, body.into()))
}

fn exception(code: &str, message: &str) -> Option<(u16, String)> {
    Some((400, ErrorBody::new(code, message).encode()))
}

#[tokio::test]
async fn what_comes_of_joining_is_kept_and_not_asked_for_again() {
    let dir = tempfile::tempdir().unwrap();
    let (endpoint, asked) = control_plane(vec![accepted()]).await;
    let token = token(&[&endpoint]);
    let joined = join_at_once(&token, dir.path()).await.unwrap();
    assert_eq!((joined.cluster.as_str(), joined.region.as_str()), ("c", "eu-west-1"));
    assert_eq!(joined.endpoint, endpoint);
    assert_eq!(join_at_once(&token, dir.path()).await.unwrap(), joined);
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert!(!dir.path().join(FILE).exists());
}

#[tokio::test]
async fn what_the_operator_says_goes_before_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let (endpoint, _) = control_plane(vec![accepted()]).await;
    let fingerprint = longshore_wire::Fingerprint::of(b"a certificate");
    let said = Said {
        endpoint: Some(endpoint.parse().unwrap()),
        trust: Some(Trust::Fingerprint(fingerprint)),
    };
    let token = token(&["http://127.0.0.1:1"]);
    let joined = join_after(&[], &token, &said, dir.path()).await.unwrap();
    assert_eq!((joined.endpoint, joined.ca_fingerprint), (endpoint, Some(fingerprint)));
}

#[tokio::test]
async fn a_call_is_made_again_with_the_nonce_it_had_also_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let away = exception("ServerException", "not now");
    let denied = exception("AccessDeniedException", "no");
    let (endpoint, asked) = control_plane(vec![None, away, denied, accepted()]).await;
    let token = token(&[&endpoint]);
    let error = join_at_once(&token, dir.path()).await.unwrap_err();
    assert!(matches!(error, JoinError::Refused(_)), "{error}");
    join_at_once(&token, dir.path()).await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|it| *it == asked[0] && it.len() == r#"{"nonce":""}"#.len() + 32));
}

#[tokio::test]
async fn the_first_endpoint_that_answers_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (endpoint, _) = control_plane(vec![accepted()]).await;
    // Port 1 of this machine refuses connections.
    let joined =
        join_at_once(&token(&["http://127.0.0.1:1", &endpoint]), dir.path()).await.unwrap();
    assert_eq!(joined.endpoint, endpoint);
}

#[tokio::test]
async fn another_token_takes_the_place_of_what_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (endpoint, asked) = control_plane(vec![accepted(), accepted()]).await;
    let first = token(&[&endpoint]);
    join_at_once(&first, dir.path()).await.unwrap();
    let second = JoinToken { id: first.id.replace("0123", "4567"), ..first };
    let joined = join_at_once(&second, dir.path()).await.unwrap();
    assert_eq!(joined.join_token, second.id);
    let asked = asked.lock().unwrap();
    assert_ne!(asked[0], asked[1], "another call");
}

#[tokio::test]
async fn a_refusal_says_what_is_to_be_done() {
    for (answer, says) in [
        (
            exception("InvalidSignatureException", "Signature expired: 2 is now earlier than 1"),
            "the clocks of this machine and of the control plane differ",
        ),
        (
            exception("InvalidSignatureException", "Signature not yet current: 1 is still later"),
            "the clocks of this machine and of the control plane differ",
        ),
        (
            exception("InvalidSignatureException", "The request signature we calculated does not"),
            "does not accept this token's signature",
        ),
        (exception("UnrecognizedClientException", "invalid"), "does not know this join token"),
        (
            exception("AccessDeniedException", "The join token LSJT1 has expired. Make a new one"),
            "the control plane refuses: The join token LSJT1 has expired. Make a new one",
        ),
        (Some((200, "{}".into())), "its answer lacks a part"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (endpoint, _) = control_plane(vec![answer]).await;
        let error = join_at_once(&token(&[&endpoint]), dir.path()).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(Membership::load(dir.path()).unwrap().is_none());
    }
}

#[tokio::test]
async fn where_nobody_answers_it_is_said_where_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let error =
        join_at_once(&token(&["http://127.0.0.1:1"]), dir.path()).await.unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:1: no answer"), "{error}");
    assert!(error.contains("longshore server --listen"), "{error}");
    fs::write(dir.path().join(FILE), "{").unwrap();
    let error = join_at_once(&token(&["http://127.0.0.1:1"]), dir.path()).await.unwrap_err();
    assert!(matches!(error, JoinError::DataDir(_)), "{error}");
}
