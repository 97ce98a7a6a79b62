//! TLS and plain text on one listener. In the tests with a paused clock, time stands still until
//! nothing else is left to do.

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use longshore_client::{Connector, Endpoint, Stream, Trust};
use longshore_server::{Authority, Tls};
use longshore_wire::Operation::{DescribeClusters, DiscoverPollEndpoint};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::{Answer, Handshake, Machine, World, send_on};

/// A world that speaks TLS, and what its clients need for that.
struct Place {
    world: World,
    trust: Trust,
    _dir: TempDir,
}

impl Place {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(dir.path()).unwrap();
        let trust = Trust::Fingerprint(authority.fingerprint());
        let tls = Tls::from_authority(authority, vec![], 8327).unwrap();
        Self { world: World::with_tls(tls).await, trust, _dir: dir }
    }

    async fn connect(&self) -> Stream {
        let endpoint: Endpoint = format!("https://{}", self.world.address).parse().unwrap();
        let connector = Connector::new(&endpoint, &self.trust, Duration::from_secs(5)).unwrap();
        connector.open(&endpoint.uri("/").unwrap()).await.unwrap()
    }

    async fn send(&self, request: Request<Full<bytes::Bytes>>) -> Answer {
        send_on(self.connect().await, request).await.unwrap()
    }

    /// That a client with good manners is answered, by TLS and in plain text.
    async fn serves_still(&self) {
        self.world.ask(DescribeClusters, json!({})).await;
        self.send(self.world.request(DescribeClusters, "{}").signed()).await.success();
    }
}

#[tokio::test]
async fn an_agent_is_told_to_come_as_it_came() {
    let place = Place::start().await;
    let plain = place.world.ask(DiscoverPollEndpoint, json!({})).await;
    assert_eq!(plain["endpoint"], "http://longshore.test:18080/acs/");
    let request = place.world.request(DiscoverPollEndpoint, "{}").signed();
    let encrypted = place.send(request).await.success();
    assert_eq!(encrypted["endpoint"], "https://longshore.test:18080/acs/");
    let mut request = place.world.request(DiscoverPollEndpoint, "{}").signed();
    request.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
    let by_proxy = place.world.send(request).await.success();
    assert_eq!(by_proxy["endpoint"], "https://longshore.test:18080/acs/");
}

#[tokio::test]
async fn an_agents_socket_opens_by_tls() {
    let place = Place::start().await;
    let instance = place.world.register(&Machine::default()).await;
    let request = Handshake::of(&place.world, &instance).signed();
    let stream = place.connect().await;
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    place.world.until_connected(&instance, true).await;
    drop(socket);
    place.world.until_connected(&instance, false).await;
}

/// A record that says it has 512 bytes.
const RECORD_HEAD: [u8; 5] = [22, 3, 1, 2, 0];

#[tokio::test]
async fn handshakes_that_never_end_hold_nobody_up() {
    let place = Place::start().await;
    let mut stalled = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(place.world.address).await.unwrap();
        stream.write_all(&RECORD_HEAD).await.unwrap();
        stalled.push(stream);
    }
    let begun = Instant::now();
    place.serves_still().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for stream in &stalled {
        let mut byte = [0];
        let nothing_yet = stream.try_read(&mut byte).unwrap_err();
        assert_eq!(nothing_yet.kind(), std::io::ErrorKind::WouldBlock);
    }
}

/// Says this and nothing more; gives what came back until the server hung up, and how long that
/// took.
async fn begin(world: &World, bytes: &[u8]) -> (Vec<u8>, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    (answer, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_handshake_has_ten_seconds_and_its_first_byte_thirty() {
    let place = Place::start().await;
    let (answer, took) = begin(&place.world, &RECORD_HEAD).await;
    assert!(answer.is_empty());
    assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&took), "{took:?}");
    let (answer, took) = begin(&place.world, &[]).await;
    assert!(answer.is_empty());
    assert!((Duration::from_secs(30)..Duration::from_secs(31)).contains(&took), "{took:?}");
    place.serves_still().await;
}

#[tokio::test]
async fn what_only_looks_like_tls_is_cut_at_once() {
    let place = Place::start().await;
    let begun = Instant::now();
    // An alert of TLS may come back: its type is 21.
    let (answer, _) = begin(&place.world, &[&RECORD_HEAD[..], &[7; 512]].concat()).await;
    assert!(matches!(answer.first(), None | Some(21)), "{answer:?}");
    let (answer, _) = begin(&place.world, &[22, 3, 1, 255, 255]).await;
    assert!(answer.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    place.serves_still().await;
}

#[tokio::test]
async fn a_server_without_tls_cuts_whoever_speaks_it() {
    let world = World::start().await;
    let (answer, took) = begin(&world, &RECORD_HEAD).await;
    assert!(answer.is_empty());
    assert!(took < Duration::from_secs(5), "{took:?}");
    world.ask(DescribeClusters, json!({})).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_waits_for_no_handshake() {
    let place = Place::start().await;
    let mut silent = TcpStream::connect(place.world.address).await.unwrap();
    let mut stalled = TcpStream::connect(place.world.address).await.unwrap();
    stalled.write_all(&RECORD_HEAD).await.unwrap();
    place.serves_still().await;
    let begun = Instant::now();
    place.world.request_shutdown();
    for stream in [&mut silent, &mut stalled] {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}
