//! A certificate and its key that the operator keeps in files.

use std::io;
use std::path::{Path, PathBuf};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use crate::private_file;

/// Where they are.
#[derive(Clone, Debug)]
pub(super) struct CertificateFiles {
    /// The certificate, then those that lead to its authority.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What was in them.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Why they cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFilesError {
    /// One cannot be read.
    #[error("{path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The key is readable by everybody on this machine.
    #[error("the key in {0} is open to every user of this machine: chmod o= {0}")]
    KeyOpenToAll(PathBuf),
    /// There is no certificate.
    #[error("{0} holds no certificate in PEM form")]
    NoCertificate(PathBuf),
    /// There is no key.
    #[error("{0} holds no private key in PEM form")]
    NoKey(PathBuf),
    /// They are of two different makes.
    #[error("the key in {key} does not belong to the certificate in {certificate}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// TLS cannot be spoken with them.
    #[error("the certificate in {certificate} with the key in {key} cannot be used: {reason}")]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
}

impl CertificateFiles {
    /// What is in them now. A key that a group may read is the custom of some systems; one that
    /// everybody may read is an accident.
    pub(super) fn read(&self) -> Result<Contents, CertificateFilesError> {
        let (certificate, _) = read(&self.certificate)?;
        let (key, mode) = read(&self.key)?;
        if mode & 0o007 != 0 {
            return Err(CertificateFilesError::KeyOpenToAll(self.key.clone()));
        }
        Ok(Contents { certificate, key })
    }

    /// The contents as TLS uses them.
    pub(super) fn parse(
        &self,
        contents: &Contents,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, CertificateFilesError> {
        let Self { certificate, key } = self.clone();
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(&contents.certificate).collect();
        let chain = chain.ok().filter(|it| !it.is_empty());
        let Some(chain) = chain else {
            return Err(CertificateFilesError::NoCertificate(certificate));
        };
        let Ok(private_key) = PrivateKeyDer::from_pem_slice(&contents.key) else {
            return Err(CertificateFilesError::NoKey(key));
        };
        CertifiedKey::from_der(chain, private_key, provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                CertificateFilesError::Mismatch { certificate, key }
            }
            error => {
                CertificateFilesError::Unusable { certificate, key, reason: error.to_string() }
            }
        })
    }
}

/// A file's content and mode.
fn read(path: &Path) -> Result<(Vec<u8>, u32), CertificateFilesError> {
    let io = |source| CertificateFilesError::Io { path: path.to_owned(), source };
    private_file::read(path).map_err(io)
}
