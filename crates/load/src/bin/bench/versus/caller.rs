//! Callers that spend next to nothing: threads that send bytes prepared before and read answers.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Some callers at once, each with one request under way.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) address: SocketAddr,
    /// Sent in turn.
    pub(crate) requests: &'a [Vec<u8>],
    pub(crate) connections: usize,
    /// When the last request is sent, at the latest.
    pub(crate) span: Duration,
    /// The most calls of all callers.
    pub(crate) most: usize,
}

/// What callers have seen.
pub(crate) struct Outcome {
    /// Until the last answer.
    pub(crate) wall: Duration,
    /// Of each call.
    pub(crate) latencies: Vec<Duration>,
    /// The last answer to each caller.
    pub(crate) last: Vec<Vec<u8>>,
}

/// Calls as fast as answers come. Every answer must be a success.
pub(crate) fn drive(load: &Load<'_>) -> anyhow::Result<Outcome> {
    let start = Barrier::new(load.connections + 1);
    thread::scope(|scope| {
        let begin = |number| {
            let (caller, start) = (Caller::new(load, number), &start);
            scope.spawn(move || caller.run(start))
        };
        let callers: Vec<_> = (0..load.connections).map(begin).collect();
        start.wait();
        let since = Instant::now();
        let ended: Vec<_> = callers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        let wall = since.elapsed();
        let mut outcome = Outcome { wall, latencies: Vec::new(), last: Vec::new() };
        for caller in ended {
            let (latencies, last) = caller.ok().context("a caller panicked")??;
            outcome.latencies.extend(latencies);
            outcome.last.push(last);
        }
        Ok(outcome)
    })
}

struct Caller<'a> {
    load: &'a Load<'a>,
    /// With which request it begins.
    first: usize,
    connection: Connection,
}

impl<'a> Caller<'a> {
    fn new(load: &'a Load<'a>, number: usize) -> Self {
        let first = number * load.requests.len() / load.connections;
        Self { load, first, connection: Connection::new(load.address) }
    }

    fn run(mut self, start: &Barrier) -> anyhow::Result<(Vec<Duration>, Vec<u8>)> {
        let Load { requests, connections, span, most, .. } = self.load;
        let (mut latencies, mut last) = (Vec::new(), Vec::new());
        start.wait();
        let since = Instant::now();
        let turns = requests.iter().cycle().skip(self.first).take(most.div_ceil(*connections));
        for request in turns {
            let sent = Instant::now();
            if sent - since >= *span {
                break;
            }
            let answer = self.connection.call(request)?;
            latencies.push(sent.elapsed());
            if answer.status != 200 {
                bail!("HTTP {}: {}", answer.status, String::from_utf8_lossy(answer.body));
            }
            last.clear();
            last.extend_from_slice(answer.body);
        }
        Ok((latencies, last))
    }
}

/// Where requests are sent, opened anew when the server has closed it.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, received: Vec::new() }
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(self.address)?,
        };
        stream.write_all(request)?;
        self.received.clear();
        let head = loop {
            read_more(&mut stream, &mut self.received)?;
            if let Some(head) = Head::read(&self.received) {
                break head.ok_or(ErrorKind::InvalidData)?;
            }
        };
        while self.received.len() < head.ends + head.body_bytes {
            read_more(&mut stream, &mut self.received)?;
        }
        if !head.closes {
            self.stream = Some(stream);
        }
        Ok(Answer { status: head.status, body: self.received.get(head.ends..).unwrap_or_default() })
    }
}

fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn read_more(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 64 * 1024];
    match stream.read(&mut chunk)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        bytes => {
            received.extend_from_slice(chunk.get(..bytes).unwrap_or_default());
            Ok(())
        }
    }
}

/// What the first lines of an answer say.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Where the body begins.
    ends: usize,
    body_bytes: usize,
    /// Whether the server closes the connection after it.
    closes: bool,
}

impl Head {
    /// `None` while it is not complete, `Some(None)` where it is none.
    fn read(received: &[u8]) -> Option<Option<Self>> {
        let ends = received.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
        Some(received.get(..ends).and_then(Self::parse))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = str::from_utf8(bytes).ok()?.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let mut head = Self { status, ends: bytes.len(), body_bytes: 0, closes: false };
        for (name, value) in lines.filter_map(|it| it.split_once(": ")) {
            if name.eq_ignore_ascii_case("content-length") {
                head.body_bytes = value.parse().ok()?;
            } else if name.eq_ignore_ascii_case("connection") {
                head.closes = value.eq_ignore_ascii_case("close");
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                return None;
            }
        }
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_there() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        let head = Head { status: 200, ends: bytes.len() - 2, body_bytes: 2, closes: true };
        assert_eq!(Head::read(bytes), Some(Some(head)));
        assert_eq!(Head::read(&bytes[..40]), None);
        assert_eq!(Head::read(b"SSH-2.0\r\n\r\n"), Some(None));
    }
}
