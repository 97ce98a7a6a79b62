//! Who sent this? The server's side of the signature.

use subtle::ConstantTimeEq;

use super::authorization::{Authorization, Scope};
use super::canonical::{self, CanonicalHeaders};
use super::date::BasicDate;
use super::key::{KeyCache, SigningKey};
use super::{SignedRequest, is_amz_header};

/// How far a request's date may lie from ours, either way.
const MAX_SKEW_MINUTES: i64 = 15;

/// More than any client signs.
const MAX_SIGNED_HEADERS: usize = 100;

/// Why a request's signature was not accepted. Each kind is an exception of AWS's front end and
/// holds its message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigV4Error {
    /// No `Authorization` header: `MissingAuthenticationTokenException`.
    #[error("{0}")]
    MissingAuthenticationToken(String),
    /// The header cannot be read: `IncompleteSignatureException`.
    #[error("{0}")]
    IncompleteSignature(String),
    /// The access key is not known: `UnrecognizedClientException`.
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    /// The signature is another one, too old, or covers too little: `InvalidSignatureException`.
    #[error("{0}")]
    InvalidSignature(String),
    /// The request's date is far from ours: `InvalidSignatureException`, too.
    #[error("{message}")]
    OutOfTime {
        /// The exception's.
        message: String,
        /// Who says to have signed; nothing proves it.
        access_key_id: String,
        /// By how much the sender's clock is ahead of ours, in seconds.
        ahead_secs: i64,
    },
}

impl SigV4Error {
    /// The exception's name on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken(_) => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::InvalidSignature(_) | Self::OutOfTime { .. } => "InvalidSignatureException",
        }
    }
}

/// What an accepted signature proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    /// Whose secret signed the request.
    pub access_key_id: &'a str,
    /// The region that the caller thinks to be in.
    pub region: &'a str,
}

/// Verifies requests to one service, in whatever region callers sign for, and remembers the keys
/// of recent callers.
pub struct Verifier {
    service: &'static str,
    keys: KeyCache,
}

impl Verifier {
    /// A verifier for requests scoped to `service`, such as `ecs`.
    pub fn new(service: &'static str) -> Self {
        Self { service, keys: KeyCache::default() }
    }

    /// Checks a request received at `now_secs` (seconds since the epoch). `secret_of` gives the
    /// secret of an access key, if there is one.
    ///
    /// # Errors
    /// [`SigV4Error`] unless the whole request was signed with that secret within the last (or
    /// next) 15 minutes. A session token must be signed like every `x-amz-*` header but is not
    /// looked at.
    pub fn verify<'a, S: AsRef<str>>(
        &self,
        request: &SignedRequest<'a>,
        now_secs: i64,
        secret_of: impl FnOnce(&str) -> Option<S>,
    ) -> Result<Verified<'a>, SigV4Error> {
        let authorization = Authorization::parse(authorization_header(request)?)?;
        let date = signing_date(request)?;
        let scope = authorization.scope;
        self.check_scope(scope, date)?;
        check_skew(date, now_secs, authorization.access_key)?;
        let names: Vec<&str> = authorization.signed_headers.split(';').collect();
        check_signed_headers(request, &names)?;

        let access_key = authorization.access_key;
        let secret = secret_of(access_key).ok_or(SigV4Error::UnrecognizedClient)?;
        let secret = secret.as_ref();
        let cached = self.keys.get(access_key, secret, scope);
        let key = cached.unwrap_or_else(|| SigningKey::derive(secret, scope));

        let signed = CanonicalHeaders { list: authorization.signed_headers, names: &names };
        let expected = key.sign(date.as_str(), scope, canonical::hash(request, signed));
        let mut given = [0; 32];
        let is_hex = hex::decode_to_slice(authorization.signature, &mut given).is_ok();
        if !is_hex || !bool::from(expected.ct_eq(&given)) {
            return Err(invalid(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.",
            ));
        }
        if cached.is_none() {
            self.keys.put(access_key, secret, scope, key);
        }
        Ok(Verified { access_key_id: access_key, region: scope.region })
    }

    fn check_scope(&self, scope: Scope<'_>, date: BasicDate) -> Result<(), SigV4Error> {
        if scope.service != self.service {
            let service = self.service;
            return Err(invalid(&format!(
                "Credential should be scoped to correct service: '{service}'."
            )));
        }
        if scope.date != date.day() {
            let (given, day) = (scope.date, date.day());
            return Err(invalid(&format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{given}' != '{day}', from '{date}'."
            )));
        }
        Ok(())
    }
}

