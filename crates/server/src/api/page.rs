//! Pages of a list: an opaque token that holds the last id shown, so that nothing is shown twice
//! or left out while the collection changes. An altered token, or one of another request, is
//! refused.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::exception::Exception;

/// The most entries of a page, and how many there are when the caller does not say.
pub(super) const MAX_RESULTS: u32 = 100;

/// Makes and reads tokens under a secret of this server.
#[derive(Clone)]
pub(crate) struct Pages {
    secret: String,
}

impl Pages {
    pub(crate) fn new(secret: String) -> Self {
        Self { secret }
    }

    /// The token that leads past `last` in the list that `request` asks for.
    pub(super) fn token(&self, request: &str, last: u128) -> String {
        format!("{last:032x}{}", self.seal(request, last))
    }

    /// The id after which the page begins.
    pub(super) fn after(&self, request: &str, token: &str) -> Result<u128, Exception> {
        let invalid = || Exception::invalid("Invalid token.");
        let last = token.get(..32).ok_or_else(invalid)?;
        let last = u128::from_str_radix(last, 16).map_err(|_| invalid())?;
        if self.token(request, last) == token { Ok(last) } else { Err(invalid()) }
    }

    fn seal(&self, request: &str, last: u128) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())
            .expect("a key of any length makes an HMAC");
        mac.update(format!("{request}\n{last}").as_bytes());
        let mut seal = hex::encode(mac.finalize().into_bytes());
        seal.truncate(32);
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_place_in_its_own_request_only() {
        let pages = Pages::new("secret".into());
        let token = pages.token("ListTasks", 7);
        assert_eq!(pages.after("ListTasks", &token), Ok(7));
        assert!(pages.after("ListTasks family=x", &token).is_err());
        for altered in [token.replace('7', "8"), token[1..].into(), "é".repeat(40), String::new()]
        {
            assert!(pages.after("ListTasks", &altered).is_err(), "{altered}");
        }
    }
}
