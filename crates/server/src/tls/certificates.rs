//! The certificate that is shown now, and the next.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::{error, info};

use super::TlsError;
use super::authority::Authority;
use super::files::{CertificateFiles, Contents};
use super::names::{self, TlsName};

const DAY_SECS: i64 = 24 * 60 * 60;

/// Where certificates come from.
#[derive(Debug)]
pub(super) enum Source {
    Files(CertificateFiles),
    Authority { authority: Box<Authority>, names: Vec<TlsName>, port: u16 },
}

/// What a certificate was made from. Another basis, another certificate.
#[derive(PartialEq, Eq)]
enum Basis {
    Files(Contents),
    Authority { names: Vec<TlsName>, day: i64 },
}

/// Shows clients the newest certificate, whatever name they ask for.
pub(super) struct Certificates {
    source: Source,
    /// Also of an attempt that failed, so that it is not made again.
    basis: Mutex<Option<Basis>>,
    shown: RwLock<Arc<CertifiedKey>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Certificates {
    pub(super) fn open(
        source: Source,
        provider: &CryptoProvider,
        now_secs: i64,
    ) -> Result<Self, TlsError> {
        let basis = source.basis(now_secs)?;
        let shown = RwLock::new(Arc::new(source.make(&basis, provider, now_secs)?));
        Ok(Self { source, basis: Mutex::new(Some(basis)), shown })
    }

    pub(super) fn authority(&self) -> Option<&Authority> {
        match &self.source {
            Source::Files(_) => None,
            Source::Authority { authority, .. } => Some(authority),
        }
    }

    /// Makes or reads a new certificate where there is a new basis. One that cannot be used is said
    /// once, and the old one goes on.
    pub(super) fn renew(&self, provider: &CryptoProvider, now_secs: i64) {
        let mut known = self.basis.lock().unwrap_or_else(PoisonError::into_inner);
        let basis = match self.source.basis(now_secs) {
            Ok(basis) if known.as_ref() == Some(&basis) => return,
            Ok(basis) => basis,
            Err(error) => {
                if known.take().is_some() {
                    error!(%error, "the certificate cannot be renewed: the old one is kept");
                }
                return;
            }
        };
        match self.source.make(&basis, provider, now_secs) {
            Ok(certificate) => {
                let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
                *shown = Arc::new(certificate);
                info!("the certificate is a new one");
            }
            Err(error) => error!(%error, "the certificate cannot be renewed: the old one is kept"),
        }
        *known = Some(basis);
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Source {
    fn basis(&self, now_secs: i64) -> Result<Basis, TlsError> {
        Ok(match self {
            Self::Files(files) => Basis::Files(files.read()?),
            Self::Authority { names, .. } => Basis::Authority {
                names: names::of_this_machine(names),
                day: now_secs.div_euclid(DAY_SECS),
            },
        })
    }

    fn make(
        &self,
        basis: &Basis,
        provider: &CryptoProvider,
        now_secs: i64,
    ) -> Result<CertifiedKey, TlsError> {
        Ok(match (self, basis) {
            (Self::Files(files), Basis::Files(contents)) => files.parse(contents, provider)?,
            (Self::Authority { authority, port, .. }, Basis::Authority { names, .. }) => {
                authority.issue(names, *port, now_secs, provider)?
            }
            _ => unreachable!("a source's basis is of its own kind"),
        })
    }
}

#[cfg(test)]
mod tests;
