//! A machine joins: a token is turned into a key of its own, which it keeps.
//!
//! What it draws to be known again by is on file before the first call. So joining can be begun
//! again at any point, by hand or after a crash, and counts once.

use std::io;
use std::path::Path;
use std::time::Duration;

use longshore_client::{
    Bounds, CallError, Client, Credentials, Endpoint, EndpointError, Signer, Trust, TrustError,
};
use longshore_model::Ids;
use longshore_wire::join_token::JoinToken;
use longshore_wire::own::{JoinRequest, JoinResponse};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::files;
use crate::membership::Membership;
use crate::system::RandomIds;

/// How long is waited before each further round of the endpoints.
const DELAYS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// The region that is signed for as long as the control plane's is not known: it takes any.
const ANY_REGION: &str = "us-east-1";

/// Why a machine has not joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The data directory cannot be read or written.
    #[error("the agent's data directory cannot be used")]
    DataDir(#[from] io::Error),
    /// An endpoint of the token is none that this version can call.
    #[error("the join token names an endpoint that cannot be called")]
    Endpoint(#[from] EndpointError),
    /// Nobody answers.
    #[error(
        "no control plane answers ({0}): it must run, listen on an address that this machine reaches (longshore server --listen), and no firewall may be between"
    )]
    NoAnswer(String),
    /// There is nobody to trust.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Who answers cannot show that it is the control plane.
    #[error(
        "who answers is not shown to be the control plane that made this token ({0}). Make sure of its address and of this machine's clock, and make a new token if its certificate authority has changed"
    )]
    Stranger(String),
    /// The clocks differ.
    #[error(
        "the clocks of this machine and of the control plane differ by more than 15 minutes; set the one that is wrong ({0})"
    )]
    Clock(String),
    /// The token's secret is not the one that belongs to its id.
    #[error(
        "the control plane does not accept this token's signature: it was altered on the way here, or the control plane's keys are not those that it was made with. Make a new one: longshore token create"
    )]
    Secret,
    /// The token is not one of the control plane's, or not any more.
    #[error(
        "the control plane does not know this join token: another one made it, or it is long over. Make a new one: longshore token create"
    )]
    Unknown,
    /// Another refusal, in the control plane's words.
    #[error("the control plane refuses: {0}")]
    Refused(String),
}

/// What makes a call known again: the same for one token until it has succeeded.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    join_token: String,
    nonce: String,
}

const FILE: &str = "joining.json";

/// What the operator says of the control plane; the token speaks of the rest.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Where it is.
    pub endpoint: Option<Endpoint>,
    /// Whom its certificate may come from. A fingerprint is kept with what came of joining, a file
    /// is to be named to the agent too.
    pub trust: Option<Trust>,
}

/// Joins with a token and keeps what came of it in the agent's data directory. A machine that has
/// joined with this very token before has nothing to do.
///
/// # Errors
/// [`JoinError`]: the machine is as it was, and may try again.
pub async fn join(
    token: &JoinToken,
    said: &Said,
    data_dir: &Path,
) -> Result<Membership, JoinError> {
    join_after(&DELAYS, token, said, data_dir).await
}

async fn join_after(
    delays: &[Duration],
    token: &JoinToken,
    said: &Said,
    data_dir: &Path,
) -> Result<Membership, JoinError> {
    if let Some(membership) = Membership::load(data_dir)?.filter(|it| it.join_token == token.id) {
        info!(cluster = membership.cluster, "this machine has joined with this token before");
        return Ok(membership);
    }
    let attempt = attempt(token, data_dir)?;
    let request = JoinRequest { nonce: Some(attempt.nonce) };
    let endpoints: Vec<Endpoint> = match &said.endpoint {
        Some(endpoint) => vec![endpoint.clone()],
        None => token.endpoints.iter().map(|it| it.parse()).collect::<Result<_, _>>()?,
    };
    let clients = endpoints.into_iter().map(|it| client(token, said, it));
    let clients = clients.collect::<Result<Vec<_>, _>>()?;
    let (endpoint, response) = ask(delays, &clients, &request).await?;
    let membership = membership(token, said, &endpoint, response)?;
    membership.save(data_dir)?;
    files::remove(data_dir, FILE)?;
    Ok(membership)
}

