//! The little of HTTP that is understood: the target of a GET.

use std::io::{BufRead, BufReader, Read};
use std::str::FromStr;

/// No request that anyone sends us is longer.
const LONGEST: u64 = 16 * 1024;

/// A path, and the fields of its query.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) path: String,
    fields: Vec<(String, String)>,
}

/// Reads up to the empty line that ends the headers, which are ignored.
pub(super) fn read(stream: impl Read) -> Result<Request, String> {
    let mut lines = BufReader::new(stream.take(LONGEST)).lines();
    let first = lines.next().ok_or("no request")?.map_err(|error| error.to_string())?;
    for line in lines {
        if line.map_err(|error| error.to_string())?.is_empty() {
            return parse(&first);
        }
    }
    Err("the request is cut off".to_owned())
}

fn parse(request_line: &str) -> Result<Request, String> {
    let mut words = request_line.split(' ');
    let (Some("GET"), Some(target)) = (words.next(), words.next()) else {
        return Err("only GET is understood".to_owned());
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let fields = query.split('&').filter_map(|field| field.split_once('='));
    Ok(Request {
        path: path.to_owned(),
        fields: fields.map(|(name, value)| (name.to_owned(), decode(value))).collect(),
    })
}

impl Request {
    pub(super) fn field(&self, name: &str) -> Result<&str, String> {
        let found = self.fields.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("{name} is missing"))
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<T, String> {
        let text = self.field(name)?;
        text.parse().map_err(|_| format!("{text:?} is no value for {name}"))
    }
}

/// Undoes percent-encoding; what is not well encoded stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '+']) {
        let (plain, encoded) = rest.split_at(at);
        bytes.extend_from_slice(plain.as_bytes());
        let byte = encoded.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, length) = match byte {
            _ if encoded.starts_with('+') => (b' ', 1),
            Some(byte) => (byte, 3),
            None => (b'%', 1),
        };
        bytes.push(byte);
        rest = encoded.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path and fields.
    type Target<'a> = (&'a str, &'a [(&'a str, &'a str)]);

    #[track_caller]
    fn check(request: &str, expected: Result<Target, &str>) {
        let found = read(request.as_bytes());
        let expected = expected.map_err(str::to_owned).map(|(path, fields)| Request {
            path: path.to_owned(),
            fields: fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn a_target_is_a_path_and_fields() {
        check("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Ok(("/", &[])));
        check(
            "GET /write?path=%2Fa%20b&text=c+d HTTP/1.1\r\n\r\n",
            Ok(("/write", &[("path", "/a b"), ("text", "c d")])),
        );
    }

    #[test]
    fn bad_encoding_stays_as_it_is() {
        check("GET /?a=%zz%&b=%C3%A9 HTTP/1.1\r\n\r\n", Ok(("/", &[("a", "%zz%"), ("b", "é")])));
    }

    #[test]
    fn what_is_no_whole_get_is_refused() {
        check("", Err("no request"));
        check("POST / HTTP/1.1\r\n\r\n", Err("only GET is understood"));
        check("GET / HTTP/1.1\r\n", Err("the request is cut off"));
    }
}
