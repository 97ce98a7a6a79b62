//! What this machine is called.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use rustls::pki_types::DnsName;

/// A name or an address that a server is reached by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsName {
    /// A host name; `*.` at its beginning stands for one label.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

/// The text is neither.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name is a host name such as ecs.example, *.example, or an IP address")]
pub struct TlsNameError;

impl FromStr for TlsName {
    type Err = TlsNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let host = text.strip_prefix("*.").unwrap_or(text);
        DnsName::try_from(host).map_err(|_| TlsNameError)?;
        Ok(Self::Dns(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for TlsName {
    /// As it stands in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(address)) => address.fmt(f),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// The host's name, loopback, and the addresses of all interfaces, as they are now; and those
/// given. Sorted, each once.
pub(super) fn of_this_machine(given: &[TlsName]) -> Vec<TlsName> {
    let mut names = given.to_vec();
    names.push(TlsName::Dns("localhost".into()));
    names.push(TlsName::Ip(Ipv4Addr::LOCALHOST.into()));
    names.push(TlsName::Ip(Ipv6Addr::LOCALHOST.into()));
    let host = rustix::system::uname();
    names.extend(host.nodename().to_str().ok().and_then(|it| it.parse().ok()));
    // Without them there are the other names.
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    names.extend(interfaces.iter().filter(|it| !it.is_link_local()).map(|it| TlsName::Ip(it.ip())));
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        let shown = |text: &str| text.parse::<TlsName>().map(|it| it.to_string());
        assert_eq!(shown("ECS.example").unwrap(), "ecs.example");
        assert_eq!(shown("*.example").unwrap(), "*.example");
        assert_eq!(shown("10.0.0.1").unwrap(), "10.0.0.1");
        assert_eq!(shown("fd00::1").unwrap(), "[fd00::1]");
        for text in ["", "*", "a b", "a:1", "https://a", "*.*.a", "-a"] {
            assert_eq!(shown(text), Err(TlsNameError), "{text}");
        }
    }

    #[test]
    fn a_machine_is_called_by_loopback_and_whatever_else_it_is_told() {
        let given: TlsName = "ecs.example".parse().unwrap();
        let names = of_this_machine(std::slice::from_ref(&given));
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert!(names.contains(&name.parse().unwrap()), "{name} of {names:?}");
        }
        assert!(names.contains(&given));
    }
}
