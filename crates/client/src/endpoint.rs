//! Where a control plane is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::Authority;

/// `http://host:port`. Made only by parsing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Authority);

/// Why a text names no control plane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the endpoint {0:?} is not of the form http://host:port, such as http://10.0.0.1:8327 (there \
     is no TLS yet)"
)]
pub struct EndpointError(String);

impl Endpoint {
    /// Such as `127.0.0.1:8327`.
    pub fn authority(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the control plane is on this very host.
    pub fn is_local(&self) -> bool {
        let host = self.0.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
    }

    pub(crate) fn uri(&self, path: &str) -> Result<Uri, http::Error> {
        Uri::builder().scheme("http").authority(self.0.clone()).path_and_query(path).build()
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let authority = text.strip_prefix("http://").map(|it| it.strip_suffix('/').unwrap_or(it));
        let authority = authority.and_then(|it| it.parse::<Authority>().ok());
        let authority = authority.filter(|it| !it.host().is_empty() && !it.as_str().contains('@'));
        authority.map(Self).ok_or_else(|| EndpointError(text.into()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn only_plain_http_without_a_path_is_understood() {
        for text in [
            "",
            "a:1",
            "http://",
            "/x",
            "https://a:1",
            "http://a/b",
            "http://a//",
            "http://:80",
            "http://user@a:1",
            "http://a:1?x",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_slash_is_left_out() {
        assert_eq!(endpoint("http://10.0.0.1:8327/").authority(), "10.0.0.1:8327");
        assert_eq!(endpoint("http://10.0.0.1:8327/").to_string(), "http://10.0.0.1:8327");
    }

    #[test]
    fn a_local_control_plane_is_recognised() {
        assert!(endpoint("http://127.0.0.1:80").is_local());
        assert!(endpoint("http://[::1]:80").is_local());
        assert!(endpoint("http://localhost:80").is_local());
        assert!(!endpoint("http://10.0.0.1:80").is_local());
    }
}