/// What was drawn for this token before, or now.
fn attempt(token: &JoinToken, data_dir: &Path) -> io::Result<Attempt> {
    let before: Option<Attempt> = files::load(data_dir, FILE)?;
    if let Some(attempt) = before.filter(|it| it.join_token == token.id) {
        return Ok(attempt);
    }
    let nonce = format!("{:032x}", RandomIds.next_bits());
    let attempt = Attempt { join_token: token.id.clone(), nonce };
    files::save(data_dir, FILE, &attempt)?;
    Ok(attempt)
}

/// Asks each endpoint in turn, a few times over, until one answers.
async fn ask(
    delays: &[Duration],
    clients: &[Client],
    request: &JoinRequest,
) -> Result<(Endpoint, JoinResponse), JoinError> {
    let mut delays = delays.iter();
    loop {
        let mut failures = Vec::new();
        let mut strangers = 0;
        for client in clients {
            let endpoint = client.endpoint();
            match client.call_own("join", request).await {
                Ok(response) => return Ok((endpoint.clone(), response)),
                Err(error) if error.is_final() => return Err(refused(error)),
                Err(error) => {
                    strangers += usize::from(matches!(error, CallError::Untrusted(_)));
                    failures.push(format!("{endpoint}: {error}"));
                }
            }
        }
        let failures = failures.join("; ");
        if strangers == clients.len() {
            return Err(JoinError::Stranger(failures));
        }
        let Some(delay) = delays.next() else { return Err(JoinError::NoAnswer(failures)) };
        warn!(failures, "no control plane answers yet: trying again");
        tokio::time::sleep(*delay).await;
    }
}

fn client(token: &JoinToken, said: &Said, endpoint: Endpoint) -> Result<Client, JoinError> {
    let by_token = || token.ca_fingerprint.map_or(Trust::System, Trust::Fingerprint);
    let trust = said.trust.clone().unwrap_or_else(by_token);
    let credentials = Credentials {
        access_key_id: token.id.clone(),
        secret_access_key: token.secret.clone(),
        session_token: None,
    };
    let signer = Signer::new(credentials, ANY_REGION.into());
    Ok(Client::new(endpoint, &trust, signer, Bounds::default())?)
}

/// What a refusal is for the person who joins the machine.
fn refused(error: CallError) -> JoinError {
    let CallError::Refused { error, .. } = error else {
        return JoinError::Refused(error.to_string());
    };
    let is_about_time = ["expired", "not yet current"].iter().any(|it| error.message.contains(it));
    match error.code.as_str() {
        "InvalidSignatureException" if is_about_time => JoinError::Clock(error.message),
        "InvalidSignatureException" => JoinError::Secret,
        "UnrecognizedClientException" => JoinError::Unknown,
        _ => JoinError::Refused(error.message),
    }
}

fn membership(
    token: &JoinToken,
    said: &Said,
    endpoint: &Endpoint,
    response: JoinResponse,
) -> Result<Membership, JoinError> {
    let whole = || JoinError::Refused("its answer lacks a part; it is of another version".into());
    Ok(Membership {
        endpoint: endpoint.to_string(),
        ca_fingerprint: match said.trust {
            Some(Trust::Fingerprint(fingerprint)) => Some(fingerprint),
            _ => token.ca_fingerprint,
        },
        cluster: response.cluster.ok_or_else(whole)?,
        region: response.region.ok_or_else(whole)?,
        access_key_id: response.access_key_id.ok_or_else(whole)?,
        secret_access_key: response.secret_access_key.ok_or_else(whole)?.0,
        join_token: token.id.clone(),
    })
}

#[cfg(test)]
mod tests;
