//! Where a control plane is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::Authority;

/// `https://host:port` or `http://host:port`. Made only by parsing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
}

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In plain text.
    Http,
    /// By TLS.
    Https,
}

/// Why a text names no control plane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the endpoint {0:?} is not of the form https://host:port or http://host:port, such as \
     https://10.0.0.1:8327"
)]
pub struct EndpointError(String);

impl Endpoint {
    /// Such as `127.0.0.1:8327`.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// How it is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether the control plane is on this very host.
    pub fn is_local(&self) -> bool {
        let host = self.authority.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
    }

    /// A URL below it; a path begins with a slash.
    pub fn uri(&self, path: &str) -> Result<Uri, http::Error> {
        let (scheme, authority) = (self.scheme.as_str(), self.authority.clone());
        Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build()
    }
}

impl Scheme {
    /// As it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unusable = || EndpointError(text.into());
        let (scheme, rest) = text.split_once("://").ok_or_else(unusable)?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(unusable()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest).parse::<Authority>().ok();
        let authority = authority.filter(|it| !it.host().is_empty() && !it.as_str().contains('@'));
        Ok(Self { scheme, authority: authority.ok_or_else(unusable)? })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn whatever_is_no_http_or_has_a_path_is_refused() {
        for text in [
            "",
            "a:1",
            "http://",
            "/x",
            "ws://a:1",
            "https://",
            "https://a/b",
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
        assert_eq!(endpoint("https://ecs.example/").to_string(), "https://ecs.example");
    }

    #[test]
    fn a_local_control_plane_is_recognised() {
        assert!(endpoint("http://127.0.0.1:80").is_local());
        assert!(endpoint("http://[::1]:80").is_local());
        assert!(endpoint("http://localhost:80").is_local());
        assert!(!endpoint("http://10.0.0.1:80").is_local());
    }
}
