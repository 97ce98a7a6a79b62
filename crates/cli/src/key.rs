//! `longshore key`: the keys of machines that have joined.

use anyhow::Context;
use clap::{Args, Subcommand};
use longshore_client::{Credentials, Endpoint, Scheme};
use longshore_model::{ClusterName, Ids};
use longshore_wire::own;

use crate::call::ask_as;
use crate::options::Admin;
use crate::output::{instant, say, short};
use crate::system::RandomIds;
use crate::table::Table;

/// Each machine that joins gets a key that is good for its own container instance alone.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a key for an official Amazon ECS agent, and prints the variables that it is to be
    /// started with, ready for `docker run --env-file`. Longshore's own agent joins with a token.
    Create(Create),
    /// Lists the keys, without their secrets. One that was revoked is listed for another day.
    List(List),
    /// Cuts a machine's agent off, within a second, and refuses it from then on. What runs there
    /// goes on, and its container instance stays until it is deregistered.
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct Create {
    /// The cluster that the agent joins.
    #[arg(long, env = "LONGSHORE_CLUSTER", default_value = "default")]
    cluster: ClusterName,

    /// The URL by which the agent reaches the server, such as https://10.0.0.1:8327. [default: as
    /// the server sees itself]
    #[arg(long, env = "LONGSHORE_KEY_ADVERTISE", value_name = "URL")]
    advertise: Option<Endpoint>,

    #[command(flatten)]
    admin: Admin,
}

#[derive(Args)]
pub(crate) struct List {
    /// Only the keys of this cluster.
    #[arg(long, env = "LONGSHORE_CLUSTER")]
    cluster: Option<ClusterName>,

    #[command(flatten)]
    admin: Admin,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// The key's id, as `longshore key list` shows it.
    #[arg(env = "LONGSHORE_KEY_ID")]
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

/// The token lasts for this call alone.
async fn create(options: Create) -> anyhow::Result<()> {
    let client = options.admin.client()?;
    let request = own::CreateJoinTokenRequest {
        cluster: Some(options.cluster.to_string()),
        uses: Some(1),
        good_for_secs: Some(60),
        note: Some("longshore key create".into()),
    };
    let token: own::CreateJoinTokenResponse =
        ask_as(&client, "create-join-token", &request).await?;
    let endpoint = match options.advertise {
        Some(endpoint) => endpoint,
        None => {
            let own = token.endpoints.unwrap_or_default().into_iter().next();
            own.context("the server does not know its own address: give --advertise")?.parse()?
        }
    };
    let as_token = options.admin.client_of(Credentials {
        access_key_id: token.join_token.and_then(|it| it.id).unwrap_or_default(),
        secret_access_key: token.secret_access_key.map(|it| it.0).unwrap_or_default(),
        session_token: None,
    })?;
    let nonce = Some(format!("{:032x}", RandomIds.next_bits()));
    let joined: own::JoinResponse = ask_as(&as_token, "join", &own::JoinRequest { nonce }).await?;
    eprint!("{}", notes(&endpoint));
    say(&environment(&endpoint, joined))
}

/// What an official agent reads. The state folder is named so that the agent keeps its state.
fn environment(endpoint: &Endpoint, joined: own::JoinResponse) -> String {
    let variables = [
        ("ECS_BACKEND_HOST", endpoint.to_string()),
        ("ECS_CLUSTER", joined.cluster.unwrap_or_default()),
        ("AWS_DEFAULT_REGION", joined.region.unwrap_or_default()),
        ("AWS_ACCESS_KEY_ID", joined.access_key_id.unwrap_or_default()),
        ("AWS_SECRET_ACCESS_KEY", joined.secret_access_key.map(|it| it.0).unwrap_or_default()),
        // Recent agents end where there is no EC2, unless they are told so; older ones pass it over.
        ("ECS_EXTERNAL", "true".into()),
        ("ECS_DATADIR", "/data/".into()),
        ("ECS_CHECKPOINT", "true".into()),
    ];
    variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// What to know of TLS, for the person who starts the agent.
fn notes(endpoint: &Endpoint) -> String {
    let mut notes = "The key is good for one container instance: one agent, with the state in its \
                     /data kept.\n"
        .to_owned();
    notes.push_str(match endpoint.scheme() {
        Scheme::Https => {
            "Give it the server's certificate authority: longshore ca > ca.pem, and SSL_CERT_FILE \
             names that file inside the agent's container.\n"
        }
        Scheme::Http => {
            "By http the server must be on the agent's own machine or run with --plain-text, and \
             agents before 1.14.4 need https for their sockets.\n"
        }
    });
    notes
}

async fn list(options: List) -> anyhow::Result<()> {
    let client = options.admin.client()?;
    let cluster = options.cluster.map(|it| it.to_string());
    let request = own::ListInstanceKeysRequest { cluster };
    let listed: own::ListInstanceKeysResponse =
        ask_as(&client, "list-instance-keys", &request).await?;
    let mut table = Table::new(["KEY", "CLUSTER", "STATUS", "CONTAINER INSTANCE", "JOINED"]);
    for key in listed.instance_keys.unwrap_or_default() {
        table.row([
            key.id.unwrap_or_default(),
            key.cluster.unwrap_or_default(),
            key.status.unwrap_or_default(),
            short(key.container_instance_arn.as_ref()).to_owned(),
            key.created_at.map(instant).unwrap_or_default(),
        ]);
    }
    say(&table.to_string())
}

async fn revoke(options: Revoke) -> anyhow::Result<()> {
    let client = options.admin.client()?;
    let request = own::RevokeInstanceKeyRequest { id: Some(options.id) };
    let revoked: own::RevokeInstanceKeyResponse =
        ask_as(&client, "revoke-instance-key", &request).await?;
    let key = revoked.instance_key.unwrap_or_default();
    let id = key.id.unwrap_or_default();
    say(&match &key.container_instance_arn {
        Some(arn) => format!(
            "revoked {id}\nIts container instance stays: aws ecs deregister-container-instance \
             --cluster {} --container-instance {arn} --force\n",
            key.cluster.unwrap_or_default()
        ),
        None => format!("revoked {id}\n"),
    })
}
