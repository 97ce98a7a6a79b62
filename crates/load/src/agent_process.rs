//! `longshore agent` in a process of its own, with a data directory that outlives its kills.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use longshore_simulated_fleet::RootKey;
use tempfile::TempDir;

use crate::announced::{Announced, last_lines};
use crate::server_process::{ServerProcess, longshore, signal};

/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an agent says when it is connected for the first time.
const CONNECTED: &str = "longshore agent connected";

/// An agent of a server. Dropping it kills the process and removes its data directory; its
/// containers stay.
pub struct AgentProcess {
    endpoint: String,
    key: RootKey,
    options: Vec<String>,
    running: Option<Announced>,
    data_dir: TempDir,
}

impl AgentProcess {
    /// An agent with these options beside the server's address and the data directory. It is not
    /// started yet.
    pub fn of(server: &ServerProcess, options: &[&str]) -> anyhow::Result<Self> {
        Ok(Self {
            endpoint: format!("http://{}", server.authority()),
            key: RootKey::load(server.data_dir())?,
            options: options.iter().copied().map(Into::into).collect(),
            running: None,
            data_dir: TempDir::with_prefix("longshore-load-agent-")?,
        })
    }

    /// Starts it without waiting; one that runs is killed.
    pub fn begin(&mut self) -> anyhow::Result<()> {
        self.kill();
        let mut command = longshore()?;
        command
            .arg("agent")
            .args(["--endpoint", &self.endpoint])
            .arg("--data-dir")
            .arg(self.data_dir.path())
            .args(&self.options)
            .env("AWS_ACCESS_KEY_ID", &self.key.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &self.key.secret_access_key);
        self.running = Some(Announced::spawn(command, CONNECTED.into(), &self.log_path())?);
        Ok(())
    }

    /// Waits until the process that was begun is connected. Says how long that took since its
    /// start.
    pub async fn connected(&mut self) -> anyhow::Result<Duration> {
        let running = self.running.as_mut().context("no agent was started")?;
        let connected = running.announced(PATIENCE).await;
        connected.with_context(|| {
            format!("the agent is not connected\n{}", last_lines(&self.log_path()))
        })
    }

    /// Ends the process at once, as `kill -9` does.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Asks the process to end and waits until it has.
    pub async fn terminate(&mut self) -> anyhow::Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        signal("TERM", running.id())?;
        let ended = async {
            while running.try_wait()?.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, ended).await.context("asked to end, the agent does not")?
    }

    /// The end of what it has logged.
    pub fn log(&self) -> String {
        last_lines(&self.log_path())
    }

    /// All that it has logged.
    pub fn whole_log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.data_dir.path().join("load-stderr.log")
    }
}
