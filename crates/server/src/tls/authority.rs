//! The server's own certificate authority: made at the first start, kept in the data directory,
//! readable by its owner alone. It signs nothing but this server's certificates.

use std::path::{Path, PathBuf};
use std::{fs, io};

use longshore_wire::Fingerprint;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};

use super::names::TlsName;
use crate::private_file;

/// Holds the certificate, then the key.
const FILE: &str = "ca.pem";

const END: &str = "-----END CERTIFICATE-----\n";

/// Clients trust it by its fingerprint or its file, so a new one means telling all of them.
const AUTHORITY_DAYS: i64 = 20 * 365;

/// A server's certificate is made anew each day.
const CERTIFICATE_DAYS: i64 = 30;

/// Clients' clocks may be so far behind.
const BEFORE_DAYS: i64 = 1;

/// A certificate with its key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The file cannot be read or written.
    #[error("the certificate authority in {path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{0} does not hold a certificate authority of Longshore's with its key; restore it, or \
         remove it to have a new one made, which all clients must then be told of"
    )]
    Unreadable(PathBuf),
    /// No certificate can be made of it.
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// It can, but it cannot be used.
    #[error("the certificate that was made cannot be used: {0}")]
    Use(#[from] rustls::Error),
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// The authority of a data directory.
    ///
    /// # Errors
    /// [`AuthorityError::Io`] of [`io::ErrorKind::NotFound`] where there is none yet.
    pub fn load(data_dir: &Path) -> Result<Self, AuthorityError> {
        let path = data_dir.join(FILE);
        let text = fs::read_to_string(&path)
            .map_err(|source| AuthorityError::Io { path: path.clone(), source })?;
        Self::parse(&text).ok_or(AuthorityError::Unreadable(path))
    }

    /// The authority of a data directory, made now if there is none.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, AuthorityError> {
        match Self::load(data_dir) {
            Err(AuthorityError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            loaded => return loaded,
        }
        let key = KeyPair::generate()?;
        let mut params = issuer_params(&key);
        (params.not_before, params.not_after) = validity(super::now_secs(), AUTHORITY_DAYS);
        let pem = params.self_signed(&key)?.pem().replace('\r', "");
        let text = format!("{pem}{}", key.serialize_pem());
        private_file::write(data_dir, FILE, text.as_bytes())
            .map_err(|source| AuthorityError::Io { path: data_dir.join(FILE), source })?;
        Self::load(data_dir)
    }

    fn parse(text: &str) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).ok()?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).ok()?;
        let provider = rustls::crypto::ring::default_provider();
        CertifiedKey::from_der(vec![certificate.clone()], key, &provider).ok()?;
        let (pem, key) = text.split_once(END)?;
        let key = KeyPair::from_pem(key).ok()?;
        let issuer = Issuer::new(issuer_params(&key), key);
        Some(Self { certificate, pem: format!("{pem}{END}"), issuer })
    }

    /// By which clients may know it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// Its certificate in PEM, which clients may trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Makes a certificate for a server of these names at this port, with a key of its own.
    pub(super) fn issue(
        &self,
        names: &[TlsName],
        port: u16,
        now_secs: i64,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Longshore server");
        (params.not_before, params.not_after) = validity(now_secs, CERTIFICATE_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        for name in names {
            params.subject_alt_names.push(match name {
                TlsName::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
                TlsName::Ip(address) => SanType::IpAddress(*address),
            });
        }
        // The official agent looks for the host of its URL with the port, as if that were a name.
        for name in names {
            params.subject_alt_names.push(SanType::DnsName(format!("{name}:{port}").try_into()?));
        }
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = vec![certificate.into(), self.certificate.clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|_| rustls::Error::General("its key cannot be read".into()))?;
        Ok(CertifiedKey::from_der(chain, key, provider)?)
    }
}

/// Both the authority's own certificate and what it signs follow from its key and these.
fn issuer_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mark = Fingerprint::of(key.der_bytes()).to_string();
    let name = format!("Longshore certificate authority {}", mark.get(..16).unwrap_or(&mark));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn validity(now_secs: i64, days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::from_unix_timestamp(now_secs).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (now - Duration::days(BEFORE_DAYS), now + Duration::days(days))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::crypto::ring;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    #[test]
    fn an_authority_is_made_once_and_kept_readable_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Authority::load(dir.path()), Err(AuthorityError::Io { .. })));
        let first = Authority::load_or_create(dir.path()).unwrap();
        let second = Authority::load_or_create(dir.path()).unwrap();
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert_eq!(first.pem(), second.pem());
        assert!(!first.pem().contains("PRIVATE"));
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused_and_left() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let (good, strange) = (
            Authority::load_or_create(dir.path()).unwrap(),
            Authority::load_or_create(other.path()).unwrap(),
        );
        let strange_key = strange.issuer.key().serialize_pem();
        let mismatched = format!("{}{strange_key}", good.pem());
        for text in ["", "hello", good.pem(), &strange_key, &mismatched] {
            fs::write(dir.path().join(FILE), text).unwrap();
            let error = Authority::load_or_create(dir.path()).unwrap_err();
            assert!(matches!(error, AuthorityError::Unreadable(_)), "{error}");
            assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap(), text);
        }
    }

    #[test]
    fn a_certificate_is_good_for_its_names_from_a_day_before_until_thirty_after() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(dir.path()).unwrap();
        let provider = ring::default_provider();
        let names = ["ecs.example", "*.fleet.example", "10.0.0.1", "fd00::1"];
        let names: Vec<TlsName> = names.iter().map(|it| it.parse().unwrap()).collect();
        let now = super::super::now_secs();
        let shown = authority.issue(&names, 8327, now, &provider).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.clone()).unwrap();
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::new(provider))
                .build()
                .unwrap();
        let is_good = |name: &'static str, days: i64| {
            let at = u64::try_from(now + days * 24 * 60 * 60).unwrap();
            let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at));
            let name = ServerName::try_from(name).unwrap();
            let (own, chain) = shown.cert.split_first().unwrap();
            verifier.verify_server_cert(own, chain, &name, &[], at).is_ok()
        };
        for name in ["ecs.example", "a.fleet.example", "10.0.0.1", "fd00::1"] {
            assert!(is_good(name, 0), "{name}");
            assert!(is_good(name, 29), "{name}");
        }
        for name in ["example", "a.b.fleet.example", "10.0.0.2", "localhost"] {
            assert!(!is_good(name, 0), "{name}");
        }
        assert!(!is_good("ecs.example", -2));
        assert!(!is_good("ecs.example", 31));
    }
}
