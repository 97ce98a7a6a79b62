//! AWS Signature Version 4, both sides: agents and our own clients sign, the API verifies.
//!
//! Only the `Authorization` header is understood; presigned queries are refused. The body is hashed
//! as received, so a request is verified before anything in it is believed.
//!
//! Source: "Create a signed AWS API request", AWS IAM User Guide.

mod authorization;
mod canonical;
mod date;
mod key;
mod verify;

pub use verify::{SigV4Error, Verified, Verifier};

use authorization::Scope;
use canonical::CanonicalHeaders;
use date::BasicDate;
use key::SigningKey;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Seconds since the epoch of a `Date` header, such as that of an answer.
pub fn http_date_secs(value: &[u8]) -> Option<i64> {
    BasicDate::parse_http(value).map(BasicDate::unix_secs)
}

/// A request as signatures see it.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// The path as sent, percent-encoded, without the query.
    pub path: &'a str,
    /// The query as sent, without the `?`.
    pub query: &'a str,
    /// Names in any case, in the order sent; a name may repeat.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body as sent.
    pub body: &'a [u8],
}

/// Who signs.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// Public: it travels in the request.
    pub access_key_id: &'a str,
    /// Never travels.
    pub secret_access_key: &'a str,
}

/// The two headers that signing adds to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Value of `x-amz-date`.
    pub amz_date: String,
    /// Value of `authorization`.
    pub authorization: String,
}

/// Signs a request at `now_secs` (seconds since the epoch). Its headers must hold `host`; signed are
/// `host`, `content-type` and every `x-amz-*`, since proxies may change others.
pub fn sign(
    request: &SignedRequest<'_>,
    credentials: Credentials<'_>,
    region: &str,
    service: &str,
    now_secs: i64,
) -> Signature {
    let date = BasicDate::from_unix(now_secs);
    let amz_date = date.to_string();
    let mut headers: Vec<(&str, &[u8])> = request
        .headers
        .iter()
        .copied()
        .filter(|(name, _)| is_signed(name) && !name.eq_ignore_ascii_case("x-amz-date"))
        .collect();
    headers.push(("x-amz-date", amz_date.as_bytes()));
    let request = SignedRequest { headers: &headers, ..*request };

    let mut names: Vec<String> =
        headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    let signed_headers = names.join(";");
    let scope = Scope { date: date.day(), region, service };
    let key = SigningKey::derive(credentials.secret_access_key, scope);
    let canonical_hash =
        canonical::hash(&request, CanonicalHeaders { list: &signed_headers, names: &names });
    let signature = hex::encode(key.sign(&amz_date, scope, canonical_hash));
    let access_key = credentials.access_key_id;
    Signature {
        authorization: format!(
            "{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={signed_headers}, \
             Signature={signature}"
        ),
        amz_date,
    }
}

fn is_signed(name: &str) -> bool {
    name.eq_ignore_ascii_case("host")
        || name.eq_ignore_ascii_case("content-type")
        || is_amz_header(name)
}

fn is_amz_header(name: &str) -> bool {
    name.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("x-amz-"))
}

#[cfg(test)]
mod tests;
