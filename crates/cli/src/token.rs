//! `longshore token`: what machines join with.

use std::time::Duration;

use clap::{Args, Subcommand};
use longshore_client::Endpoint;
use longshore_model::ClusterName;
use longshore_wire::join_token::JoinToken;
use longshore_wire::own;

use crate::agent::duration;
use crate::call::ask_as;
use crate::options::Admin;
use crate::output::{instant, say};
use crate::table::Table;

/// A token lets machines join a cluster: `longshore agent join TOKEN`, there.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a token and prints the one command for the other machine.
    Create(Create),
    /// Lists the tokens, without their secrets. One that is no good is listed for another day.
    List(List),
    /// Takes a token back: nobody joins with it any more. Machines that have stay.
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct Create {
    /// The cluster that machines join with it.
    #[arg(long, env = "LONGSHORE_CLUSTER", default_value = "default")]
    cluster: ClusterName,

    /// How many machines may join with it.
    #[arg(
        long,
        env = "LONGSHORE_TOKEN_USES",
        default_value_t = 1,
        value_parser = clap::value_parser!(i32).range(1..=10_000)
    )]
    uses: i32,

    /// For how long it is good, such as 30m or 12h; at most 720h.
    #[arg(long, env = "LONGSHORE_TOKEN_EXPIRES", default_value = "1h", value_parser = duration)]
    expires: Duration,

    /// Whatever you want to be reminded of by `longshore token list`.
    #[arg(long, env = "LONGSHORE_TOKEN_NOTE", value_name = "TEXT")]
    note: Option<String>,

    /// The URL by which the other machine reaches the server, such as https://10.0.0.1:8327; may be
    /// repeated. [default: as the server sees itself]
    #[arg(
        long = "advertise",
        env = "LONGSHORE_TOKEN_ADVERTISE",
        value_name = "URL",
        value_delimiter = ','
    )]
    advertise: Vec<Endpoint>,

    #[command(flatten)]
    admin: Admin,
}

#[derive(Args)]
pub(crate) struct List {
    /// Only the tokens of this cluster.
    #[arg(long, env = "LONGSHORE_CLUSTER")]
    cluster: Option<ClusterName>,

    #[command(flatten)]
    admin: Admin,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// The token's id, as `longshore token list` shows it.
    #[arg(env = "LONGSHORE_TOKEN_ID")]
    id: String,

    #[command(flatten)]
    admin: Admin,
}

pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(options) => create(options).await,
        Command::List(options) => list(options).await,
        Command::Revoke(options) => revoke(options).await,
    }
}

async fn create(options: Create) -> anyhow::Result<()> {
    let client = options.admin.client()?;
    let request = own::CreateJoinTokenRequest {
        cluster: Some(options.cluster.to_string()),
        uses: Some(options.uses),
        good_for_secs: i32::try_from(options.expires.as_secs()).ok().or(Some(i32::MAX)),
        note: options.note,
    };
    let made: own::CreateJoinTokenResponse = ask_as(&client, "create-join-token", &request).await?;
    let endpoints = if options.advertise.is_empty() {
        made.endpoints.unwrap_or_default()
    } else {
        options.advertise.iter().map(ToString::to_string).collect()
    };
    let is_local = |it: &String| it.parse::<Endpoint>().is_ok_and(|it| it.is_local());
    if options.advertise.is_empty() && endpoints.iter().all(is_local) {
        eprintln!(
            "note: the server listens on its own machine alone, so only an agent there can join. \
             Start it with --listen 0.0.0.0:8327, or say with --advertise how others reach it"
        );
    }
    let token = JoinToken {
        endpoints,
        id: made.join_token.and_then(|it| it.id).unwrap_or_default(),
        secret: made.secret_access_key.map(|it| it.0).unwrap_or_default(),
        ca_fingerprint: made.ca_fingerprint.map(|it| it.parse()).transpose()?,
    };
    let machines = if options.uses == 1 { "one machine" } else { "each of the machines" };
    eprintln!("Run this on {machines}, as root; the token is a secret until it is used up:");
    say(&format!("longshore agent join {token}\n"))
}

async fn list(options: List) -> anyhow::Result<()> {
    let client = options.admin.client()?;
    let cluster = options.cluster.map(|it| it.to_string());
    let request = own::ListJoinTokensRequest { cluster };
    let listed: own::ListJoinTokensResponse = ask_as(&client, "list-join-tokens", &request).await?;
    let mut table = Table::new(["TOKEN", "CLUSTER", "STATUS", "USED", "EXPIRES", "NOTE"]);
    for token in listed.join_tokens.unwrap_or_default() {
        table.row([
            token.id.unwrap_or_default(),
            token.cluster.unwrap_or_default(),
            token.status.unwrap_or_default(),
            format!("{}/{}", token.used.unwrap_or_default(), token.uses.unwrap_or_default()),
            token.expires_at.map(instant).unwrap_or_default(),
            token.note.unwrap_or_default(),
        ]);
    }
    say(&table.to_string())
}

async fn revoke(options: Revoke) -> anyhow::Result<()> {
    let client = options.admin.client()?;
    let request = own::RevokeJoinTokenRequest { id: Some(options.id) };
    let revoked: own::RevokeJoinTokenResponse =
        ask_as(&client, "revoke-join-token", &request).await?;
    let token = revoked.join_token.unwrap_or_default();
    say(&format!("revoked {}\n", token.id.unwrap_or_default()))
}
