//! A Docker Engine of the benchmark's own: its data, its network and its processes go with it, and
//! the machine's engine is never in a swarm.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bollard::query_parameters::{ListContainersOptions, RemoveContainerOptions};
use bollard::{API_DEFAULT_VERSION, Docker};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::IMAGE;

/// How long it may take to start, and to be calm again.
const PATIENCE: Duration = Duration::from_secs(90);

/// Containers' removals at a time.
const REMOVALS: usize = 4;

/// Of the engine, over a look, below which it counts as calm: as much of a core.
const CALM: f64 = 0.1;
const LOOK: Duration = Duration::from_millis(200);

/// Joins the control group that counts the engine's CPU, and has a place of its own for the sockets
/// of containers' shims, which are the same for all engines.
const BEGIN: &str = r#"
echo 0 > "$1/cgroup.procs" && shift &&
mkdir -p /run/containerd && mount -t tmpfs none /run/containerd && exec "$@""#;

/// Removes all of itself when it is dropped.
pub(super) struct Engine {
    pub(super) docker: Docker,
    /// Of network and control groups.
    name: String,
    process: Child,
    dir: TempDir,
}

impl Engine {
    /// Starts one and gives it the image.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix_in("lsb", "/tmp")?;
        let name = format!("lsbench{}", std::process::id());
        make_network(&name).context("a network namespace is needed, which takes root")?;
        let process = match begin(&name, dir.path()) {
            Ok(process) => process,
            Err(error) => {
                remove_traces(&name);
                return Err(error.context("dockerd cannot be started"));
            }
        };
        let socket = socket(dir.path());
        // From here on dropping it ends the process.
        let docker = Docker::connect_with_local_defaults()?;
        let mut engine = Self { docker, name, process, dir };
        let since = Instant::now();
        loop {
            let path = socket.to_string_lossy();
            if let Ok(docker) = Docker::connect_with_unix(&path, 120, API_DEFAULT_VERSION)
                && docker.ping().await.is_ok()
            {
                engine.docker = docker;
                break;
            }
            if engine.process.try_wait()?.is_some() || since.elapsed() > PATIENCE {
                bail!("dockerd does not answer:\n{}", engine.log());
            }
            sleep(LOOK).await;
        }
        engine.load_image()?;
        Ok(engine)
    }

    /// For those who are told where it is.
    pub(super) fn address(&self) -> String {
        format!("unix://{}", socket(self.dir.path()).display())
    }

    /// What it and its containers have used so far.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        let version_1 = Path::new("/sys/fs/cgroup/cpuacct").join(&self.name);
        if let Ok(nanos) = fs::read_to_string(version_1.join("cpuacct.usage")) {
            return Ok(Duration::from_nanos(nanos.trim().parse()?));
        }
        let version_2 = Path::new("/sys/fs/cgroup").join(&self.name).join("cpu.stat");
        let text = fs::read_to_string(version_2).context("the engine's CPU is not counted")?;
        let micros = text.lines().find_map(|it| it.strip_prefix("usage_usec "));
        Ok(Duration::from_micros(micros.context("cpu.stat is odd")?.trim().parse()?))
    }

    /// All containers, running or not.
    pub(super) async fn containers(&self) -> anyhow::Result<Vec<String>> {
        let options = ListContainersOptions { all: true, ..Default::default() };
        let found = self.docker.list_containers(Some(options)).await?;
        Ok(found.into_iter().filter_map(|it| it.id).collect())
    }

    /// Removes all containers, and waits until it has calmed down.
    pub(super) async fn clear(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let ids = self.containers().await?;
            if ids.is_empty() {
                return self.is_calm().await;
            }
            for chunk in ids.chunks(REMOVALS) {
                let mut removals = JoinSet::new();
                for id in chunk {
                    let (docker, id) = (self.docker.clone(), id.clone());
                    removals.spawn(async move {
                        let options =
                            RemoveContainerOptions { force: true, v: true, ..Default::default() };
                        // Whether it is gone is asked above.
                        let _ = docker.remove_container(&id, Some(options)).await;
                    });
                }
                removals.join_all().await;
            }
        }
        bail!("there are containers left after {PATIENCE:?}")
    }

    /// Waits until it uses next to no CPU.
    pub(super) async fn is_calm(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let (before, looked_at) = (self.cpu()?, Instant::now());
            sleep(LOOK).await;
            let used = self.cpu()?.saturating_sub(before).as_secs_f64();
            if used < CALM * looked_at.elapsed().as_secs_f64() {
                return Ok(());
            }
        }
        bail!("the engine has not calmed down after {PATIENCE:?}")
    }

    /// Removes its containers, then everything.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.clear().await
    }

    fn load_image(&self) -> anyhow::Result<()> {
        let mut save = Command::new("docker")
            .args(["save", IMAGE])
            .stdout(Stdio::piped())
            .spawn()
            .context("the program docker is needed")?;
        let image = save.stdout.take().context("there is no pipe")?;
        let loaded = Command::new("docker")
            .args(["--host", &self.address(), "load", "--quiet"])
            .stdin(image)
            .stdout(Stdio::null())
            .status()?;
        if !save.wait()?.success() || !loaded.success() {
            bail!("there is no image {IMAGE}");
        }
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The first of its PID namespace goes with it, and thereby all: engine, shims, containers.
        let _ = self.process.kill();
        let _ = self.process.wait();
        remove_traces(&self.name);
    }
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("s")
}

