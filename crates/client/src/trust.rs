//! Whom a client believes.

use std::path::PathBuf;
use std::sync::Arc;

use longshore_wire::Fingerprint;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// The authorities that a server's certificate may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those of the operating system. `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    #[default]
    System,
    /// Those in this file, in PEM, and no others.
    File(PathBuf),
    /// The one whose certificate has this fingerprint, and no other. The server shows the
    /// certificate itself.
    Fingerprint(Fingerprint),
}

/// Why there is nobody to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read as certificates.
    #[error("the certificates in {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: pem::Error,
    },
    /// It can, but there is no certificate of an authority in it.
    #[error("{0} holds no certificate of an authority in PEM form")]
    NoCertificate(PathBuf),
    /// The system names none.
    #[error(
        "this system trusts no certificate authority: install ca-certificates, or name the \
         authority of the control plane"
    )]
    NoSystemRoots,
}

/// What a verifier starts from.
#[derive(Clone, Debug)]
pub(crate) enum Roots {
    Store(Arc<RootCertStore>),
    Fingerprint(Fingerprint),
}

impl Trust {
    pub(crate) fn load(&self) -> Result<Roots, TrustError> {
        match self {
            Self::Fingerprint(fingerprint) => Ok(Roots::Fingerprint(*fingerprint)),
            Self::File(path) => {
                let unreadable = |source| TrustError::Unreadable { path: path.clone(), source };
                let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
                    .and_then(Iterator::collect)
                    .map_err(unreadable)?;
                store(certificates).ok_or_else(|| TrustError::NoCertificate(path.clone()))
            }
            Self::System => {
                let found = rustls_native_certs::load_native_certs();
                store(found.certs).ok_or(TrustError::NoSystemRoots)
            }
        }
    }
}

/// `None` without any. A system has hundreds, and one that cannot be read is no reason to do
/// without the others.
fn store(certificates: Vec<CertificateDer<'static>>) -> Option<Roots> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    (!roots.is_empty()).then(|| Roots::Store(Arc::new(roots)))
}
