//! How a caller came in: by TLS, or in plain text where that is allowed. One listener serves both,
//! since the first byte says which it is.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tls::{FIRST_BYTE, Stream, Tls};

/// The longest that a client may take to say its first byte.
const FIRST: Duration = Duration::from_secs(30);

/// What the listener speaks.
#[derive(Debug, Default)]
pub(crate) struct Transports {
    pub(crate) tls: Option<Tls>,
    pub(crate) plain_text: PlainText,
}

/// Whom plain text is spoken with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainText {
    /// Callers on this machine: nobody else sees what they say.
    #[default]
    ThisMachine,
    /// Everyone, over any network.
    Everyone,
}

/// How a caller came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tls,
    Plain,
    /// In plain text, which this caller may not speak.
    Refused,
}

/// A connection on which HTTP is to be spoken.
pub(crate) enum Entered {
    Plain(TcpStream, Transport),
    Tls(Box<Stream>),
}

impl Transport {
    /// The scheme of the URL that leads here, given how the caller came to a proxy before this
    /// server. It goes back to none but that caller, so it may say what it likes.
    pub(crate) fn scheme(self, to_proxy: Option<&str>) -> &'static str {
        match (self, to_proxy) {
            (Self::Tls, _) | (Self::Plain, Some("https")) => "https",
            (Self::Plain | Self::Refused, _) => "http",
        }
    }
}

impl Transports {
    /// Finds out what a caller speaks, and makes the handshake where it is TLS.
    pub(crate) async fn enter(&self, stream: TcpStream) -> io::Result<Entered> {
        let mut first = [0];
        let length = timeout(FIRST, stream.peek(&mut first)).await??;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if first != [FIRST_BYTE] {
            let is_allowed = self.plain_text == PlainText::Everyone || is_from_here(&stream)?;
            let transport = if is_allowed { Transport::Plain } else { Transport::Refused };
            return Ok(Entered::Plain(stream, transport));
        }
        let Some(tls) = &self.tls else {
            return Err(io::Error::other("TLS is not spoken here"));
        };
        Ok(Entered::Tls(Box::new(tls.handshake(stream).await?)))
    }
}

/// Whether a caller is on this machine.
pub(crate) fn is_from_here(stream: &TcpStream) -> io::Result<bool> {
    Ok(is_this_machine(stream.local_addr()?, stream.peer_addr()?))
}

/// Whether both ends are on one machine: at loopback, or at the same address, which no network
/// delivers from outside.
fn is_this_machine(local: SocketAddr, peer: SocketAddr) -> bool {
    let peer = peer.ip().to_canonical();
    peer.is_loopback() || peer == local.ip().to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_at_loopback_or_at_the_listeners_own_address_is_on_this_machine() {
        let check = |local: &str, peer: &str, expected| {
            let seen = is_this_machine(local.parse().unwrap(), peer.parse().unwrap());
            assert_eq!(seen, expected, "{peer} at {local}");
        };
        check("127.0.0.1:8327", "127.0.0.1:40000", true);
        check("[::1]:8327", "[::1]:40000", true);
        check("[::ffff:127.0.0.1]:8327", "[::ffff:127.0.0.1]:40000", true);
        check("10.0.0.1:8327", "10.0.0.1:40000", true);
        check("[::ffff:10.0.0.1]:8327", "10.0.0.1:40000", true);
        check("10.0.0.1:8327", "10.0.0.2:40000", false);
        check("[fd00::1]:8327", "[fd00::2]:40000", false);
    }
}
