//! The data directory, and what `longshore env` finds in it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Context;

/// Makes the directory, readable by its owner alone, unless it is there.
pub(crate) fn create(dir: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("the data directory {} cannot be made", dir.display()))
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
