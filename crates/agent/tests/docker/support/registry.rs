//! A registry that wants a login: Debian's `docker-registry`, on a port of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::{PushImageOptions, RemoveImageOptions, TagImageOptions};
use futures_util::TryStreamExt;

use super::{IMAGE, World};
use crate::lifecycle::{free_port, until};

pub(crate) const USERNAME: &str = "deploy";
pub(crate) const PASSWORD: &str = "hunter2";
/// Of that password, with bcrypt, which is all that the registry takes.
const HTPASSWD: &str = "deploy:$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.\n";

/// Runs until it is dropped.
pub(crate) struct Registry {
    process: Child,
    host: String,
}

impl Registry {
    pub(crate) async fn start(world: &World) -> Self {
        let dir = world.dir.path().join("registry");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("htpasswd"), HTPASSWD).unwrap();
        let host = format!("127.0.0.1:{}", free_port());
        std::fs::write(dir.join("config.yml"), configuration(&dir, &host)).unwrap();
        let program = std::env::var("DOCKER_REGISTRY").unwrap_or("docker-registry".to_owned());
        let process = Command::new(program)
            .arg("serve")
            .arg(dir.join("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is needed: scripts/test gets it, DOCKER_REGISTRY names it");
        until(|| async { tokio::net::TcpStream::connect(&host).await.is_ok() }).await;
        Self { process, host }
    }

    /// Puts the tests' image into the registry under this name, and takes the name from Docker
    /// again. Gives the image's name and digest.
    pub(crate) async fn push(&self, docker: &Docker, name: &str) -> (String, String) {
        let repository = format!("{}/{name}", self.host);
        let tag = TagImageOptions { repo: Some(repository.clone()), tag: Some("1".to_owned()) };
        docker.tag_image(IMAGE, Some(tag)).await.unwrap();
        let options = PushImageOptions { tag: Some("1".to_owned()), ..Default::default() };
        let credentials = DockerCredentials {
            username: Some(USERNAME.to_owned()),
            password: Some(PASSWORD.to_owned()),
            serveraddress: Some(self.host.clone()),
            ..Default::default()
        };
        let push = docker.push_image(&repository, Some(options), Some(credentials));
        push.try_collect::<Vec<_>>().await.unwrap();
        let image = format!("{repository}:1");
        let digests = docker.inspect_image(&image).await.unwrap().repo_digests.unwrap();
        let mut digests =
            digests.iter().filter_map(|it| it.strip_prefix(&format!("{repository}@")));
        let digest = digests.next().unwrap().to_owned();
        self.forget(docker, &image).await;
        (image, digest)
    }

    /// Takes the image's name from Docker.
    pub(crate) async fn forget(&self, docker: &Docker, image: &str) {
        let options = RemoveImageOptions { force: true, ..Default::default() };
        docker.remove_image(image, Some(options), None).await.unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(dir: &Path, host: &str) -> String {
    let dir = dir.display();
    format!(
        "version: 0.1\n\
         storage: {{filesystem: {{rootdirectory: {dir}/images}}}}\n\
         http: {{addr: {host}}}\n\
         auth: {{htpasswd: {{realm: tests, path: {dir}/htpasswd}}}}\n"
    )
}
