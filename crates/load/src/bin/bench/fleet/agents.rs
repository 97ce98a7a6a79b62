//! `longshore bench fleet` in a process of its own.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use longshore_load::{RootKey, ServerProcess, Usage, binary};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::Size;

/// How long the agents may take to connect.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the tool says when all of them have.
const CONNECTED: &str = "longshore simulated fleet connected";

/// The process; it is killed when this is dropped.
pub(super) struct Agents(Child);

impl Agents {
    /// Starts it and waits until all agents are connected.
    pub(super) async fn start(server: &ServerProcess, size: Size) -> anyhow::Result<Self> {
        let key = RootKey::load(server.data_dir())?;
        let mut command = Command::new(binary()?);
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|it| it.to_string_lossy().starts_with("LONGSHORE_")) {
            command.env_remove(name);
        }
        let memory = size.memory_mib();
        let mut child = command
            .args(["bench", "fleet", "--leave-behind", "--zones", "a,b,c"])
            .args(["--attribute", "stack=prod"])
            .arg(format!("--endpoint=http://{}", server.authority()))
            .arg(format!("--instances={}", size.agents))
            .arg(format!("--shape={memory}x{memory}"))
            .env("AWS_ACCESS_KEY_ID", key.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", key.secret_access_key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("the fleet has no output")?;
        let mut lines = BufReader::new(output).lines();
        let connected = async {
            while let Some(line) = lines.next_line().await? {
                if line == CONNECTED {
                    return anyhow::Ok(());
                }
            }
            bail!("the fleet ended before it was connected");
        };
        tokio::time::timeout(PATIENCE, connected).await.context("the fleet takes too long")??;
        Ok(Self(child))
    }

    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.0.id().context("the fleet has ended")?)
    }
}
