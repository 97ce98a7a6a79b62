//! Machines that join: tokens, and the keys of the agents that have joined by them.
//!
//! A token lets a number of machines join one cluster for a while. Each that joins gets a key of
//! its own, which its first registration binds to the new container instance for good; what a key
//! is good for says [`access`](crate::access). Nothing secret is here: whoever verifies signatures
//! makes the secrets anew from the ids.

use std::sync::Arc;

use longshore_model::{
    ClusterName, InstanceId, InstanceKey, InstanceKeyId, JoinToken, JoinTokenId, JoinTokenStatus,
    Timestamp,
};
use longshore_store::{State, StoreError, Tx};

use crate::Control;
use crate::access::Caller;
use crate::clusters::{self, ClusterError};
use crate::reap::is_before;

/// The most machines that may join with one token.
pub const MAX_USES: u32 = 10_000;

/// The longest that a token may be good for, in seconds: 30 days.
pub const MAX_TOKEN_SECS: u32 = 30 * 24 * 3600;

/// The longest note of a token, in characters.
pub const MAX_NOTE: usize = 255;

/// How long a token that is no good any more, and a key that is, can still be seen, in seconds.
pub const KEEP_SECS: i64 = 24 * 3600;

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The cluster that machines join with it.
    pub cluster: ClusterName,
    /// How many machines may join; at least 1 and at most [`MAX_USES`].
    pub uses: u32,
    /// For how long; at least 1 and at most [`MAX_TOKEN_SECS`].
    pub good_for_secs: u32,
    /// Whatever its maker wants to be reminded of; at most [`MAX_NOTE`] characters.
    pub note: Option<Box<str>>,
}

/// Why no token is made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTokenError {
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Too few or too many.
    #[error("uses must be between 1 and {MAX_USES}.")]
    Uses,
    /// Too short or too long.
    #[error("A join token can be good for 1 second to 30 days.")]
    GoodFor,
    /// The note is too long.
    #[error("note can have at most {MAX_NOTE} characters.")]
    Note,
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a machine cannot join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The token was never made here, or it is forgotten.
    #[error("The join token {0} is not known. Make a new one: longshore token create")]
    UnknownToken(JoinTokenId),
    /// The token is no good.
    #[error("The join token {0} {1}. Make a new one: longshore token create")]
    Token(JoinTokenId, WhyNot),
    /// The machine has joined with this very call before, and its key was revoked.
    #[error("The access key {0}, which this call made, was revoked.")]
    KeyRevoked(InstanceKeyId),
    /// A key of this id was made with another token: ids were not made as they must be.
    #[error("The access key {0} is another machine's.")]
    KeyTaken(InstanceKeyId),
    /// The cluster cannot be used any more.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a token is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// Its time is over.
    #[error("has expired")]
    Expired,
    /// As many machines have joined as may.
    #[error("was for {0} uses, and they are used up")]
    UsedUp(u32),
    /// Somebody took it back.
    #[error("was revoked")]
    Revoked,
}

