//! A join token as text: what a machine needs to know to join, in one word that can be pasted into
//! any shell.
//!
//! `lsj1_` says what it is and in which version; after it comes JSON in the alphabet of URLs. JSON
//! so that it can grow; whoever reads it passes over members that it does not know.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::Fingerprint;

const PREFIX: &str = "lsj1_";
const FAMILY: &str = "lsj";

/// Longer than any that is made.
const MAX_LEN: usize = 4096;

/// What a machine needs to know to join.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinToken {
    /// Where the control plane is; the first that answers is taken. Such as `https://10.0.0.1:8327`.
    #[serde(rename = "e")]
    pub endpoints: Vec<String>,
    /// The access key id to sign with.
    #[serde(rename = "i")]
    pub id: String,
    /// The secret that belongs to it.
    #[serde(rename = "s")]
    pub secret: String,
    /// Of the control plane's certificate authority, where it has its own.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub ca_fingerprint: Option<Fingerprint>,
}

/// Why a text is no join token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinTokenError {
    /// Something else.
    #[error("this is no join token: one begins with {PREFIX} (longshore token create makes it)")]
    NotAToken,
    /// Of a version that is not known here.
    #[error("this join token was made by a newer Longshore than this one: use the same version")]
    Newer,
    /// A part is missing or altered.
    #[error("this join token is damaged: copy it whole, from {PREFIX} to its end, as one word")]
    Damaged,
}

impl FromStr for JoinToken {
    type Err = JoinTokenError;

    fn from_str(text: &str) -> Result<Self, JoinTokenError> {
        let text = text.trim();
        let Some(encoded) = text.strip_prefix(PREFIX) else {
            let version = text.strip_prefix(FAMILY).and_then(|it| it.split_once('_'));
            let is_newer = version.is_some_and(|(it, _)| it.parse::<u32>().is_ok());
            return Err(if is_newer { JoinTokenError::Newer } else { JoinTokenError::NotAToken });
        };
        if text.len() > MAX_LEN {
            return Err(JoinTokenError::Damaged);
        }
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| JoinTokenError::Damaged)?;
        let token: Self = serde_json::from_slice(&json).map_err(|_| JoinTokenError::Damaged)?;
        let is_whole = !token.endpoints.is_empty() && !token.id.is_empty();
        if is_whole { Ok(token) } else { Err(JoinTokenError::Damaged) }
    }
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoints, id, .. } = self;
        f.debug_struct("JoinToken")
            .field("endpoints", endpoints)
            .field("id", id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> JoinToken {
        JoinToken {
            endpoints: vec!["https://10.0.0.1:8327".into()],
            id: "LSJT0123456789ABCDEF0123456789ABCDEF".into(),
            secret: "0f".repeat(32),
            ca_fingerprint: None,
        }
    }

    /// Tokens are given from one version to another, so this may never change.
    const TEXT: &str = "lsj1_eyJlIjpbImh0dHBzOi8vMTAuMC4wLjE6ODMyNyJdLCJpIjoiTFNKVDAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5QUJDREVGIiwicyI6IjBmMGYwZjBmMGYwZjBmMGYwZjBmMGYwZjBmMGYwZjBmMGYwZjBmMGYwZjBmMGYwZjBmMGYwZjBmMGYwZjBmMGYifQ";

    #[test]
    fn a_token_is_one_word_that_is_read_back() {
        assert_eq!(token().to_string(), TEXT);
        assert_eq!(TEXT.parse(), Ok(token()));
        assert_eq!(format!("  {TEXT}\n").parse(), Ok(token()));
        let plain = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
        assert!(TEXT.chars().all(plain), "no shell changes it");
        let with_ca = JoinToken { ca_fingerprint: Some(Fingerprint::of(b"ab")), ..token() };
        assert_eq!(with_ca.to_string().parse(), Ok(with_ca));
    }

    #[test]
    fn members_of_later_versions_are_passed_over() {
        let json = r#"{"e":["http://a:1"],"i":"LSJT1","s":"x","z":{"new":[1]}}"#;
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json));
        assert_eq!(text.parse::<JoinToken>().unwrap().endpoints, ["http://a:1"]);
    }

    #[test]
    fn what_is_cut_off_or_altered_or_something_else_is_told_apart() {
        for cut in PREFIX.len()..TEXT.len() {
            let text = TEXT.get(..cut).unwrap();
            assert_eq!(text.parse::<JoinToken>(), Err(JoinTokenError::Damaged), "{text}");
        }
        for text in ["", "lsj", "lsj_", "AKIA123", "lsjx_abc", "--help"] {
            assert_eq!(text.parse::<JoinToken>(), Err(JoinTokenError::NotAToken), "{text}");
        }
        assert_eq!("lsj2_abc".parse::<JoinToken>(), Err(JoinTokenError::Newer));
        let long = format!("{PREFIX}{}", "A".repeat(MAX_LEN));
        assert_eq!(long.parse::<JoinToken>(), Err(JoinTokenError::Damaged));
    }

    #[test]
    fn debugging_shows_nothing_secret() {
        assert!(!format!("{:?}", token()).contains("0f0f"));
    }
}
