//! Join tokens, joining by one, and the keys of the agents that have.

use std::str::FromStr;

use longshore_control::access::Caller;
use longshore_control::joining::{CreateTokenError, JoinError, NewToken, RevokeError};
use longshore_control::reference;
use longshore_model::{ClusterName, InstanceKey, JoinToken, JoinTokenId, Owner, TaskId, Timestamp};
use longshore_store::State;
use longshore_wire::{Secret, own};

use super::OwnCall;
use crate::api::{Exception, read_whole, timestamp};
use crate::tls::Tls;

/// For how long a token is good where nothing is said, in seconds.
const GOOD_FOR_SECS: i32 = 3600;

pub(super) async fn create_token(
    body: &[u8],
    call: &OwnCall<'_>,
) -> Result<own::CreateJoinTokenResponse, Exception> {
    let request: own::CreateJoinTokenRequest = read_whole(body)?;
    let number = |given: Option<i32>, default: i32| u32::try_from(given.unwrap_or(default));
    let new = NewToken {
        cluster: reference::cluster(request.cluster.as_deref(), call.control.owner())?,
        uses: number(request.uses, 1).map_err(|_| CreateTokenError::Uses)?,
        good_for_secs: number(request.good_for_secs, GOOD_FOR_SECS)
            .map_err(|_| CreateTokenError::GoodFor)?,
        note: request.note.filter(|it| !it.is_empty()).map(Into::into),
    };
    let token = call.control.create_join_token(new).await?;
    tracing::info!(token = %token.id, cluster = %token.cluster, uses = token.uses, "join token made");
    let secret = call.master.secret_of(&token.id.to_string());
    Ok(own::CreateJoinTokenResponse {
        join_token: Some(shown_token(&token, call.control.now())),
        secret_access_key: Some(Secret(secret)),
        endpoints: Some(call.endpoints.clone()),
        ca_fingerprint: call.tls.and_then(Tls::fingerprint).map(|it| it.to_string()),
    })
}

pub(super) async fn join(body: &[u8], call: &OwnCall<'_>) -> Result<own::JoinResponse, Exception> {
    let request: own::JoinRequest = read_whole(body)?;
    let nonce = parse_nonce(request.nonce.as_deref())?;
    let token = own_token(call.caller)?;
    let key = call.control.join(token, call.master.instance_key_id(token, nonce)).await?;
    tracing::info!(key = %key.id, %token, cluster = %key.cluster, "a machine has joined");
    let access_key_id = key.id.to_string();
    Ok(own::JoinResponse {
        cluster: Some(key.cluster.to_string()),
        region: Some(call.control.owner().region.clone()),
        secret_access_key: Some(Secret(call.master.secret_of(&access_key_id))),
        access_key_id: Some(access_key_id),
    })
}

pub(super) fn list_tokens(
    body: &[u8],
    call: &OwnCall<'_>,
) -> Result<own::ListJoinTokensResponse, Exception> {
    let request: own::ListJoinTokensRequest = read_whole(body)?;
    let cluster = only_cluster(request.cluster.as_deref(), call.control.owner())?;
    let (state, now) = (call.control.view(), call.control.now());
    let mut tokens: Vec<_> = state
        .join_tokens()
        .filter(|it| cluster.as_ref().is_none_or(|cluster| *cluster == it.cluster))
        .collect();
    tokens.sort_by_key(|it| (it.created_at, it.id));
    let tokens = tokens.into_iter().map(|it| shown_token(it, now));
    Ok(own::ListJoinTokensResponse { join_tokens: Some(tokens.collect()) })
}

pub(super) async fn revoke_token(
    body: &[u8],
    call: &OwnCall<'_>,
) -> Result<own::RevokeJoinTokenResponse, Exception> {
    let request: own::RevokeJoinTokenRequest = read_whole(body)?;
    let token = call.control.revoke_join_token(parse_id(request.id)?).await?;
    tracing::info!(token = %token.id, "join token revoked");
    let shown = shown_token(&token, call.control.now());
    Ok(own::RevokeJoinTokenResponse { join_token: Some(shown) })
}

pub(super) fn list_keys(
    body: &[u8],
    call: &OwnCall<'_>,
) -> Result<own::ListInstanceKeysResponse, Exception> {
    let request: own::ListInstanceKeysRequest = read_whole(body)?;
    let owner = call.control.owner();
    let cluster = only_cluster(request.cluster.as_deref(), owner)?;
    let state = call.control.view();
    let mut keys: Vec<_> = state
        .instance_keys()
        .filter(|it| cluster.as_ref().is_none_or(|cluster| *cluster == it.cluster))
        .collect();
    keys.sort_by_key(|it| (it.created_at, it.id));
    let keys = keys.into_iter().map(|it| shown_key(it, &state, owner));
    Ok(own::ListInstanceKeysResponse { instance_keys: Some(keys.collect()) })
}

