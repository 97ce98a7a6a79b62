//! TLS on the listener: who the server says it is, and handshakes that cannot hold others up.
//!
//! Unfinished handshakes are bounded in number, and each in time. A slow client takes nothing but its
//! own place among them.

mod authority;
mod certificates;
mod files;
mod names;
mod prefixed;
mod sni;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longshore_wire::Fingerprint;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::NoServerSessionStorage;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use authority::{Authority, AuthorityError};
pub use files::CertificateFilesError;
pub use names::{TlsName, TlsNameError};

use certificates::{Certificates, Source};
use files::CertificateFiles;
use prefixed::Prefixed;

/// The longest that a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How many handshakes may be unfinished. Each is some 20 KiB.
const UNFINISHED: usize = 8192;

/// How often names, dates and files are looked at.
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// Of a record: its type, version and length.
const RECORD_HEAD: usize = 5;

/// The longest that a record in plain text may be, in bytes. Source: RFC 8446, 5.1.
const RECORD_MAX: usize = 16 * 1024;

/// The first byte of a handshake; no HTTP request begins so. Source: RFC 8446, 5.1.
pub(crate) const FIRST_BYTE: u8 = 22;

/// What the listener speaks TLS with.
#[derive(Debug)]
pub struct Tls {
    certificates: Arc<Certificates>,
    config: Arc<ServerConfig>,
    /// For clients whose server name cannot be read; see [`sni`].
    tolerant: Arc<ServerConfig>,
    unfinished: Semaphore,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The operator's certificate.
    #[error(transparent)]
    Files(#[from] CertificateFilesError),
    /// The server's own authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// A connection that is encrypted.
pub(crate) type Stream = TlsStream<Prefixed<TcpStream>>;

impl Tls {
    /// With a certificate, its chain and its key in these files, in PEM. They are looked at every
    /// minute, so that what replaces them counts.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = CertificateFiles { certificate: certificate.into(), key: key.into() };
        Self::new(Source::Files(files))
    }

    /// With certificates of the server's own authority, for all names and addresses of this machine
    /// and those given, on this port.
    pub fn from_authority(
        authority: Authority,
        names: Vec<TlsName>,
        port: u16,
    ) -> Result<Self, TlsError> {
        Self::new(Source::Authority { authority: Box::new(authority), names, port })
    }

    fn new(source: Source) -> Result<Self, TlsError> {
        let provider = ring::default_provider();
        let certificates = Arc::new(Certificates::open(source, &provider, now_secs())?);
        let tolerant =
            CryptoProvider { cipher_suites: sni::restoring_suites(), ..ring::default_provider() };
        Ok(Self {
            config: config(provider, &certificates),
            tolerant: config(tolerant, &certificates),
            certificates,
            unfinished: Semaphore::new(UNFINISHED),
        })
    }

    /// Of the server's own authority, where it has one.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.certificates.authority().map(Authority::fingerprint)
    }

    /// Makes one handshake.
    pub(crate) async fn handshake(&self, stream: TcpStream) -> io::Result<Stream> {
        let Ok(_unfinished) = self.unfinished.try_acquire() else {
            return Err(io::Error::other("too many handshakes are unfinished"));
        };
        match timeout(HANDSHAKE, self.accept(stream)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long")),
        }
    }

    async fn accept(&self, mut stream: TcpStream) -> io::Result<Stream> {
        let mut hello = read_record(&mut stream).await?;
        let config = if sni::hide_malformed(hello.get_mut(RECORD_HEAD..).unwrap_or_default()) {
            &self.tolerant
        } else {
            &self.config
        };
        TlsAcceptor::from(Arc::clone(config)).accept(Prefixed::new(hello, stream)).await
    }

    /// Keeps the certificate good, for ever.
    pub(crate) async fn renew(&self) {
        loop {
            sleep(RENEW_EVERY).await;
            self.certificates.renew(&ring::default_provider(), now_secs());
        }
    }
}

fn config(provider: CryptoProvider, certificates: &Arc<Certificates>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 need")
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(certificates) as _);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Agents stay for days: what resumption saves is not worth keeping sessions for.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

/// The first record, which holds the ClientHello.
async fn read_record(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut record = vec![0; RECORD_HEAD];
    stream.read_exact(&mut record).await?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    if length > RECORD_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the first record is too long"));
    }
    record.resize(RECORD_HEAD + length, 0);
    stream.read_exact(&mut record[RECORD_HEAD..]).await?;
    Ok(record)
}

/// Certificates are about the world's time, whatever clock the control plane has.
fn now_secs() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn one_handshake_too_many_is_hung_up_on_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(dir.path()).unwrap();
        let tls = Tls::from_authority(authority, vec![], 8327).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        assert_eq!(tls.unfinished.forget_permits(UNFINISHED), UNFINISHED);
        let error = tls.handshake(stream).await.unwrap_err();
        assert_eq!(error.to_string(), "too many handshakes are unfinished");
    }
}
