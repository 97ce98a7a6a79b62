//! A volume of a task.

use longshore_model::ContainerName;
use longshore_model::task_definition::{DockerVolume, Volume, VolumeScope};
use longshore_wire::ecs;

use super::one_of;
use crate::api::exception::Exception;

/// Reads one volume.
pub(super) fn parse(sent: ecs::Volume) -> Result<Volume, Exception> {
    let name = sent.name.unwrap_or_default();
    if name.parse::<ContainerName>().is_err() {
        return Err(Exception::client("Volume.name contains invalid characters."));
    }
    let path = sent.host.and_then(|it| it.source_path).filter(|it| !it.is_empty());
    if path.as_ref().is_some_and(|it| !it.starts_with('/') || it.contains([':', '\0'])) {
        return Err(Exception::client(format!(
            "Invalid 'sourcePath' setting for volume '{name}'. It must be an absolute path without colons."
        )));
    }
    let docker = sent.docker_volume_configuration.map(|it| docker(it, &name)).transpose()?;
    if path.is_some() && docker.is_some() {
        return Err(Exception::client(format!(
            "Only one of 'host' and 'dockerVolumeConfiguration' can be specified for volume '{name}'."
        )));
    }
    Ok(Volume { name, host_source_path: path, docker })
}

fn docker(sent: ecs::DockerVolumeConfiguration, volume: &str) -> Result<DockerVolume, Exception> {
    let scope = one_of(sent.scope, VolumeScope::parse, "Docker volume scope", "task,shared")?;
    if sent.autoprovision == Some(true) && scope != Some(VolumeScope::Shared) {
        return Err(Exception::client(format!(
            "Invalid 'autoprovision' setting for volume '{volume}'. It is for volumes of scope shared; those of scope task are always made."
        )));
    }
    let driver = sent.driver.filter(|it| !it.is_empty());
    let allowed = |it: char| it.is_ascii_alphanumeric() || "-_./:@".contains(it);
    if driver.as_ref().is_some_and(|it| it.len() > 255 || !it.chars().all(allowed)) {
        return Err(Exception::client(format!("Invalid 'driver' setting for volume '{volume}'.")));
    }
    Ok(DockerVolume {
        scope,
        autoprovision: sent.autoprovision,
        driver,
        driver_opts: sent.driver_opts,
        labels: sent.labels,
    })
}
