//! Whom a client believes, with real handshakes: one table, in which each server lacks one thing.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use longshore_client::{
    Bounds, CallError, Client, Connector, Credentials, Endpoint, Fingerprint, Signer, Trust,
    TrustError,
};
use longshore_wire::ecs::ListClustersRequest;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Of a TCP connection.
const LIMIT: Duration = Duration::from_secs(5);

/// A certificate authority of the test's own.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// What a server shows.
struct Shown {
    names: &'static [&'static str],
    /// Days from now.
    valid: (i64, i64),
    /// Whether the authority's certificate comes after the server's own.
    with_authority: bool,
}

const GOOD: Shown = Shown { names: &["127.0.0.1"], valid: (-1, 1), with_authority: true };

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.certificate.der())
    }

    fn file(&self, dir: &Path) -> Trust {
        let path = dir.join(format!("{}.pem", self.fingerprint()));
        fs::write(&path, self.certificate.pem()).unwrap();
        Trust::File(path)
    }

    /// A server that answers `hello` on each connection.
    async fn serve(&self, shown: &Shown) -> SocketAddr {
        let names: Vec<String> = shown.names.iter().map(|it| (*it).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let now = time::OffsetDateTime::now_utc();
        params.not_before = now + time::Duration::days(shown.valid.0);
        params.not_after = now + time::Duration::days(shown.valid.1);
        let key = KeyPair::generate().unwrap();
        let mut chain = vec![params.signed_by(&key, &self.issuer).unwrap().into()];
        if shown.with_authority {
            chain.push(self.certificate.der().clone());
        }
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"hello").await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        address
    }
}

/// What the server says, or why it is not believed.
async fn ask(url: &str, trust: &Trust) -> Result<String, String> {
    let endpoint: Endpoint = url.parse().unwrap();
    let connector = Connector::new(&endpoint, trust, LIMIT).unwrap();
    let mut stream =
        connector.open(&endpoint.uri("/").unwrap()).await.map_err(|it| it.to_string())?;
    let mut said = String::new();
    stream.read_to_string(&mut said).await.map_err(|it| it.to_string())?;
    Ok(said)
}

#[track_caller]
fn believed(answer: Result<String, String>) {
    assert_eq!(answer.as_deref(), Ok("hello"));
}

#[track_caller]
fn refused(answer: Result<String, String>, reason: &str) {
    let error = answer.unwrap_err();
    assert!(error.contains(reason), "{reason} is not in: {error}");
}

#[tokio::test]
async fn an_authority_is_known_by_its_file_or_by_its_fingerprint() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new("good");
    let url = format!("https://{}", authority.serve(&GOOD).await);
    believed(ask(&url, &authority.file(dir.path())).await);
    believed(ask(&url, &Trust::Fingerprint(authority.fingerprint())).await);
    // In a file of several, one is enough.
    let both = dir.path().join("both.pem");
    let other = Authority::new("other");
    fs::write(&both, other.certificate.pem() + &authority.certificate.pem()).unwrap();
    believed(ask(&url, &Trust::File(both)).await);
}

#[tokio::test]
async fn a_name_in_the_url_is_looked_for_as_well_as_an_address() {
    let authority = Authority::new("good");
    let trust = Trust::Fingerprint(authority.fingerprint());
    let named = authority.serve(&Shown { names: &["localhost"], ..GOOD }).await;
    believed(ask(&format!("https://localhost:{}", named.port()), &trust).await);
    let wrong_address = ask(&format!("https://127.0.0.1:{}", named.port()), &trust).await;
    refused(wrong_address, "not valid for name");
    let addressed = authority.serve(&GOOD).await;
    let wrong_name = ask(&format!("https://localhost:{}", addressed.port()), &trust).await;
    refused(wrong_name, "not valid for name");
}