/// Why a token or key cannot be revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// No token of this id.
    #[error("The join token {0} is not known.")]
    UnknownToken(JoinTokenId),
    /// No key of this id.
    #[error("The instance key {0} is not known.")]
    UnknownKey(InstanceKeyId),
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Control {
    /// Makes a token.
    pub async fn create_join_token(
        &self,
        new: NewToken,
    ) -> Result<Arc<JoinToken>, CreateTokenError> {
        if !(1..=MAX_USES).contains(&new.uses) {
            return Err(CreateTokenError::Uses);
        }
        if !(1..=MAX_TOKEN_SECS).contains(&new.good_for_secs) {
            return Err(CreateTokenError::GoodFor);
        }
        if new.note.as_ref().is_some_and(|it| it.chars().count() > MAX_NOTE) {
            return Err(CreateTokenError::Note);
        }
        let now = self.now();
        let token = Arc::new(JoinToken {
            id: JoinTokenId::from_bits(self.ids.next_bits()),
            cluster: new.cluster,
            uses: new.uses,
            used: 0,
            note: new.note,
            created_at: now,
            expires_at: now.plus_secs(new.good_for_secs.into()),
            revoked_at: None,
        });
        self.store
            .update(|tx| {
                clusters::active(tx, &token.cluster)?;
                tx.put_join_token(Arc::clone(&token));
                Ok(token)
            })
            .await
    }

    /// A machine joins with a token: it is given the key of this id. Whoever asks makes the id in
    /// such a way that a call made again has the same one and no other call has; so a call whose
    /// answer was lost can be made again, and counts once.
    pub async fn join(
        &self,
        token: JoinTokenId,
        key: InstanceKeyId,
    ) -> Result<Arc<InstanceKey>, JoinError> {
        let now = self.now();
        self.store
            .update(|tx| {
                let known = Arc::clone(tx.join_token(token).ok_or(JoinError::UnknownToken(token))?);
                let status = known.status(now);
                if status == JoinTokenStatus::Revoked {
                    return Err(JoinError::Token(token, WhyNot::Revoked));
                }
                match tx.instance_key(key) {
                    Some(before) if before.token != token => return Err(JoinError::KeyTaken(key)),
                    Some(before) if before.revoked_at.is_some() => {
                        return Err(JoinError::KeyRevoked(key));
                    }
                    Some(before) => return Ok(Arc::clone(before)),
                    None => {}
                }
                match status {
                    JoinTokenStatus::Usable => join_anew(tx, &known, key, now),
                    JoinTokenStatus::UsedUp => {
                        Err(JoinError::Token(token, WhyNot::UsedUp(known.uses)))
                    }
                    JoinTokenStatus::Expired => Err(JoinError::Token(token, WhyNot::Expired)),
                    JoinTokenStatus::Revoked => Err(JoinError::Token(token, WhyNot::Revoked)),
                }
            })
            .await
    }

    /// Nobody joins with this token any more. The keys of those that have stay good. One that is
    /// revoked already stays as it is.
    pub async fn revoke_join_token(&self, id: JoinTokenId) -> Result<Arc<JoinToken>, RevokeError> {
        let now = self.now();
        self.store
            .update(|tx| {
                let token = tx.join_token(id).ok_or(RevokeError::UnknownToken(id))?;
                let revoked_at = Some(token.revoked_at.unwrap_or(now));
                let token = Arc::new(JoinToken { revoked_at, ..JoinToken::clone(token) });
                tx.put_join_token(Arc::clone(&token));
                Ok(token)
            })
            .await
    }

    /// This key is refused from now on, and its agent cut off. Its instance and tasks stay as they
    /// are known. One that is revoked already stays as it is.
    pub async fn revoke_instance_key(
        &self,
        id: InstanceKeyId,
    ) -> Result<Arc<InstanceKey>, RevokeError> {
        let now = self.now();
        self.store
            .update(|tx| {
                let key = tx.instance_key(id).ok_or(RevokeError::UnknownKey(id))?;
                let revoked_at = Some(key.revoked_at.unwrap_or(now));
                let key = Arc::new(InstanceKey { revoked_at, ..InstanceKey::clone(key) });
                tx.put_instance_key(Arc::clone(&key));
                Ok(key)
            })
            .await
    }
}

fn join_anew(
    tx: &mut Tx<'_>,
    token: &JoinToken,
    key: InstanceKeyId,
    now: Timestamp,
) -> Result<Arc<InstanceKey>, JoinError> {
    clusters::active(tx, &token.cluster)?;
    tx.put_join_token(JoinToken { used: token.used + 1, ..token.clone() });
    let key = Arc::new(InstanceKey {
        id: key,
        cluster: token.cluster.clone(),
        token: token.id,
        instance: None,
        created_at: now,
        revoked_at: None,
    });
    tx.put_instance_key(Arc::clone(&key));
    Ok(key)
}

/// The instance that the caller's key is bound to.
pub(crate) fn instance_of(caller: Caller, state: &State) -> Option<InstanceId> {
    let Caller::Instance(key) = caller else { return None };
    state.instance_key(key)?.instance
}

/// Binds the caller's key to the instance that it has registered, unless it is.
pub(crate) fn bind(caller: Caller, instance: InstanceId, tx: &mut Tx<'_>) {
    let Caller::Instance(key) = caller else { return };
    let Some(key) = tx.instance_key(key).filter(|it| it.instance.is_none()) else { return };
    let key = InstanceKey { instance: Some(instance), ..InstanceKey::clone(key) };
    tx.put_instance_key(key);
}

/// Whether a token has been no good for long enough.
pub(crate) fn is_token_over(token: &JoinToken, now: Timestamp) -> bool {
    token.ends_at().plus_secs(KEEP_SECS) < now
}

/// Whether a key is no good to anybody: it was revoked long ago, or its instance is forgotten, as
/// those are that were deregistered before that time.
pub(crate) fn is_key_over(
    key: &InstanceKey,
    state: &State,
    now: Timestamp,
    ended_before: Timestamp,
) -> bool {
    let revoked_long_ago = is_before(key.revoked_at, now.plus_secs(-KEEP_SECS));
    let is_forgotten = |id| {
        let instance = state.instance(id);
        instance.is_none_or(|it| is_before(it.deregistered_at, ended_before))
    };
    revoked_long_ago || key.instance.is_some_and(is_forgotten)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
