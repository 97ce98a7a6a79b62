//! Signing keys: derived from a secret for one day, region and service, and worth remembering.

use std::sync::RwLock;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::ALGORITHM;
use super::authorization::Scope;

/// A key that signs for one scope.
#[derive(Clone, Copy)]
pub(super) struct SigningKey([u8; 32]);

impl SigningKey {
    pub(super) fn derive(secret: &str, scope: Scope<'_>) -> Self {
        let day = hmac(format!("AWS4{secret}").as_bytes(), &[scope.date.as_bytes()]);
        let region = hmac(&day, &[scope.region.as_bytes()]);
        let service = hmac(&region, &[scope.service.as_bytes()]);
        Self(hmac(&service, &[b"aws4_request"]))
    }

    /// The signature of a canonical request, given by its SHA-256 in hexadecimal.
    pub(super) fn sign(
        &self,
        amz_date: &str,
        scope: Scope<'_>,
        canonical_hash: [u8; 64],
    ) -> [u8; 32] {
        hmac(
            &self.0,
            &[
                ALGORITHM.as_bytes(),
                b"\n",
                amz_date.as_bytes(),
                b"\n",
                scope.date.as_bytes(),
                b"/",
                scope.region.as_bytes(),
                b"/",
                scope.service.as_bytes(),
                b"/aws4_request\n",
                &canonical_hash,
            ],
        )
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Keys that verified a request, for the next one of the same caller. A key is kept with the secret
/// it came from, so that a changed secret is never outlived by its key.
#[derive(Default)]
pub(super) struct KeyCache(RwLock<Vec<CachedKey>>);

struct CachedKey {
    access_key: String,
    secret: String,
    date: String,
    region: String,
    key: SigningKey,
}

/// Beyond this many callers the oldest entry is given up; to derive a key anew costs about 1 us.
const CACHED_KEYS: usize = 64;

impl KeyCache {
    pub(super) fn get(
        &self,
        access_key: &str,
        secret: &str,
        scope: Scope<'_>,
    ) -> Option<SigningKey> {
        let keys = self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        keys.iter()
            .find(|it| {
                it.access_key == access_key
                    && it.secret == secret
                    && it.date == scope.date
                    && it.region == scope.region
            })
            .map(|it| it.key)
    }

    pub(super) fn put(&self, access_key: &str, secret: &str, scope: Scope<'_>, key: SigningKey) {
        let mut keys = self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if keys.len() >= CACHED_KEYS {
            keys.remove(0);
        }
        keys.push(CachedKey {
            access_key: access_key.to_owned(),
            secret: secret.to_owned(),
            date: scope.date.to_owned(),
            region: scope.region.to_owned(),
            key,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn scope(region: &str) -> Scope<'_> {
        Scope { date: "20150830", region, service: "iam" }
    }

    #[test]
    fn the_key_of_the_published_example_is_derived() {
        let key = SigningKey::derive(SECRET, scope("us-east-1"));
        assert_eq!(
            hex::encode(key.0),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }

    #[test]
    fn a_key_is_found_again_only_for_the_same_secret() {
        let cache = KeyCache::default();
        cache.put("AK", SECRET, scope("a"), SigningKey::derive(SECRET, scope("a")));
        assert!(cache.get("AK", SECRET, scope("a")).is_some());
        assert!(cache.get("AK", "other", scope("a")).is_none());
        assert!(cache.get("AK", SECRET, scope("b")).is_none());
        assert!(cache.get("OTHER", SECRET, scope("a")).is_none());
    }

    #[test]
    fn the_cache_stays_small() {
        let cache = KeyCache::default();
        for region in 0..1000 {
            let region = region.to_string();
            cache.put("AK", SECRET, scope(&region), SigningKey([0; 32]));
        }
        assert_eq!(cache.0.read().unwrap().len(), CACHED_KEYS);
        assert!(cache.get("AK", SECRET, scope("999")).is_some());
        assert!(cache.get("AK", SECRET, scope("0")).is_none());
    }
}
