//! Clients whose server name (SNI) is none.
//!
//! The official agent sends the host of its URL with the port, such as `127.0.0.1:18443`. Rustls
//! 0.23 ends such a handshake with `illegal_parameter`, and has no switch for that (0.24 will:
//! `InvalidSniPolicy`). The name decides nothing here: there is one certificate. So the extension
//! gets a type that rustls passes over. Both sides hash every byte of the handshake, and must come
//! to the same result; so in this handshake alone, the hash functions put the type back before they
//! hash. All else is rustls's and ring's.

use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{CipherSuiteCommon, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite};
use std::sync::LazyLock;

/// The type of a message. Source: RFC 8446, 4.
const CLIENT_HELLO: u8 = 1;

/// The type of an extension. Source: RFC 6066, 1.1.
const SERVER_NAME: [u8; 2] = 0u16.to_be_bytes();

/// Of the types for private use (RFC 8446, 11), one that nobody is known to use. Who does use it
/// and sends a malformed server name as well fails the handshake, which harms no one else.
const HIDDEN: [u8; 2] = 0xff5e_u16.to_be_bytes();

/// Hides a server name that rustls would refuse. Says whether there was one.
pub(super) fn hide_malformed(hello: &mut [u8]) -> bool {
    let Some(extension) = extension(hello, SERVER_NAME) else { return false };
    if !is_malformed(hello.get(extension + 4..).unwrap_or_default()) {
        return false;
    }
    retype(hello, extension, HIDDEN);
    true
}

/// Whether an extension's content names a host by something that is neither a name nor an address:
/// the length of the list, the type 0, the length of the name, the name.
fn is_malformed(content: &[u8]) -> bool {
    let [_, _, 0, high, low, rest @ ..] = content else { return false };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    rest.get(..length).is_some_and(|name| !name.is_empty() && ServerName::try_from(name).is_err())
}

/// Where in a ClientHello, without the head of its record, the first extension of this type begins.
fn extension(hello: &[u8], wanted: [u8; 2]) -> Option<usize> {
    if hello.first() != Some(&CLIENT_HELLO) {
        return None;
    }
    let byte = |at: usize| hello.get(at).map(|it| usize::from(*it));
    let pair = |at: usize| Some(byte(at)? << 8 | byte(at + 1)?);
    let mut at = 4 + 2 + 32; // the message's head, the version, the random bytes
    at += 1 + byte(at)?; // the session's id
    at += 2 + pair(at)?; // cipher suites
    at += 1 + byte(at)?; // compression methods
    at += 2; // the length of all extensions
    while hello.get(at..at + 2)? != wanted {
        at += 4 + pair(at + 2)?;
    }
    Some(at)
}

fn retype(hello: &mut [u8], extension: usize, kind: [u8; 2]) {
    if let Some(place) = hello.get_mut(extension..extension + 2) {
        place.copy_from_slice(&kind);
    }
}

/// Ring's cipher suites, with hash functions that see the ClientHello as it was sent.
pub(super) fn restoring_suites() -> Vec<SupportedCipherSuite> {
    // Rustls wants them to live for ever, so there is one set.
    static SUITES: LazyLock<Vec<SupportedCipherSuite>> =
        LazyLock::new(|| ring::DEFAULT_CIPHER_SUITES.iter().copied().map(restoring).collect());
    SUITES.clone()
}

fn restoring(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    match suite {
        SupportedCipherSuite::Tls13(suite) => {
            let suite = Tls13CipherSuite { common: with_hash(&suite.common), ..*suite };
            SupportedCipherSuite::Tls13(Box::leak(Box::new(suite)))
        }
        SupportedCipherSuite::Tls12(suite) => {
            let suite = Tls12CipherSuite { common: with_hash(&suite.common), ..*suite };
            SupportedCipherSuite::Tls12(Box::leak(Box::new(suite)))
        }
    }
}

fn with_hash(common: &CipherSuiteCommon) -> CipherSuiteCommon {
    let hash_provider = Box::leak(Box::new(Restoring(common.hash_provider)));
    CipherSuiteCommon { hash_provider, ..*common }
}

/// A hash function that puts the type of a hidden server name back.
struct Restoring(&'static dyn Hash);

impl Hash for Restoring {
    fn start(&self) -> Box<dyn Context> {
        Box::new(RestoringContext(self.0.start()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.0.hash(data)
    }

    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.0.algorithm()
    }
}

struct RestoringContext(Box<dyn Context>);

impl Context for RestoringContext {
    fn fork_finish(&self) -> Output {
        self.0.fork_finish()
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.fork()))
    }

    fn finish(self: Box<Self>) -> Output {
        self.0.finish()
    }

    /// Messages come whole, one at a time.
    fn update(&mut self, data: &[u8]) {
        match extension(data, HIDDEN) {
            Some(hidden) => {
                let mut sent = data.to_vec();
                retype(&mut sent, hidden, SERVER_NAME);
                self.0.update(&sent);
            }
            None => self.0.update(data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello with an extension before a server name.
    fn hello(name: &str) -> Vec<u8> {
        let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
        let entry = [&[0][..], &length(name.as_bytes()), name.as_bytes()].concat();
        let list = [&length(&entry)[..], &entry].concat();
        let names = [&SERVER_NAME[..], &length(&list), &list].concat();
        let extensions = [&[0, 10, 0, 2, 7, 7][..], &names].concat();
        let body = [
            &[3, 3][..], // version
            &[9; 32],    // random
            &[2, 1, 1],  // session
            &[0, 4, 1, 2, 3, 4],
            &[1, 0],
            &length(&extensions),
            &extensions,
        ]
        .concat();
        [&[CLIENT_HELLO, 0][..], &length(&body), &body].concat()
    }

    #[test]
    fn only_what_is_neither_name_nor_address_is_hidden_and_comes_back() {
        for (name, is_hidden) in [
            ("127.0.0.1:18443", true),
            ("[::1]:8327", true),
            ("a b", true),
            ("127.0.0.1", false),
            ("::1", false),
            ("ecs.example", false),
            ("", false),
        ] {
            let sent = hello(name);
            let mut seen = sent.clone();
            assert_eq!(hide_malformed(&mut seen), is_hidden, "{name}");
            assert_eq!(seen != sent, is_hidden, "{name}");
            for suite in restoring_suites() {
                let SupportedCipherSuite::Tls13(suite) = suite else { continue };
                let mut context = suite.common.hash_provider.start();
                context.update(&seen);
                let expected = suite.common.hash_provider.hash(&sent);
                assert_eq!(context.finish().as_ref(), expected.as_ref(), "{name}");
            }
        }
    }

    #[test]
    fn a_cut_or_damaged_hello_is_left_alone() {
        let whole = hello("127.0.0.1:18443");
        for end in 0..whole.len() {
            let mut cut = whole[..end].to_vec();
            hide_malformed(&mut cut);
            for at in 0..cut.len() {
                let mut damaged = cut.clone();
                damaged[at] ^= 0xff;
                hide_malformed(&mut damaged);
            }
        }
    }
}
