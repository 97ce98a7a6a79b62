//! Percent-encoding of names and values in a URL's query.

/// Everything but RFC 3986's unreserved characters is encoded, in capitals.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let bytes = bytes.as_ref();
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    text
}

/// What was encoded; a plus is a space, and what is not well encoded stays as it is.
pub fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().iter();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(&byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match escaped(bytes.as_slice()) {
                Some(byte) => {
                    bytes.nth(1);
                    byte
                }
                None => b'%',
            },
            byte => byte,
        });
    }
    decoded
}

/// The byte that two hexadecimal digits spell.
fn escaped(rest: &[u8]) -> Option<u8> {
    let [high, low, ..] = *rest else { return None };
    let high = char::from(high).to_digit(16)?;
    let low = char::from(low).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read_back() {
        assert_eq!(encoded("arn:aws/é +~"), "arn%3Aaws%2F%C3%A9%20%2B~");
        for text in ["", "arn:aws/é +~", "%", "%4", "%zz", "a=b&c"] {
            assert_eq!(decoded(&encoded(text)), text.as_bytes());
        }
    }

    #[test]
    fn what_is_not_well_encoded_stays() {
        for text in ["%", "%4", "%zz", "%-5", "%%"] {
            assert_eq!(decoded(text), text.as_bytes());
        }
        assert_eq!(decoded("%+5a+b"), b"% 5a b");
    }
}
