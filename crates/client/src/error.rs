//! Why a call did not succeed.

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
            Self::NoAnswer(_) | Self::Unreadable { .. } => false,
        }
    }

    pub(crate) fn no_answer(error: &dyn std::error::Error) -> Self {
        Self::NoAnswer(causes(error))
    }

    pub(crate) fn unreadable(status: StatusCode, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body).chars().take(200).collect();
        Self::Unreadable { status, body }
    }
}

/// An error with its causes, which hyper's own text leaves out.
pub fn causes(error: &dyn std::error::Error) -> String {
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
