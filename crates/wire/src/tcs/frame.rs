//! An agent's frame: lines of headers as of an HTTP request, an empty line, then the JSON.
//!
//! The headers are those of a signed GET of the socket's URL whose body is the JSON. Whoever opened
//! the socket has signed that, so a server may believe what comes over it without looking at them.

use crate::sigv4::{Signature, SignedRequest};

const END_OF_HEADERS: &str = "\r\n\r\n";

/// The JSON of a frame. One that begins with it has no headers.
pub fn json(frame: &str) -> &str {
    if frame.trim_start().starts_with('{') {
        return frame;
    }
    frame.split_once(END_OF_HEADERS).map_or(frame, |(_, json)| json)
}

/// Writes a frame: the request that was signed, as a GET of the socket's URL with a message for its
/// body, and its signature.
///
/// # Panics
/// When the request's body or a header of it is no text.
pub fn write(request: &SignedRequest<'_>, signature: &Signature) -> String {
    let text = |bytes| std::str::from_utf8(bytes).expect("what is signed here is text");
    let mut headers: Vec<(String, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (canonical(name), text(value)))
        .chain([
            (canonical("authorization"), signature.authorization.as_str()),
            (canonical("x-amz-date"), signature.amz_date.as_str()),
        ])
        .collect();
    headers.sort();
    let mut frame = String::with_capacity(512 + request.body.len());
    for (name, value) in headers {
        frame.extend([name.as_str(), ": ", value, "\r\n"]);
    }
    frame.push_str("\r\n");
    frame.push_str(text(request.body));
    frame
}

/// `X-Amz-Date` of `x-amz-date`.
fn canonical(name: &str) -> String {
    let mut is_first = true;
    let cased = |letter: char| {
        let cased =
            if is_first { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        is_first = letter == '-';
        cased
    };
    name.chars().map(cased).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigv4::{Credentials, Verifier, sign};

    #[test]
    fn json_is_what_follows_the_headers_if_there_are_any() {
        for (frame, expect) in [
            ("{\"type\":\"A\"}", "{\"type\":\"A\"}"),
            ("Host: a\r\nX-Amz-Date: b\r\n\r\n{\"type\":\"A\"}", "{\"type\":\"A\"}"),
            ("Host: a\r\n\r\n{\"a\":\"\r\n\r\n\"}", "{\"a\":\"\r\n\r\n\"}"),
            (" {\r\n\r\n}", " {\r\n\r\n}"),
            ("Host: a\r\n\r\n", ""),
            ("Host: a\n\n{}", "Host: a\n\n{}"),
            ("", ""),
        ] {
            assert_eq!(json(frame), expect, "{frame:?}");
        }
    }

    #[test]
    fn what_is_written_is_signed_as_a_get_of_the_socket_with_the_json_for_its_body() {
        let body = br#"{"type":"PublishHealthRequest","message":{}}"#;
        let token: &[u8] = b"token";
        let request = SignedRequest {
            method: "GET",
            path: "/tcs/ws",
            query: "cluster=default&containerInstance=CI",
            headers: &[("host", b"127.0.0.1:18080"), ("x-amz-security-token", token)],
            body,
        };
        let credentials = Credentials { access_key_id: "AK", secret_access_key: "secret" };
        let signature = sign(&request, credentials, "us-east-1", "ecs", 1_795_455_949);
        let frame = write(&request, &signature);
        assert_eq!(json(&frame).as_bytes(), body);

        let (head, _) = frame.split_once(END_OF_HEADERS).unwrap();
        let headers: Vec<(&str, &[u8])> = head
            .split("\r\n")
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name, value.as_bytes()))
            .collect();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["Authorization", "Host", "X-Amz-Date", "X-Amz-Security-Token"]);
        let received = SignedRequest { headers: &headers, ..request };
        let verify = |it: &SignedRequest<'_>| {
            Verifier::new("ecs").verify(it, 1_795_455_949, |_| Some("secret")).is_ok()
        };
        assert!(verify(&received));
        assert!(!verify(&SignedRequest { body: b"{}", ..received }));
    }
}
