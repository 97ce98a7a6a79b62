//! A small HTTP GET, to talk to a linked container.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::hosts;

const TIMEOUT: Duration = Duration::from_secs(5);

/// What to fetch.
#[derive(Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
}

/// The body of the answer. Any answer but 200 is an error.
pub(crate) fn fetch(target: &Target) -> Result<String, String> {
    let table = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let address = hosts::resolve(&target.host, &table)
        .ok_or_else(|| format!("{}: not in /etc/hosts", target.host))?;
    let address = SocketAddr::new(address, target.port);
    let answer = exchange(address, target).map_err(|error| format!("{address}: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("not an HTTP answer")?;
    if head.split(' ').nth(1) == Some("200") { Ok(body.to_owned()) } else { Err(answer) }
}

fn exchange(address: SocketAddr, target: &Target) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let Target { host, path, .. } = target;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
