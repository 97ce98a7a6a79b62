//! A registry with the tasks' image, so that agents are killed while they pull, too.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bollard::query_parameters::{PushImageOptions, TagImageOptions};
use futures_util::TryStreamExt;
use tempfile::TempDir;

use super::containers::Containers;
use crate::server_process::free_port;

const PROBE: &str = "longshore-probe:latest";
const TAG: &str = "1";
const PATIENCE: Duration = Duration::from_secs(20);

/// Debian's `docker-registry`. Dropping it ends it and takes the image's name from Docker.
pub(super) struct Registry {
    process: Child,
    image: String,
    _dir: TempDir,
}

impl Registry {
    pub(super) async fn start(containers: &Containers) -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix("longshore-load-registry-")?;
        let host = format!("127.0.0.1:{}", free_port()?);
        let configuration = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: {host}}}\n",
            dir.path().join("images").display()
        );
        let path = dir.path().join("config.yml");
        std::fs::write(&path, configuration)?;
        let program = std::env::var("DOCKER_REGISTRY").unwrap_or("docker-registry".to_owned());
        let process = Command::new(program)
            .arg("serve")
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("docker-registry is needed: DOCKER_REGISTRY names it")?;
        let repository = format!("{host}/longshore-faults");
        let registry = Self { process, image: format!("{repository}:{TAG}"), _dir: dir };
        let since = Instant::now();
        while TcpStream::connect(&host).is_err() {
            if since.elapsed() > PATIENCE {
                bail!("the registry does not answer at {host}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let tag = TagImageOptions { repo: Some(repository.clone()), tag: Some(TAG.into()) };
        let docker = &containers.docker;
        docker.tag_image(PROBE, Some(tag)).await.with_context(|| format!("there is no {PROBE}"))?;
        let options = PushImageOptions { tag: Some(TAG.into()), ..Default::default() };
        docker.push_image(&repository, Some(options), None).try_collect::<Vec<_>>().await?;
        Ok(registry)
    }

    /// Its name, which leads to this registry.
    pub(super) fn image(&self) -> &str {
        &self.image
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = Command::new("docker").args(["rmi", &self.image]).output();
    }
}
