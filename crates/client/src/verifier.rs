//! Whether a server is whom the client means to speak to.

use std::sync::Arc;

use longshore_wire::Fingerprint;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::trust::Roots;

/// Checks signature, name and dates of a server's certificate, starting from the roots given.
#[derive(Debug)]
pub(crate) struct Verifier {
    roots: Roots,
    provider: Arc<CryptoProvider>,
}

/// What rustls has no word for.
#[derive(Debug, thiserror::Error)]
enum Stranger {
    #[error(
        "the server's certificate comes from no authority that is trusted here: name the server's \
         with --ca-file or --ca-fingerprint"
    )]
    Unknown,
    #[error(
        "the server shows no certificate authority of the fingerprint {expected}; it shows {shown}"
    )]
    Fingerprint { expected: Fingerprint, shown: String },
    #[error("the certificate of the authority cannot be used: {0}")]
    Authority(String),
}

impl From<Stranger> for Error {
    fn from(stranger: Stranger) -> Self {
        Self::Other(OtherError(Arc::new(stranger)))
    }
}

impl Verifier {
    pub(crate) fn new(roots: Roots, provider: Arc<CryptoProvider>) -> Self {
        Self { roots, provider }
    }

    /// The authorities that may have signed for whoever shows these.
    fn authorities(&self, shown: &[CertificateDer<'_>]) -> Result<Arc<RootCertStore>, Error> {
        let expected = match &self.roots {
            Roots::Store(roots) => return Ok(Arc::clone(roots)),
            Roots::Fingerprint(expected) => *expected,
        };
        let Some(authority) = shown.iter().find(|it| Fingerprint::of(it) == expected) else {
            let shown: Vec<_> = shown.iter().map(|it| Fingerprint::of(it).to_string()).collect();
            let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
            return Err(Stranger::Fingerprint { expected, shown }.into());
        };
        let mut roots = RootCertStore::empty();
        roots
            .add(authority.clone().into_owned())
            .map_err(|error| Stranger::Authority(error.to_string()))?;
        Ok(Arc::new(roots))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let roots = self.authorities(intermediates)?;
        let provider = Arc::clone(&self.provider);
        let verified = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| Stranger::Authority(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => Stranger::Unknown.into(),
            error => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
