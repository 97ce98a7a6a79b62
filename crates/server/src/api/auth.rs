//! Who calls: signature version 4 on every request and every agent's handshake.

use std::borrow::Cow;

use http::HeaderMap;
use http::request::Parts;
use longshore_control::access::Caller;
use longshore_store::State;
use longshore_wire::sigv4::{SigV4Error, SignedRequest, Verifier};

use super::exception::Exception;
use super::skews::Skews;
use crate::{Keys, MasterKey};

/// Lets through what somebody has signed who is known, and says who it was.
pub(crate) struct Gate {
    verifier: Verifier,
    keys: Keys,
    skews: Skews,
}

impl Gate {
    pub(crate) fn new(keys: Keys) -> Self {
        Self { verifier: Verifier::new("ecs"), keys, skews: Skews::default() }
    }

    /// Checks a request received at this time, in seconds since the epoch.
    pub(crate) fn check(
        &self,
        parts: &Parts,
        body: &[u8],
        now_secs: i64,
        state: &State,
    ) -> Result<Caller, Exception> {
        let headers = header_pairs(&parts.headers);
        let request = SignedRequest {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &headers,
            body,
        };
        let mut caller = None;
        let secret_of = |access_key_id: &str| {
            caller = self.caller(access_key_id, state);
            caller.map(|it| self.secret_of(it))
        };
        let verified = self.verifier.verify(&request, now_secs, secret_of);
        if let Err(SigV4Error::OutOfTime { access_key_id, ahead_secs, .. }) = &verified
            && self.caller(access_key_id, state).is_some()
        {
            self.skews.tell(access_key_id, *ahead_secs, now_secs);
        }
        verified?;
        let caller = caller.ok_or(SigV4Error::UnrecognizedClient)?;
        // Whoever has the secret may learn what became of the key.
        if let Caller::Instance(id) = caller
            && state.instance_key(id).is_none_or(|it| it.revoked_at.is_some())
        {
            let message = format!("The access key {id} was revoked.");
            return Err(Exception::unrecognized_client(message));
        }
        Ok(caller)
    }

    /// What the secrets of tokens and keys are made from.
    pub(crate) fn master(&self) -> &MasterKey {
        &self.keys.master
    }

    /// Whose an access key is, if there is one of this id.
    fn caller(&self, access_key_id: &str, state: &State) -> Option<Caller> {
        if access_key_id == self.keys.root.access_key_id {
            return Some(Caller::Root);
        }
        if let Ok(id) = access_key_id.parse() {
            return state.instance_key(id).map(|it| Caller::Instance(it.id));
        }
        let id = access_key_id.parse().ok()?;
        state.join_token(id).map(|it| Caller::JoinToken(it.id))
    }

    fn secret_of(&self, caller: Caller) -> Cow<'_, str> {
        let master = &self.keys.master;
        match caller {
            Caller::Root => self.keys.root.secret_access_key.as_str().into(),
            Caller::Instance(id) => master.secret_of(&id.to_string()).into(),
            Caller::JoinToken(id) => master.secret_of(&id.to_string()).into(),
        }
    }
}

fn header_pairs(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

impl From<SigV4Error> for Exception {
    fn from(error: SigV4Error) -> Self {
        let message = error.to_string();
        match error {
            SigV4Error::MissingAuthenticationToken(_) => Self::missing_token(message),
            SigV4Error::IncompleteSignature(_) => Self::incomplete_signature(message),
            SigV4Error::UnrecognizedClient => Self::unrecognized_client(message),
            SigV4Error::InvalidSignature(_) | SigV4Error::OutOfTime { .. } => {
                Self::invalid_signature(message)
            }
        }
    }
}
