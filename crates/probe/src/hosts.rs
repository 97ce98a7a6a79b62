//! Names from `/etc/hosts`, where Docker writes the links of a container.

use std::net::IpAddr;

/// The address of a host: itself when it is one, else the first line of `table` that names it.
pub(crate) fn resolve(host: &str, table: &str) -> Option<IpAddr> {
    if let Ok(address) = host.parse() {
        return Some(address);
    }
    table.lines().find_map(|line| {
        let line = line.split('#').next()?;
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "127.0.0.1\tlocalhost\n# 10.0.0.9 db\n172.17.0.2\tdb 1f2e3d ecs-fam-1-db\n";

    #[track_caller]
    fn check(host: &str, expected: Option<&str>) {
        assert_eq!(resolve(host, TABLE), expected.map(|it| it.parse().unwrap()));
    }

    #[test]
    fn a_name_is_found_in_any_column() {
        check("db", Some("172.17.0.2"));
        check("ECS-fam-1-db", Some("172.17.0.2"));
    }

    #[test]
    fn an_address_is_itself() {
        check("::1", Some("::1"));
    }

    #[test]
    fn an_unknown_name_has_no_address() {
        check("web", None);
    }
}
