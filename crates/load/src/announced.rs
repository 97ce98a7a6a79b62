//! A process that says when it is ready, in a line of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::sync::oneshot;

/// Dropping it ends the process at once, as `kill -9` does.
pub(crate) struct Announced {
    child: Child,
    ready: Option<oneshot::Receiver<()>>,
    since: Instant,
}

impl Drop for Announced {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Announced {
    /// Starts the process, which is ready once it prints `announcement`; what it logs is added to
    /// the file.
    pub(crate) fn spawn(
        mut command: Command,
        announcement: String,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let since = Instant::now();
        let program = command.get_program().to_owned();
        let mut child =
            command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let (tell, ready) = oneshot::channel();
        let lines = child.stdout.take().map(BufReader::new);
        // Reads to the end, so that the process never waits for a reader.
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in lines.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                if line == announcement
                    && let Some(tell) = tell.take()
                {
                    let _ = tell.send(());
                }
            }
        });
        Ok(Self { child, ready: Some(ready), since })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn try_wait(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it is ready. Says how long that took since its start.
    pub(crate) async fn announced(&mut self, patience: Duration) -> anyhow::Result<Duration> {
        if let Some(ready) = self.ready.take() {
            match tokio::time::timeout(patience, ready).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => bail!("it ended before it was ready"),
                Err(_) => bail!("it was not ready after {patience:?}"),
            }
        }
        Ok(self.since.elapsed())
    }
}

/// The end of a log.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(20);
    lines.get(last..).unwrap_or_default().join("\n")
}