fn authorization_header<'a>(request: &SignedRequest<'a>) -> Result<&'a [u8], SigV4Error> {
    let mut found = header_values(request, "authorization");
    match (found.next(), found.next()) {
        (Some(header), None) => Ok(header),
        (Some(_), Some(_)) => {
            Err(SigV4Error::IncompleteSignature("Authorization header was sent twice.".to_owned()))
        }
        (None, _) if is_presigned(request.query) => Err(SigV4Error::MissingAuthenticationToken(
            "Signatures in the query string are not supported: send an Authorization header."
                .to_owned(),
        )),
        (None, _) => {
            Err(SigV4Error::MissingAuthenticationToken("Missing Authentication Token".to_owned()))
        }
    }
}

fn is_presigned(query: &str) -> bool {
    let names = query.split('&').map(|parameter| parameter.split('=').next().unwrap_or_default());
    names.into_iter().any(|name| name.eq_ignore_ascii_case("x-amz-signature"))
}

/// `x-amz-date`, or `Date` where that is missing.
fn signing_date(request: &SignedRequest<'_>) -> Result<BasicDate, SigV4Error> {
    let mut amz_dates = header_values(request, "x-amz-date");
    let date = match (amz_dates.next(), amz_dates.next()) {
        (Some(date), None) => BasicDate::parse_basic(date),
        (Some(_), Some(_)) => None,
        (None, _) => header_values(request, "date")
            .next()
            .and_then(|date| BasicDate::parse_http(date).or_else(|| BasicDate::parse_basic(date))),
    };
    date.ok_or_else(|| {
        SigV4Error::IncompleteSignature(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header, \
             holding a valid date."
                .to_owned(),
        )
    })
}

fn check_skew(date: BasicDate, now_secs: i64, access_key: &str) -> Result<(), SigV4Error> {
    let out_of_time = |message: String| SigV4Error::OutOfTime {
        message,
        access_key_id: access_key.to_owned(),
        ahead_secs: date.unix_secs() - now_secs,
    };
    let skew = MAX_SKEW_MINUTES * 60;
    let now = BasicDate::from_unix(now_secs);
    let earliest = BasicDate::from_unix(now.unix_secs() - skew);
    let latest = BasicDate::from_unix(now.unix_secs() + skew);
    if date.unix_secs() < earliest.unix_secs() {
        return Err(out_of_time(format!(
            "Signature expired: {date} is now earlier than {earliest} ({now} - \
             {MAX_SKEW_MINUTES} min.)"
        )));
    }
    if date.unix_secs() > latest.unix_secs() {
        return Err(out_of_time(format!(
            "Signature not yet current: {date} is still later than {latest} ({now} + \
             {MAX_SKEW_MINUTES} min.)"
        )));
    }
    Ok(())
}

/// A signature counts only if it covers what gives the request its meaning.
fn check_signed_headers(request: &SignedRequest<'_>, names: &[&str]) -> Result<(), SigV4Error> {
    if names.len() > MAX_SIGNED_HEADERS {
        return Err(SigV4Error::IncompleteSignature("Too many signed headers.".to_owned()));
    }
    let is_signed = |name: &str| names.iter().any(|it| it.eq_ignore_ascii_case(name));
    let has_amz_date = header_values(request, "x-amz-date").next().is_some();
    let date = if has_amz_date { "x-amz-date" } else { "date" };
    let amz = request.headers.iter().map(|(name, _)| *name).filter(|name| is_amz_header(name));
    if let Some(name) = ["host", date].into_iter().chain(amz).find(|name| !is_signed(name)) {
        return Err(invalid(&format!(
            "'{name}' must be a 'SignedHeader' in the AWS Authorization."
        )));
    }
    if let Some(name) = names.iter().find(|name| header_values(request, name).next().is_none()) {
        return Err(invalid(&format!("The signed header '{name}' was not sent.")));
    }
    Ok(())
}

fn header_values<'a>(request: &SignedRequest<'a>, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let headers = request.headers;
    headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name)).map(|&(_, value)| value)
}

fn invalid(message: &str) -> SigV4Error {
    SigV4Error::InvalidSignature(message.to_owned())
}
