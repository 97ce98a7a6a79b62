//! Who may read the metrics: this machine, and whoever has the token. Prometheus signs nothing that
//! ECS's API understands.

use std::io;
use std::path::{Path, PathBuf};

use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;
use subtle::ConstantTimeEq;

use crate::private_file;

/// Too short to be guessed at, so too short to be a secret.
const MIN_CHARS: usize = 16;

/// What a proxy adds to the requests that it passes on. Behind one, all callers seem to be here.
const FORWARDED: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// How a caller came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// From this very machine.
    FromHere,
    /// From another one, in a way that nobody can listen to or that is allowed.
    FromElsewhere,
    /// From another one, in plain text, which is not spoken with it.
    InPlainText,
}

/// Why somebody may not read. The text is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "Metrics are read from the server's own machine. For others, start the server with \
         --metrics-token-file FILE and send its content: Authorization: Bearer TOKEN\n"
    )]
    NoTokenFile,
    #[error("Send the content of the server's --metrics-token-file: Authorization: Bearer TOKEN\n")]
    WrongToken,
    #[error("The server's --metrics-token-file cannot be used; its log says why.\n")]
    TokenFile,
    #[error(
        "This server speaks plain text only with its own machine. Use https:// (longshore ca \
         prints whom to trust), or start it with --plain-text.\n"
    )]
    SpeakTls,
}

impl Refused {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::NoTokenFile | Self::SpeakTls => StatusCode::FORBIDDEN,
            Self::TokenFile => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Whether this request may be answered.
pub(super) fn may(
    parts: &Parts,
    came: Came,
    token: Option<&MetricsTokenFile>,
) -> Result<(), Refused> {
    let is_forwarded = FORWARDED.iter().any(|it| parts.headers.contains_key(*it));
    match came {
        Came::InPlainText => return Err(Refused::SpeakTls),
        Came::FromHere if !is_forwarded => return Ok(()),
        Came::FromHere | Came::FromElsewhere => {}
    }
    let expected = token.ok_or(Refused::NoTokenFile)?.read().map_err(|error| {
        tracing::error!(%error, "the metrics cannot be read by anyone from elsewhere");
        Refused::TokenFile
    })?;
    let sent = parts.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let sent = sent
        .and_then(|it| it.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let sent = sent.map_or("", |(_, token)| token.trim());
    if bool::from(sent.as_bytes().ct_eq(expected.as_bytes())) {
        Ok(())
    } else {
        Err(Refused::WrongToken)
    }
}

/// Where the token is that lets others read the metrics. It is read anew each time.
#[derive(Clone, Debug)]
pub struct MetricsTokenFile {
    path: PathBuf,
}

/// Why the token's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MetricsTokenFileError {
    /// It cannot be read.
    #[error("the metrics token file {path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Others than its owner can get at it.
    #[error("the metrics token file {path} is open to others than its owner: chmod 600 {path}")]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// It holds something else.
    #[error(
        "the metrics token file {path} does not hold one line of at least 16 letters, digits and \
         signs: openssl rand -hex 32 > {path}"
    )]
    NoToken {
        /// The file.
        path: PathBuf,
    },
}

impl MetricsTokenFile {
    /// Takes the file of this path, which must be usable now.
    ///
    /// # Errors
    /// Where it cannot be read, is open to others than its owner, or holds no token.
    pub fn open(path: &Path) -> Result<Self, MetricsTokenFileError> {
        let file = Self { path: path.to_owned() };
        file.read().map(|_| file)
    }

    fn read(&self) -> Result<String, MetricsTokenFileError> {
        let path = || self.path.clone();
        let io = |source| MetricsTokenFileError::Io { path: path(), source };
        let (content, mode) = private_file::read(&self.path).map_err(io)?;
        if mode & 0o077 != 0 {
            return Err(MetricsTokenFileError::NotPrivate { path: path() });
        }
        let token = String::from_utf8(content).unwrap_or_default().trim().to_owned();
        let is_token = token.len() >= MIN_CHARS && token.bytes().all(|it| it.is_ascii_graphic());
        if is_token { Ok(token) } else { Err(MetricsTokenFileError::NoToken { path: path() }) }
    }
}
