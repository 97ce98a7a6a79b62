//! Who signs, and for where.

use std::fmt;
use std::sync::Arc;

use longshore_wire::sigv4;

use crate::clock::Clock;

const TOKEN_HEADER: &str = "x-amz-security-token";

/// An access key. Printing it for debugging shows nothing secret.
#[derive(Clone)]
pub struct Credentials {
    /// Public: it travels in requests.
    pub access_key_id: String,
    /// Never travels.
    pub secret_access_key: String,
    /// Of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Signs requests with a key, for a region.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Who signs.
    pub credentials: Credentials,
    /// Such as `us-east-1`.
    pub region: String,
    /// Whose time signatures bear. Clones share it.
    pub(crate) clock: Arc<Clock>,
}

impl Signer {
    /// Signs by this machine's clock, until the control plane refuses that.
    pub fn new(credentials: Credentials, region: String) -> Self {
        Self { credentials, region, clock: Arc::default() }
    }

    /// Signs a request as of now. Its headers must hold `host`.
    pub fn sign(&self, request: &sigv4::SignedRequest<'_>) -> sigv4::Signature {
        let credentials = sigv4::Credentials {
            access_key_id: &self.credentials.access_key_id,
            secret_access_key: &self.credentials.secret_access_key,
        };
        sigv4::sign(request, credentials, &self.region, "ecs", self.clock.now_secs())
    }

    /// Temporary credentials say so in a header of their own, which is to be signed.
    pub fn push_token<'a>(&'a self, headers: &mut Vec<(&'a str, &'a [u8])>) {
        if let Some(token) = &self.credentials.session_token {
            headers.push((TOKEN_HEADER, token.as_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_show_nothing_secret() {
        let credentials = Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: "hunter2".into(),
            session_token: Some("hunter3".into()),
        };
        assert_eq!(format!("{credentials:?}"), r#"Credentials { access_key_id: "AKID", .. }"#);
    }
}
