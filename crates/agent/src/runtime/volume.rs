//! Docker volumes of which the task definition says more than a name.

use bollard::models::VolumeCreateRequest;

use super::daemon::{Answer, Daemon, answer};
use crate::engine::{DockerVolumeSpec, Failure, Reason, VolumeScope};

impl Daemon {
    /// Makes the volume, or finds it there. Done again, it changes nothing.
    ///
    /// # Errors
    /// Why the task cannot have it.
    pub(crate) async fn provide_volume(&self, volume: &DockerVolumeSpec) -> Result<(), Reason> {
        let DockerVolumeSpec { docker_name, scope, .. } = volume;
        let failed = |text: String| Failure::CannotCreateVolume.because(text);
        loop {
            let is_there = match answer(self.docker.inspect_volume(docker_name).await) {
                Answer::Done(_) => true,
                Answer::Refused(refusal) if refusal.status == 404 => false,
                Answer::Refused(refusal) => return Err(failed(refusal.text)),
                Answer::Away => {
                    self.back().await;
                    continue;
                }
            };
            match scope {
                _ if is_there => return Ok(()),
                VolumeScope::Shared => {
                    let text = format!(
                        "shared volume {docker_name:?} does not exist and is not to be created"
                    );
                    return Err(failed(text));
                }
                VolumeScope::Task | VolumeScope::SharedAutoprovision => {}
            }
            match answer(self.docker.create_volume(wish(volume)).await) {
                Answer::Done(_) => return Ok(()),
                Answer::Refused(refusal) => return Err(failed(refusal.text)),
                Answer::Away => self.back().await,
            }
        }
    }
}

fn wish(volume: &DockerVolumeSpec) -> VolumeCreateRequest {
    VolumeCreateRequest {
        name: Some(volume.docker_name.clone()),
        driver: volume.driver.clone(),
        driver_opts: Some(volume.driver_opts.clone().into_iter().collect()),
        labels: Some(volume.labels.clone().into_iter().collect()),
        ..Default::default()
    }
}