pub(super) async fn revoke_key(
    body: &[u8],
    call: &OwnCall<'_>,
) -> Result<own::RevokeInstanceKeyResponse, Exception> {
    let request: own::RevokeInstanceKeyRequest = read_whole(body)?;
    let key = call.control.revoke_instance_key(parse_id(request.id)?).await?;
    tracing::info!(key = %key.id, "instance key revoked");
    let shown = shown_key(&key, &call.control.view(), call.control.owner());
    Ok(own::RevokeInstanceKeyResponse { instance_key: Some(shown) })
}

/// The token that has signed. [`access::may`](longshore_control::access::may) let nobody else in.
fn own_token(caller: Caller) -> Result<JoinTokenId, Exception> {
    match caller {
        Caller::JoinToken(id) => Ok(id),
        Caller::Root | Caller::Instance(_) => {
            Err(Exception::access_denied("Only a join token can join."))
        }
    }
}

/// As task ids are written: 32 hex digits, or a UUID with hyphens.
fn parse_nonce(text: Option<&str>) -> Result<u128, Exception> {
    let id: Result<TaskId, _> = text.unwrap_or_default().parse();
    id.map(TaskId::bits).map_err(|_| Exception::invalid("nonce must be 32 hex digits."))
}

fn parse_id<T: FromStr>(text: Option<String>) -> Result<T, Exception>
where
    T::Err: std::fmt::Display,
{
    text.unwrap_or_default().parse().map_err(|error| Exception::invalid(format!("id: {error}.")))
}

/// The cluster that a list is limited to.
fn only_cluster(text: Option<&str>, owner: &Owner) -> Result<Option<ClusterName>, Exception> {
    let text = text.filter(|it| !it.is_empty());
    Ok(text.map(|it| reference::cluster(Some(it), owner)).transpose()?)
}

fn shown_token(token: &JoinToken, now: Timestamp) -> own::JoinToken {
    own::JoinToken {
        id: Some(token.id.to_string()),
        cluster: Some(token.cluster.to_string()),
        status: Some(token.status(now).as_str().into()),
        uses: i32::try_from(token.uses).ok(),
        used: i32::try_from(token.used).ok(),
        note: token.note.as_deref().map(Into::into),
        created_at: Some(timestamp(token.created_at)),
        expires_at: Some(timestamp(token.expires_at)),
        revoked_at: token.revoked_at.map(timestamp),
    }
}

fn shown_key(key: &InstanceKey, state: &State, owner: &Owner) -> own::InstanceKey {
    let arn = |id| reference::container_instance_arn(state, &key.cluster, id, owner);
    let status = match (key.revoked_at, key.instance) {
        (Some(_), _) => "REVOKED",
        (None, Some(_)) => "IN_USE",
        (None, None) => "UNUSED",
    };
    own::InstanceKey {
        id: Some(key.id.to_string()),
        cluster: Some(key.cluster.to_string()),
        status: Some(status.into()),
        container_instance_arn: key.instance.map(arn),
        join_token: Some(key.token.to_string()),
        created_at: Some(timestamp(key.created_at)),
        revoked_at: key.revoked_at.map(timestamp),
    }
}

impl From<CreateTokenError> for Exception {
    fn from(error: CreateTokenError) -> Self {
        match error {
            CreateTokenError::Cluster(error) => error.into(),
            CreateTokenError::Store(error) => error.into(),
            CreateTokenError::Uses | CreateTokenError::GoodFor | CreateTokenError::Note => {
                Self::invalid(error.to_string())
            }
        }
    }
}

impl From<JoinError> for Exception {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Cluster(error) => error.into(),
            JoinError::Store(error) => error.into(),
            JoinError::UnknownToken(_)
            | JoinError::Token(..)
            | JoinError::KeyRevoked(_)
            | JoinError::KeyTaken(_) => Self::access_denied(error.to_string()),
        }
    }
}

impl From<RevokeError> for Exception {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Store(error) => error.into(),
            RevokeError::UnknownToken(_) | RevokeError::UnknownKey(_) => {
                Self::invalid(error.to_string())
            }
        }
    }
}
