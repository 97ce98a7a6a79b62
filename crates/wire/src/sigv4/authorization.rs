//! The `Authorization` header, taken apart.

use std::fmt;

use super::{ALGORITHM, SigV4Error};

/// What a signature is good for, written `20150830/us-east-1/ecs/aws4_request`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    /// Such as `20150830`.
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// `AWS4-HMAC-SHA256 Credential=KEY/SCOPE, SignedHeaders=a;b, Signature=HEX`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub(super) access_key: &'a str,
    pub(super) scope: Scope<'a>,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(super) fn parse(header: &'a [u8]) -> Result<Self, SigV4Error> {
        let header = std::str::from_utf8(header)
            .map_err(|_| incomplete("Authorization header is not text."))?
            .trim();
        let (algorithm, parameters) = header.split_once(' ').unwrap_or((header, ""));
        if algorithm != ALGORITHM {
            return Err(incomplete(&format!("Authorization header requires '{ALGORITHM}'.")));
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for parameter in parameters.split(',').map(str::trim) {
            let place = match parameter.split_once('=') {
                Some(("Credential", value)) => credential.replace(value),
                Some(("SignedHeaders", value)) => signed_headers.replace(value),
                Some(("Signature", value)) => signature.replace(value),
                _ => continue,
            };
            if place.is_some() {
                return Err(incomplete("Authorization header has a parameter twice."));
            }
        }
        let (access_key, scope) = parse_credential(required(credential, "Credential")?)?;
        Ok(Self {
            access_key,
            scope,
            signed_headers: required(signed_headers, "SignedHeaders")?,
            signature: required(signature, "Signature")?,
        })
    }
}

fn parse_credential(credential: &str) -> Result<(&str, Scope<'_>), SigV4Error> {
    // The access key comes last from the right: nothing forbids a slash in it.
    let mut parts = credential.rsplitn(5, '/');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (Some(terminator), Some(service), Some(region), Some(date), Some(access_key)) =
        (next(), next(), next(), next(), next())
    else {
        return Err(incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term.",
        ));
    };
    if terminator != "aws4_request" {
        return Err(SigV4Error::InvalidSignature(
            "Credential should be scoped with a valid terminator: 'aws4_request'.".to_owned(),
        ));
    }
    Ok((access_key, Scope { date, region, service }))
}

fn required<'a>(parameter: Option<&'a str>, name: &str) -> Result<&'a str, SigV4Error> {
    parameter
        .filter(|value| !value.is_empty())
        .ok_or_else(|| incomplete(&format!("Authorization header requires '{name}' parameter.")))
}

fn incomplete(message: &str) -> SigV4Error {
    SigV4Error::IncompleteSignature(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_taken_apart_whatever_its_spaces() {
        let expect = Authorization {
            access_key: "AK",
            scope: Scope { date: "20150830", region: "us-east-1", service: "ecs" },
            signed_headers: "host;x-amz-date",
            signature: "abc",
        };
        for header in [
            "AWS4-HMAC-SHA256 Credential=AK/20150830/us-east-1/ecs/aws4_request, SignedHeaders=host;x-amz-date, Signature=abc",
            "AWS4-HMAC-SHA256 Signature=abc,SignedHeaders=host;x-amz-date,Credential=AK/20150830/us-east-1/ecs/aws4_request",
        ] {
            assert_eq!(Authorization::parse(header.as_bytes()), Ok(expect));
        }
        assert_eq!(expect.scope.to_string(), "20150830/us-east-1/ecs/aws4_request");
    }

    #[test]
    fn what_is_malformed_is_said() {
        for (header, message) in [
            ("", "Authorization header requires 'AWS4-HMAC-SHA256'."),
            ("Basic dXNlcg==", "Authorization header requires 'AWS4-HMAC-SHA256'."),
            ("AWS4-HMAC-SHA256", "Authorization header requires 'Credential' parameter."),
            (
                "AWS4-HMAC-SHA256 Credential=AK/d/r/ecs/aws4_request, Signature=a",
                "Authorization header requires 'SignedHeaders' parameter.",
            ),
            (
                "AWS4-HMAC-SHA256 Credential=AK/d/r/ecs/aws4_request, SignedHeaders=host, Signature=",
                "Authorization header requires 'Signature' parameter.",
            ),
            (
                "AWS4-HMAC-SHA256 Credential=AK/ecs/aws4_request, SignedHeaders=host, Signature=a",
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term.",
            ),
            (
                "AWS4-HMAC-SHA256 Signature=a, Signature=b",
                "Authorization header has a parameter twice.",
            ),
        ] {
            let error = SigV4Error::IncompleteSignature(message.to_owned());
            assert_eq!(Authorization::parse(header.as_bytes()), Err(error), "{header}");
        }
    }

    #[test]
    fn another_terminator_is_refused() {
        let header = b"AWS4-HMAC-SHA256 Credential=AK/d/r/ecs/aws5, SignedHeaders=a, Signature=a";
        assert!(matches!(
            Authorization::parse(header),
            Err(SigV4Error::InvalidSignature(message)) if message.contains("terminator")
        ));
    }
}
