//! `longshore key`: the keys of machines that have joined.

use clap::{Args, Subcommand};
use longshore_model::ClusterName;
use longshore_wire::own;

use crate::call::ask_as;
use crate::options::Admin;
use crate::output::{instant, say, short};
use crate::table::Table;

/// Each machine that joins gets a key that is good for its own container instance alone.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists the keys, without their secrets. One that was revoked is listed for another day.
    List(List),
    /// Cuts a machine's agent off, within a second, and refuses it from then on. What runs there
    /// goes on, and its container instance stays until it is deregistered.
    Revoke(Revoke),
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
        Command::List(options) => list(options).await,
        Command::Revoke(options) => revoke(options).await,
    }
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