/// Without a way out: nothing is to be fetched, and an attempt to do so fails at once.
fn make_network(name: &str) -> anyhow::Result<()> {
    run(&["ip", "netns", "add", name])?;
    let made = run(&["ip", "-n", name, "link", "set", "lo", "up"]);
    if made.is_err() {
        remove_traces(name);
    }
    made
}

fn begin(name: &str, dir: &Path) -> anyhow::Result<Child> {
    let group = own_group(name)?;
    fs::write(dir.join("daemon.json"), "{}")?; // else it would read that of the machine
    fs::create_dir(dir.join("run"))?;
    let log = File::create(dir.join("log"))?;
    let at = |it: &str| dir.join(it).into_os_string();
    Ok(Command::new("nsenter")
        .arg(format!("--net=/run/netns/{name}"))
        .args(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"])
        .args(["sh", "-c", BEGIN, "-"])
        .arg(group)
        .args(["dockerd", "--host"])
        .arg(format!("unix://{}", socket(dir).display()))
        .arg("--config-file")
        .arg(at("daemon.json"))
        .arg("--data-root")
        .arg(at("data"))
        .arg("--exec-root")
        .arg(at("run/exec"))
        .arg("--pidfile")
        .arg(at("run/pid"))
        .args(["--bip", "10.215.0.1/23", "--exec-opt", "native.cgroupdriver=cgroupfs"])
        .arg("--cgroup-parent")
        .arg(format!("/{name}/containers"))
        // Swarm mode, too, is to take the image that is there, and not to knock at a registry.
        .env("DOCKER_SERVICE_PREFER_OFFLINE_IMAGE", "1")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // What is typed at this terminal is for this process.
        .process_group(0)
        .spawn()?)
}

/// Where the engine's own processes are counted, beside its containers.
fn own_group(name: &str) -> io::Result<PathBuf> {
    let version_1 = Path::new("/sys/fs/cgroup/cpuacct");
    let top = if version_1.is_dir() { version_1 } else { Path::new("/sys/fs/cgroup") };
    let group = top.join(name).join("engine");
    fs::create_dir_all(&group)?;
    Ok(group)
}

fn remove_traces(name: &str) {
    let _ = run(&["ip", "netns", "del", name]);
    let since = Instant::now();
    // A group can be removed once its processes are gone.
    while since.elapsed() < Duration::from_secs(10) && !remove_groups(name) {
        std::thread::sleep(LOOK);
    }
}

fn remove_groups(name: &str) -> bool {
    let top = Path::new("/sys/fs/cgroup");
    let hierarchies =
        fs::read_dir(top).into_iter().flatten().flatten().map(|it| it.path().join(name));
    let all = std::iter::once(top.join(name)).chain(hierarchies);
    all.filter(|it| it.is_dir()).map(|it| remove_tree(&it)).fold(true, |all, it| all & it)
}

fn remove_tree(dir: &Path) -> bool {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|it| it.path());
    for child in entries.filter(|it| it.is_dir()) {
        remove_tree(&child);
    }
    fs::remove_dir(dir).is_ok()
}

fn run(command: &[&str]) -> anyhow::Result<()> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let done = Command::new(program).args(arguments).output()?;
    if !done.status.success() {
        bail!("{}: {}", command.join(" "), String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
