//! Pages of a list: an opaque token that holds the key of the last entry shown, so that nothing is
//! shown twice or left out while the collection changes. An altered token, or one of another
//! request, is refused.

use std::fmt::Display;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::exception::Exception;
use super::input;

/// The most entries of a page, and how many there are when the caller does not say.
const MAX_RESULTS: u32 = 100;

/// How many hex digits of a token vouch for the others.
const SEAL: usize = 32;

/// Makes and reads tokens under a secret of this server.
#[derive(Clone)]
pub(crate) struct Pages {
    secret: String,
}

/// A page as a request asks for it. Entries have keys `K`, and come in the order of these.
pub(super) struct Page<'a, K> {
    pages: &'a Pages,
    /// The request without what differs from page to page.
    request: String,
    limit: usize,
    after: Option<K>,
}

impl Pages {
    pub(crate) fn new(secret: String) -> Self {
        Self { secret }
    }

    /// Reads `maxResults` and `nextToken`. `request` tells one list from another: a token is good
    /// for the request that it came from.
    pub(super) fn page<K: FromStr>(
        &self,
        request: String,
        max_results: Option<i32>,
        next_token: Option<&str>,
    ) -> Result<Page<'_, K>, Exception> {
        self.page_of(MAX_RESULTS, request, max_results, next_token)
    }

    /// As [`Self::page`], with at most so many entries.
    pub(super) fn page_of<K: FromStr>(
        &self,
        most: u32,
        request: String,
        max_results: Option<i32>,
        next_token: Option<&str>,
    ) -> Result<Page<'_, K>, Exception> {
        let limit = input::bounded(max_results, most, most, "maxResults")?;
        let after = next_token
            .map(|it| self.key(&request, it).ok_or_else(|| Exception::invalid("Invalid token.")));
        Ok(Page { pages: self, after: after.transpose()?, request, limit: limit as usize })
    }

    fn token(&self, request: &str, key: &str) -> String {
        format!("{}{}", hex::encode(key), self.seal(request, key))
    }

    fn key<K: FromStr>(&self, request: &str, token: &str) -> Option<K> {
        let (key, _) = token.split_at_checked(token.len().checked_sub(SEAL)?)?;
        let key = String::from_utf8(hex::decode(key).ok()?).ok()?;
        if self.token(request, &key) == token { key.parse().ok() } else { None }
    }

    fn seal(&self, request: &str, key: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())
            .expect("a key of any length makes an HMAC");
        mac.update(format!("{request}\n{key}").as_bytes());
        let mut seal = hex::encode(mac.finalize().into_bytes());
        seal.truncate(SEAL);
        seal
    }
}

impl<K: Display> Page<'_, K> {
    /// The key after which the page begins.
    pub(super) fn after(&self) -> Option<&K> {
        self.after.as_ref()
    }

    /// Fills the page with the first of the entries that come after [`Self::after`], and gives the
    /// token to the next page where there is one.
    pub(super) fn fill<T>(
        &self,
        entries: impl Iterator<Item = T>,
        key: impl Fn(&T) -> K,
    ) -> (Vec<T>, Option<String>) {
        let mut page: Vec<T> = entries.take(self.limit + 1).collect();
        if page.len() <= self.limit {
            return (page, None);
        }
        page.truncate(self.limit);
        let last = page.last().map(|it| key(it).to_string());
        let token = last.map(|it| self.pages.token(&self.request, &it));
        (page, token)
    }
}

#[cfg(test)]
mod tests;
