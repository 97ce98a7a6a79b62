//! The canonical request: what both sides hash, so that they agree whatever proxies reorder.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::SignedRequest;
use crate::percent;

/// Which headers are signed.
#[derive(Clone, Copy)]
pub(super) struct CanonicalHeaders<'a, N> {
    /// The list as it stands in `SignedHeaders`.
    pub(super) list: &'a str,
    /// The same, taken apart.
    pub(super) names: &'a [N],
}

/// The SHA-256 of the canonical request, in hexadecimal.
pub(super) fn hash<N: AsRef<str>>(
    request: &SignedRequest<'_>,
    signed: CanonicalHeaders<'_, N>,
) -> [u8; 64] {
    let mut canonical = Sha256::new();
    canonical.update(request.method);
    canonical.update(b"\n");
    canonical.update(path(request.path).as_bytes());
    canonical.update(b"\n");
    canonical.update(query(request.query));
    canonical.update(b"\n");
    for name in signed.names {
        let name = name.as_ref();
        canonical.update(name);
        canonical.update(b":");
        let values = request.headers.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
        for (position, (_, value)) in values.enumerate() {
            if position > 0 {
                canonical.update(b",");
            }
            hash_value(&mut canonical, value);
        }
        canonical.update(b"\n");
    }
    canonical.update(b"\n");
    canonical.update(signed.list);
    canonical.update(b"\n");
    canonical.update(hex_digest(Sha256::digest(request.body).into()));
    hex_digest(canonical.finalize().into())
}

fn hex_digest(digest: [u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    hex::encode_to_slice(digest, &mut text).expect("64 digits hold 32 bytes");
    text
}

/// A header's value without outer space, inner runs of space as one.
fn hash_value(canonical: &mut Sha256, value: &[u8]) {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    for (position, word) in words.enumerate() {
        if position > 0 {
            canonical.update(b" ");
        }
        canonical.update(word);
    }
}

/// The path without empty and dot segments, each segment percent-encoded once more than it came:
/// all services but S3 do so.
fn path(path: &str) -> Cow<'_, str> {
    if path.is_empty() || path == "/" {
        return Cow::Borrowed("/");
    }
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut canonical = String::with_capacity(path.len() + 1);
    for segment in &segments {
        canonical.push('/');
        canonical.push_str(&percent::encoded(segment));
    }
    if segments.is_empty() || path.ends_with('/') {
        canonical.push('/');
    }
    Cow::Owned(canonical)
}

/// The query's parameters, decoded, encoded strictly and sorted. A `+` is a space: Go clients put
/// one into the URL and `%20` under the signature.
fn query(query: &str) -> String {
    if query.is_empty() {
        return String::new();
    }
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (encoded_again(name), encoded_again(value))
        })
        .collect();
    parameters.sort();
    let mut canonical = String::with_capacity(query.len() + 16);
    for (name, value) in &parameters {
        if !canonical.is_empty() {
            canonical.push('&');
        }
        canonical.extend([name, "=", value]);
    }
    canonical
}

fn encoded_again(text: &str) -> String {
    percent::encoded(percent::decoded(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded() {
        for (sent, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/example/..", "/"),
            ("/a/b/../..", "/"),
            ("/../..", "/"),
            ("/a/b/..", "/a"),
            ("//example//", "/example/"),
            ("/./example", "/example"),
            ("/acs/ws", "/acs/ws"),
            ("/ends.with.", "/ends.with."),
            ("/example space/", "/example%20space/"),
            ("/example%20space", "/example%2520space"),
            ("/\u{1234}", "/%E1%88%B4"),
        ] {
            assert_eq!(path(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded_strictly() {
        for (sent, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a", "a="),
            ("&a=1&&", "a=1"),
            ("a=b=c", "a=b%3Dc"),
            ("a=x+y", "a=x%20y"),
            ("a=x%20y", "a=x%20y"),
            ("a=x%2By", "a=x%2By"),
            ("a=%7e%2d", "a=~-"),
            ("a=%zz%4", "a=%25zz%254"),
            ("\u{1234}=bar", "%E1%88%B4=bar"),
        ] {
            assert_eq!(query(sent), canonical, "{sent}");
        }
    }
}