#[tokio::test]
async fn another_authority_is_a_stranger() {
    let dir = tempfile::tempdir().unwrap();
    let (authority, other) = (Authority::new("good"), Authority::new("other"));
    let url = format!("https://{}", authority.serve(&GOOD).await);
    refused(ask(&url, &other.file(dir.path())).await, "no authority that is trusted here");
    let pinned = ask(&url, &Trust::Fingerprint(other.fingerprint())).await;
    refused(
        pinned.clone(),
        &format!("no certificate authority of the fingerprint {}", other.fingerprint()),
    );
    refused(pinned, &format!("it shows {}", authority.fingerprint()));
}

#[tokio::test]
async fn a_stranger_is_told_from_a_server_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let (authority, other) = (Authority::new("good"), Authority::new("other"));
    let there = format!("https://{}", authority.serve(&GOOD).await);
    let call = async |url: &str, trust: &Trust| {
        let credentials = Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: "secret".into(),
            session_token: None,
        };
        let signer = Signer::new(credentials, "r".into());
        let client = Client::new(url.parse().unwrap(), trust, signer, Bounds::default()).unwrap();
        client.call(&ListClustersRequest::default()).await.unwrap_err()
    };
    for trust in [other.file(dir.path()), Trust::Fingerprint(other.fingerprint())] {
        let error = call(&there, &trust).await;
        assert!(matches!(error, CallError::Untrusted(_)), "{error}");
    }
    let trust = authority.file(dir.path());
    for url in [there.as_str(), "https://127.0.0.1:1"] {
        let error = call(url, &trust).await;
        assert!(matches!(error, CallError::NoAnswer(_)), "{url}: {error}");
    }
}

/// Whoever holds the key of nothing but the server's certificate, or shows the right authority
/// beside a certificate of another, must not be believed.
#[tokio::test]
async fn the_right_authority_beside_a_certificate_that_it_did_not_sign_is_not_enough() {
    let right = Authority::new("same name");
    let mut forger = Authority::new("same name");
    forger.certificate = right.certificate.clone();
    let url = format!("https://{}", forger.serve(&GOOD).await);
    refused(ask(&url, &Trust::Fingerprint(right.fingerprint())).await, "invalid peer certificate");
}

#[tokio::test]
async fn a_fingerprint_needs_the_authority_to_be_shown_and_a_file_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new("good");
    let url =
        format!("https://{}", authority.serve(&Shown { with_authority: false, ..GOOD }).await);
    believed(ask(&url, &authority.file(dir.path())).await);
    refused(ask(&url, &Trust::Fingerprint(authority.fingerprint())).await, "it shows none");
}

#[tokio::test]
async fn dates_count_however_the_authority_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new("good");
    for trust in [authority.file(dir.path()), Trust::Fingerprint(authority.fingerprint())] {
        for (valid, reason) in [((-2, -1), "expired"), ((1, 2), "not valid yet")] {
            let url = format!("https://{}", authority.serve(&Shown { valid, ..GOOD }).await);
            refused(ask(&url, &trust).await, reason);
        }
    }
}

#[tokio::test]
async fn a_server_of_plain_text_is_not_taken_for_one_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let trust = Trust::Fingerprint(Fingerprint::of(b""));
    refused(ask(&url, &trust).await, "corrupt message");
}

#[test]
fn a_file_that_cannot_be_read_or_holds_no_certificate_is_said_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = "https://127.0.0.1:1".parse().unwrap();
    let missing = dir.path().join("missing.pem");
    let error = Connector::new(&endpoint, &Trust::File(missing.clone()), LIMIT).unwrap_err();
    assert!(matches!(&error, TrustError::Unreadable { path, .. } if *path == missing), "{error}");
    let empty = dir.path().join("empty.pem");
    for content in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        fs::write(&empty, content).unwrap();
        let error = Connector::new(&endpoint, &Trust::File(empty.clone()), LIMIT).unwrap_err();
        assert!(matches!(&error, TrustError::NoCertificate(path) if *path == empty), "{error}");
    }
    // Nobody needs to be trusted where nothing is encrypted.
    let plain = "http://127.0.0.1:1".parse().unwrap();
    assert!(Connector::new(&plain, &Trust::File(missing), LIMIT).is_ok());
}
