//! `longshore bench fleet` in a process of its own.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use longshore_simulated_fleet::RootKey;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::server_process::{longshore, signal};
use crate::{ServerProcess, Usage};

/// How long the agents may take to connect.
const CONNECTING: Duration = Duration::from_secs(300);

/// How long the fleet may take to end.
const ENDING: Duration = Duration::from_secs(60);

/// What the tool says whenever all agents have come to be connected and told of what they run.
const CONNECTED: &str = "longshore simulated fleet connected";

/// A simulated fleet of a server; its process is killed when this is dropped.
pub struct FleetProcess {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl FleetProcess {
    /// Starts it with these options beside the server's address and key, and waits until all
    /// agents are connected.
    pub async fn start(
        server: &ServerProcess,
        options: &[impl AsRef<OsStr>],
    ) -> anyhow::Result<Self> {
        let key = RootKey::load(server.data_dir())?;
        let mut child = Command::from(longshore()?)
            .args(["bench", "fleet"])
            .arg(format!("--endpoint=http://{}", server.authority()))
            .args(options)
            .env("AWS_ACCESS_KEY_ID", key.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", key.secret_access_key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("the fleet has no output")?;
        let mut fleet = Self { child, output: BufReader::new(output).lines() };
        fleet.connected().await?;
        Ok(fleet)
    }

    /// Waits until all agents have come to be connected, and told of what they run, once more.
    pub async fn connected(&mut self) -> anyhow::Result<()> {
        let connected = async {
            while let Some(line) = self.output.next_line().await? {
                if line == CONNECTED {
                    return anyhow::Ok(());
                }
            }
            bail!("the fleet ended before it was connected");
        };
        tokio::time::timeout(CONNECTING, connected).await.context("the fleet takes too long")?
    }

    /// Has every agent lose its connection, and connect again.
    pub fn break_connections(&self) -> anyhow::Result<()> {
        signal("USR1", self.child.id().context("the fleet has ended")?)
    }

    /// What it has used so far.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.child.id().context("the fleet has ended")?)
    }

    /// Asks it to end, as Ctrl-C does, and gives the lines that it says then.
    pub async fn end(mut self) -> anyhow::Result<Vec<String>> {
        signal("INT", self.child.id().context("the fleet has ended")?)?;
        let ended = async {
            let mut lines = Vec::new();
            while let Some(line) = self.output.next_line().await? {
                if line != CONNECTED {
                    lines.push(line);
                }
            }
            anyhow::Ok((lines, self.child.wait().await?))
        };
        let ended = tokio::time::timeout(ENDING, ended).await;
        let (lines, status) = ended.context("asked to end, the fleet does not")??;
        if !status.success() {
            bail!("asked to end, the fleet ended with {status}");
        }
        Ok(lines)
    }
}
