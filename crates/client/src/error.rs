//! Why a call did not succeed.

use std::error::Error;
use std::io;

use http::StatusCode;
use longshore_wire::ErrorBody;

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The control plane answered with an exception: it did nothing.
    #[error("{error} (HTTP {status})")]
    Refused {
        /// HTTP's.
        status: StatusCode,
        /// ECS's.
        error: ErrorBody,
    },
    /// Nobody answered, or not in time. What was asked for may or may not have happened.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Who answered is not to be believed: its certificate is not one for this endpoint by anybody
    /// who is trusted.
    #[error("no answer: {0}")]
    Untrusted(String),
    /// The answer is none that ECS gives.
    #[error("an answer that cannot be read (HTTP {status}): {body}")]
    Unreadable {
        /// HTTP's.
        status: StatusCode,
        /// Its beginning.
        body: String,
    },
}

impl CallError {
    /// Whether another attempt cannot succeed until somebody changes something.
    pub fn is_final(&self) -> bool {
        const PASSING: [&str; 3] =
            ["ThrottlingException", "ServerException", "LimitExceededException"];
        match self {
            Self::Refused { status, error } => {
                status.is_client_error() && !PASSING.contains(&error.code.as_str())
            }
            Self::NoAnswer(_) | Self::Untrusted(_) | Self::Unreadable { .. } => false,
        }
    }

    pub(crate) fn no_answer(error: &(dyn Error + 'static)) -> Self {
        let text = causes(error);
        if is_about_a_certificate(error) { Self::Untrusted(text) } else { Self::NoAnswer(text) }
    }

    pub(crate) fn unreadable(status: StatusCode, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body).chars().take(200).collect();
        Self::Unreadable { status, body }
    }
}

/// Whether a server's certificate was looked at and refused.
fn is_about_a_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(it) = next {
        if let Some(tls) = it.downcast_ref::<rustls::Error>() {
            // What the verifier finds beside rustls's own errors is another one.
            return matches!(tls, rustls::Error::InvalidCertificate(_) | rustls::Error::Other(_));
        }
        // Of an input or output error the source is that of what it holds.
        let held = it.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|it| it as &(dyn Error + 'static)).or_else(|| it.source());
    }
    false
}

/// An error with its causes, which hyper's own text leaves out.
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        text = format!("{text}: {it}");
        cause = it.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_control_plane_refuses_for_good_is_final() {
        let refused = |status, code| CallError::Refused { status, error: ErrorBody::new(code, "") };
        assert!(refused(StatusCode::BAD_REQUEST, "ClientException").is_final());
        assert!(!refused(StatusCode::BAD_REQUEST, "ThrottlingException").is_final());
        assert!(!refused(StatusCode::INTERNAL_SERVER_ERROR, "ServerException").is_final());
        assert!(!CallError::NoAnswer("refused".into()).is_final());
        assert!(!CallError::unreadable(StatusCode::BAD_GATEWAY, b"<html>").is_final());
    }
}
