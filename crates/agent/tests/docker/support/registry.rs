//! A registry that wants a login: Debian's `docker-registry`, on a port of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::models::{ContainerConfig, ContainerCreateBody};
use bollard::query_parameters::{
    CommitContainerOptions, CreateImageOptions, PushImageOptions, RemoveImageOptions,
    TagImageOptions,
};
use futures_util::TryStreamExt;

use super::docker::ImageName;
use super::{IMAGE, World};
use crate::lifecycle::{free_port, until};

pub(crate) const USERNAME: &str = "deploy";
pub(crate) const PASSWORD: &str = "hunter2";
/// Of that password, with bcrypt, which is all that the registry takes.
const HTPASSWD: &str = "deploy:$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.\n";

/// Runs until it is dropped.
pub(crate) struct Registry {
    process: Child,
    /// Where Docker finds it; what leads there may be somebody else's.
    pub(crate) host: String,
    log: PathBuf,
    certificates: Option<Certificates>,
    /// Docker may have them under these.
    names: Mutex<Vec<ImageName>>,
}

/// Where Docker looks for whom to trust, for one registry; removed when it is dropped.
struct Certificates(PathBuf);

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        // As it was, unless somebody else has something there.
        let _ = self.0.parent().map(fs::remove_dir);
    }
}

impl Registry {
    pub(crate) async fn start(world: &World) -> Self {
        let host = format!("127.0.0.1:{}", free_port());
        Self::at(world, host, "").await
    }

    /// One that speaks TLS. It is on an address at which Docker would not do with less: Docker's
    /// own, on its bridge. Nobody vouches for it as yet.
    pub(crate) async fn start_with_tls(world: &World) -> Self {
        let bridge = world.docker.inspect_network("bridge", None).await.unwrap();
        let configs = bridge.ipam.unwrap().config.unwrap();
        let address = configs.into_iter().find_map(|it| it.gateway).unwrap();
        let made = rcgen::generate_simple_self_signed([address.clone()]).unwrap();
        let (certificate, key) = (world.dir.path().join("cert"), world.dir.path().join("key"));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let (certificate, key) = (certificate.display(), key.display());
        let tls = format!(", tls: {{certificate: {certificate}, key: {key}}}");
        Self::at(world, format!("{address}:{}", free_port()), &tls).await
    }

    /// Has Docker trust the registry's certificate.
    pub(crate) fn vouch(&mut self, world: &World) {
        let dir = Path::new("/etc/docker/certs.d").join(&self.host);
        fs::create_dir_all(&dir).unwrap();
        let certificates = Certificates(dir);
        fs::copy(world.dir.path().join("cert"), certificates.0.join("ca.crt")).unwrap();
        self.certificates = Some(certificates);
    }

    async fn at(world: &World, host: String, tls: &str) -> Self {
        let dir = world.dir.path().join("registry");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("htpasswd"), HTPASSWD).unwrap();
        fs::write(dir.join("config.yml"), configuration(&dir, &host, tls)).unwrap();
        let log = dir.join("log");
        let output = File::create(&log).unwrap();
        let program = std::env::var("DOCKER_REGISTRY").unwrap_or("docker-registry".to_owned());
        let process = Command::new(program)
            .arg("serve")
            .arg(dir.join("config.yml"))
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .stdin(Stdio::null())
            .spawn()
            .expect("docker-registry is needed: scripts/test gets it, DOCKER_REGISTRY names it");
        until(|| async { tokio::net::TcpStream::connect(&host).await.is_ok() }).await;
        Self { process, host, log, certificates: None, names: Mutex::default() }
    }

    /// How often it told of the manifest of an image that is called so.
    pub(crate) fn pulls(&self, name: &str) -> usize {
        let log = fs::read_to_string(&self.log).unwrap();
        let manifest = format!("/v2/{name}/manifests/");
        let of_it = log.lines().filter(|it| it.contains(&manifest));
        of_it.filter(|it| it.contains(" HTTP/1.1\" 200 ")).count()
    }

    /// Puts an image into the registry that Docker does not have any more. Gives its name.
    pub(crate) async fn push_new(&self, docker: &Docker, name: &str) -> String {
        let body =
            ContainerCreateBody { image: Some(IMAGE.to_owned()), ..ContainerCreateBody::default() };
        let made = docker.create_container(None, body).await.unwrap();
        let image = self.name(name);
        let options = CommitContainerOptions {
            container: Some(made.id.clone()),
            repo: Some(format!("{}/{name}", self.host)),
            tag: Some("1".to_owned()),
            ..CommitContainerOptions::default()
        };
        docker.commit_container(options, ContainerConfig::default()).await.unwrap();
        docker.remove_container(&made.id, None).await.unwrap();
        self.push_present(docker, name).await;
        self.forget(docker, &image).await;
        image
    }

    /// Puts the tests' image into the registry under this name, and takes the name from Docker
    /// again. Gives the image's name and digest.
    pub(crate) async fn push(&self, docker: &Docker, name: &str) -> (String, String) {
        let (repository, image) = (format!("{}/{name}", self.host), self.name(name));
        let tag = TagImageOptions { repo: Some(repository.clone()), tag: Some("1".to_owned()) };
        docker.tag_image(IMAGE, Some(tag)).await.unwrap();
        self.push_present(docker, name).await;
        let digests = docker.inspect_image(&image).await.unwrap().repo_digests.unwrap();
        let mut digests =
            digests.iter().filter_map(|it| it.strip_prefix(&format!("{repository}@")));
        let digest = digests.next().unwrap().to_owned();
        self.forget(docker, &image).await;
        (image, digest)
    }

    /// The name of an image here, which is none of Docker's any more when the registry ends.
    fn name(&self, name: &str) -> String {
        let image = format!("{}/{name}:1", self.host);
        self.names.lock().unwrap().push(ImageName(image.clone()));
        image
    }

    async fn push_present(&self, docker: &Docker, name: &str) {
        let repository = format!("{}/{name}", self.host);
        let options = PushImageOptions { tag: Some("1".to_owned()), ..Default::default() };
        let push = docker.push_image(&repository, Some(options), Some(self.credentials()));
        push.try_collect::<Vec<_>>().await.unwrap();
    }

    /// Gets the image as somebody else would.
    pub(crate) async fn pull(&self, docker: &Docker, image: &str) {
        let options =
            CreateImageOptions { from_image: Some(image.to_owned()), ..Default::default() };
        let pull = docker.create_image(Some(options), None, Some(self.credentials()));
        pull.try_collect::<Vec<_>>().await.unwrap();
    }

    fn credentials(&self) -> DockerCredentials {
        DockerCredentials {
            username: Some(USERNAME.to_owned()),
            password: Some(PASSWORD.to_owned()),
            serveraddress: Some(self.host.clone()),
            ..Default::default()
        }
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

fn configuration(dir: &Path, host: &str, tls: &str) -> String {
    let dir = dir.display();
    format!(
        "version: 0.1\n\
         storage: {{filesystem: {{rootdirectory: {dir}/images}}}}\n\
         http: {{addr: {host}{tls}}}\n\
         auth: {{htpasswd: {{realm: tests, path: {dir}/htpasswd}}}}\n"
    )
}
