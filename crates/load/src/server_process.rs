//! A `longshore` process on loopback, with a data directory of its own that goes with it.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::announced::{Announced, last_lines};
use anyhow::{Context, anyhow, bail};
use longshore_simulated_fleet::{Client, Random, RootKey};
use tempfile::TempDir;

/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest that an orderly end may take.
const ORDERLY_END: Duration = Duration::from_secs(15);

/// Below the ports that Linux takes for outgoing connections: an agent that knocks at the port of
/// a server that is away must not be given that very port as its own.
const PORTS: (u64, u64) = (20_000, 30_000);

/// What to run.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// `server` or `up`, then options beside the address and the data directory.
    pub arguments: Vec<String>,
    /// In which directory the data directory is made; the system's for temporary files if `None`.
    pub parent_dir: Option<PathBuf>,
}

impl ServerOptions {
    /// The control plane alone.
    pub fn server() -> Self {
        Self { arguments: vec!["server".into()], parent_dir: None }
    }

    /// Control plane and agent.
    pub fn up(options: &[&str]) -> Self {
        let words = std::iter::once("up").chain(options.iter().copied());
        Self { arguments: words.map(Into::into).collect(), parent_dir: None }
    }
}

/// The product's command, without the options that are in this environment.
pub(crate) fn longshore() -> anyhow::Result<Command> {
    let mut command = Command::new(binary()?);
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|it| it.to_string_lossy().starts_with("LONGSHORE_")) {
        command.env_remove(name);
    }
    Ok(command)
}

/// Sends a signal, such as `TERM`, to a process.
pub(crate) fn signal(name: &str, pid: u32) -> anyhow::Result<()> {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status()?;
    if sent.success() { Ok(()) } else { bail!("the process {pid} cannot be sent {name}") }
}

/// The binary under test: `LONGSHORE_BIN`, or `longshore` in the target directory that this very
/// process was built into.
///
/// # Errors
/// Where it is not, with the command that builds it.
pub fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("LONGSHORE_BIN") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let beside = own.ancestors().skip(1).take(2).map(|it| it.join("longshore"));
    let found = beside.into_iter().find(|it| it.is_file());
    found.ok_or_else(|| {
        let dir = own.parent().unwrap_or(Path::new("/")).display().to_string();
        anyhow!(
            "there is no longshore binary beside {dir}: build it into the same target directory \
             and profile (`cargo build -p longshore-cli`), or name one in LONGSHORE_BIN"
        )
    })
}

/// A `longshore` process. Dropping it kills the process and removes its data directory.
pub struct ServerProcess {
    arguments: Vec<OsString>,
    authority: String,
    running: Option<Announced>,
    data_dir: TempDir,
}

impl ServerProcess {
    /// Starts one on a new data directory and waits until it is ready.
    pub async fn start(options: ServerOptions) -> anyhow::Result<Self> {
        let parent = options.parent_dir.unwrap_or_else(std::env::temp_dir);
        let data_dir = TempDir::with_prefix_in("longshore-load-", parent)?;
        let authority = format!("127.0.0.1:{}", free_port()?);
        let words = options.arguments.into_iter().map(OsString::from);
        let mut arguments: Vec<OsString> = words.collect();
        arguments.extend(["--listen".into(), authority.clone().into()]);
        arguments.extend(["--data-dir".into(), data_dir.path().into()]);
        let mut server = Self { arguments, authority, running: None, data_dir };
        server.restart().await?;
        Ok(server)
    }

    /// Such as `127.0.0.1:20001`; the same after every restart.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Where its state lies.
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    /// The process, unless it was ended.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|it| it.id())
    }

    /// A client that signs with the server's root key.
    pub fn client(&self) -> anyhow::Result<Client> {
        Client::new(&self.authority, RootKey::load(self.data_dir())?)
    }

    /// Ends the process at once, as `kill -9` does.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Asks the process to end and waits until it has.
    pub async fn terminate(&mut self) -> anyhow::Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        signal("TERM", running.id())?;
        let asked = Instant::now();
        while asked.elapsed() < ORDERLY_END {
            if let Some(status) = running.try_wait()? {
                if !status.success() {
                    bail!("asked to end, the server ended with {status}\n{}", self.log());
                }
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("asked to end, the server did not within {ORDERLY_END:?}\n{}", self.log())
    }

    /// Starts it again on the same directory and address, and waits until it is ready. Says how
    /// long that took.
    pub async fn restart(&mut self) -> anyhow::Result<Duration> {
        self.begin()?;
        self.ready().await
    }

    /// Starts it again without waiting.
    pub fn begin(&mut self) -> anyhow::Result<()> {
        self.kill();
        let mut command = longshore()?;
        command.args(&self.arguments).env("LONGSHORE_LOG", "warn");
        let announcement = format!("longshore ready http://{}", self.authority);
        let running = Announced::spawn(command, announcement, &self.log_path())?;
        self.running = Some(running);
        Ok(())
    }

    /// Waits until the process that was begun is ready. Says how long that took since its start.
    pub async fn ready(&mut self) -> anyhow::Result<Duration> {
        let running = self.running.as_mut().context("no process was started")?;
        running
            .announced(PATIENCE)
            .await
            .with_context(|| format!("the server is not ready\n{}", last_lines(&self.log_path())))
    }

    fn log_path(&self) -> PathBuf {
        self.data_dir().join("load-stderr.log")
    }

    /// The end of what it has logged.
    pub fn log(&self) -> String {
        last_lines(&self.log_path())
    }
}

/// A port of loopback that nobody listens on, and that is not given to outgoing connections.
pub fn free_port() -> anyhow::Result<u16> {
    let mut random = Random::new(u64::from(std::process::id()) ^ clock_bits());
    for _ in 0..1000 {
        let port = u16::try_from(random.between(PORTS.0, PORTS.1))?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port between {} and {} is free", PORTS.0, PORTS.1)
}

/// Two processes that start together, and two servers of one process, look at different ports.
fn clock_bits() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |it| it.as_nanos() as u64)
}
