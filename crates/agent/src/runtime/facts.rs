//! What the Engine says of itself and of its host, once at start.

use bollard::models::{SystemInfo, SystemVersion};

use super::daemon::{Answer, Daemon, answer};

/// Since this API version (Docker 20.10) the least memory limit is 6 MiB; before, 4.
const API_OF_6_MIB: (u32, u32) = (1, 41);

/// The host as its Docker Engine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Such as `20.10.24`.
    pub(crate) docker_version: String,
    /// The newest API version that the Engine speaks.
    pub(crate) api_version: (u32, u32),
    /// Logical CPUs.
    pub(crate) cpus: u32,
    /// The memory of the host.
    pub(crate) memory_mib: u32,
    /// Such as `x86_64`.
    pub(crate) architecture: String,
    /// Who manages control groups: `cgroupfs` or `systemd`.
    pub(crate) cgroup_driver: Option<String>,
    /// `1` or `2`.
    pub(crate) cgroup_version: Option<String>,
    /// Drivers of volumes that the Engine has.
    pub(crate) volume_drivers: Vec<String>,
    /// Log drivers that the Engine has, but for `none`.
    pub(crate) log_drivers: Vec<String>,
    /// Such as `apparmor`, `seccomp`, `selinux`: what confines containers here.
    pub(crate) security_modules: Vec<String>,
    /// The host's name for itself.
    pub(crate) host_name: String,
}

impl Daemon {
    /// Asks the Engine about itself; waits for it to answer.
    ///
    /// # Errors
    /// The Engine's own words when it answers with an error.
    pub(crate) async fn facts(&self) -> Result<Facts, String> {
        loop {
            let (version, info) = tokio::join!(self.docker.version(), self.docker.info());
            match (answer(version), answer(info)) {
                (Answer::Done(version), Answer::Done(info)) => return Ok(read(version, info)),
                (Answer::Away, _) | (_, Answer::Away) => self.back().await,
                (Answer::Refused(it), _) | (_, Answer::Refused(it)) => return Err(it.text),
            }
        }
    }
}

impl Facts {
    /// Below this the Engine refuses a memory limit.
    pub(crate) fn least_memory_mib(&self) -> u32 {
        if self.api_version >= API_OF_6_MIB { 6 } else { 4 }
    }
}

fn read(version: SystemVersion, info: SystemInfo) -> Facts {
    let api_version = version.api_version.as_deref().and_then(parse_api_version);
    let memory_mib = info.mem_total.unwrap_or_default() / (1024 * 1024);
    let plugins = info.plugins.unwrap_or_default();
    Facts {
        docker_version: version.version.unwrap_or_default(),
        api_version: api_version.unwrap_or_default(),
        cpus: info.ncpu.and_then(|it| u32::try_from(it).ok()).unwrap_or_default(),
        memory_mib: u32::try_from(memory_mib).unwrap_or_default(),
        architecture: info.architecture.unwrap_or_default(),
        cgroup_driver: info.cgroup_driver.map(|it| it.to_string()),
        cgroup_version: info.cgroup_version.map(|it| it.to_string()),
        volume_drivers: plugins.volume.unwrap_or_default(),
        log_drivers: plugins.log.unwrap_or_default(),
        security_modules: security_modules(&info.security_options.unwrap_or_default()),
        host_name: info.name.unwrap_or_default(),
    }
}

/// Of options such as `name=seccomp,profile=default`, and `apparmor` as older Engines say it.
fn security_modules(options: &[String]) -> Vec<String> {
    let first = options.iter().filter_map(|it| it.split(',').next());
    first.map(|it| it.strip_prefix("name=").unwrap_or(it).to_owned()).collect()
}

fn parse_api_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
