//! The data directory, and what `longshore env` finds in it.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Context, bail};

/// Makes the directory, readable by its owner alone, unless it is there.
pub(crate) fn create(dir: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("the data directory {} cannot be made", dir.display()))
}

/// Takes an agent's directory for this process, for as long as the file lives. Two agents that
/// were the same container instance would push each other off their connection for ever.
pub(crate) fn lock_agent(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("lock");
    let file = File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "{} is in use by another process; stop that one, or choose another data directory",
            dir.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

/// Where a server of this machine is reached.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Endpoint {
    /// Such as `http://127.0.0.1:8327`.
    pub(crate) url: String,
    /// The region to sign for.
    pub(crate) region: String,
}

const FILE: &str = "endpoint.json";

impl Endpoint {
    /// Notes it for `longshore env`.
    pub(crate) fn save(&self, dir: &Path) -> anyhow::Result<()> {
        let path = dir.join(FILE);
        fs::write(&path, serde_json::to_vec(self)?)
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    /// What the server that last started on this directory noted.
    pub(crate) fn load(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let text = fs::read(&path).with_context(|| {
            format!(
                "{} cannot be read: has a server been started with --data-dir {}?",
                path.display(),
                dir.display()
            )
        })?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_directory_is_one_processes() {
        let dir = tempfile::tempdir().unwrap();
        let first = lock_agent(dir.path()).unwrap();
        let error = lock_agent(dir.path()).unwrap_err().to_string();
        assert!(error.contains("is in use by another process"), "{error}");
        drop(first);
        lock_agent(dir.path()).unwrap();
    }
}
