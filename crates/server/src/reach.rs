//! How other machines reach this one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The address at which other machines reach a listener on this one. Where it listens on all, that
/// is the one that this machine speaks from to the world; where it has none, loopback.
pub(crate) fn from_elsewhere(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => primary_v4().unwrap_or(Ipv4Addr::LOCALHOST.into()),
        // It takes callers of both families.
        IpAddr::V6(ip) if ip.is_unspecified() => {
            primary_v4().or_else(primary_v6).unwrap_or(Ipv6Addr::LOCALHOST.into())
        }
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

fn primary_v4() -> Option<IpAddr> {
    primary(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into())
}

fn primary_v6() -> Option<IpAddr> {
    let far = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    primary(Ipv6Addr::UNSPECIFIED.into(), far.into())
}

/// The address that this machine would speak from to that one, which is of those for documentation
/// and belongs to nobody. Nothing is sent: a datagram socket only looks up the route.
fn primary(any: IpAddr, far: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    socket.local_addr().ok().map(|it| it.ip()).filter(|it| !it.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_one_address_is_reached_there() {
        for address in ["10.0.0.1:8327", "127.0.0.1:1", "[fd00::1]:8327"] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(from_elsewhere(address), address);
        }
    }

    #[test]
    fn a_listener_on_all_addresses_is_reached_at_one_of_them() {
        for address in ["0.0.0.0:8327", "[::]:8327"] {
            let reached = from_elsewhere(address.parse().unwrap());
            assert!(!reached.ip().is_unspecified() && reached.port() == 8327, "{reached:?}");
        }
    }
}
