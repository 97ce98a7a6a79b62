//! Who calls: signature version 4 on every request and every agent's handshake.

use http::HeaderMap;
use http::request::Parts;
use longshore_wire::sigv4::{SigV4Error, SignedRequest, Verifier};

use super::exception::Exception;
use crate::root_key::RootKey;

/// Lets through what the root access key has signed.
pub(crate) struct Gate {
    verifier: Verifier,
    root_key: RootKey,
}

impl Gate {
    pub(crate) fn new(root_key: RootKey) -> Self {
        Self { verifier: Verifier::new("ecs"), root_key }
    }

    /// Checks a request received at this time, in seconds since the epoch.
    pub(crate) fn check(&self, parts: &Parts, body: &[u8], now_secs: i64) -> Result<(), Exception> {
        let headers = header_pairs(&parts.headers);
        let request = SignedRequest {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &headers,
            body,
        };
        let secret_of = |access_key_id: &str| {
            (access_key_id == self.root_key.access_key_id)
                .then_some(self.root_key.secret_access_key.as_str())
        };
        self.verifier.verify(&request, now_secs, secret_of).map(drop).map_err(Exception::from)
    }
}

fn header_pairs(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

impl From<SigV4Error> for Exception {
    fn from(error: SigV4Error) -> Self {
        let message = error.to_string();
        match error {
            SigV4Error::MissingAuthenticationToken(_) => Self::missing_token(message),
            SigV4Error::IncompleteSignature(_) => Self::incomplete_signature(message),
            SigV4Error::UnrecognizedClient => Self::unrecognized_client(message),
            SigV4Error::InvalidSignature(_) => Self::invalid_signature(message),
        }
    }
}
