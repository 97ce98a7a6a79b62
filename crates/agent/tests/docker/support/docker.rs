//! Docker as the tests see it, beside the agent.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, ContainerInspectResponse};
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptions, RemoveContainerOptions, RemoveImageOptions,
    RemoveVolumeOptions,
};
use serde_json::Value;

use super::IMAGE;

/// The Engine under test.
pub(crate) fn docker() -> Docker {
    Docker::connect_with_unix_defaults().expect("these tests need a Docker Engine")
}

/// All containers of a task, running or not, in no order. One that goes away between being listed
/// and being looked at is not a container of the task any more.
pub(crate) async fn containers_of(docker: &Docker, task: &str) -> Vec<ContainerInspectResponse> {
    let mut containers = Vec::new();
    for id in ids(docker, format!("com.amazonaws.ecs.task-arn={task}")).await {
        match docker.inspect_container(&id, None).await {
            Ok(container) => containers.push(container),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => {}
            Err(error) => panic!("cannot inspect {id}: {error}"),
        }
    }
    containers
}

/// Removes whatever a container instance of the tests left behind, running or not.
pub(crate) async fn remove_containers_of(docker: &Docker, container_instance: &str) {
    for id in ids(docker, format!("io.longshore.container-instance={container_instance}")).await {
        // Each of these may be gone already, or on its way out.
        let Ok(container) = docker.inspect_container(&id, None).await else { continue };
        let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
        let _ = docker.remove_container(&id, Some(options)).await;
        for volume in container.mounts.into_iter().flatten().filter_map(|it| it.name) {
            let _ = docker.remove_volume(&volume, None::<RemoveVolumeOptions>).await;
        }
    }
}

/// Waits until Docker makes none of the containers any more that an agent with this data directory
/// has asked for. One that was killed may have asked for some that Docker does not show yet.
pub(crate) async fn until_nothing_is_made(docker: &Docker, data_dir: &Path) {
    for name in names_not_made(data_dir) {
        // Docker gives a name away before it makes the container, and to one only.
        let body =
            ContainerCreateBody { image: Some(IMAGE.to_owned()), ..ContainerCreateBody::default() };
        let options = CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
        while docker.inspect_container(&name, None).await.is_err() {
            match docker.create_container(Some(options.clone()), body.clone()).await {
                Err(Error::DockerResponseServerError { status_code: 409, .. }) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Ok(ours) => {
                    let _ = docker.remove_container(&ours.id, None).await;
                    break;
                }
                Err(_) => break,
            }
        }
    }
}

/// Of containers that tasks on file were to have, and of which the agent did not see the making.
fn names_not_made(data_dir: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(data_dir.join("tasks")).into_iter().flatten().flatten() {
        let text = std::fs::read(entry.path()).unwrap_or_default();
        let task: Value = serde_json::from_slice(&text).unwrap_or_default();
        let containers = task["containers"].as_array().into_iter().flatten();
        let not_made =
            containers.filter(|it| it["docker_id"].is_null() && it["known"] != "Stopped");
        names.extend(not_made.filter_map(|it| it["docker_name"].as_str().map(str::to_owned)));
    }
    names
}

/// Does what is to be done in Docker at the end of a test, also of one that failed: where a value
/// is dropped nobody can wait for anything.
pub(crate) fn at_the_end<T: Future<Output = ()>>(work: impl FnOnce(Docker) -> T + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let done = std::thread::spawn(move || runtime.block_on(async { work(docker()).await }));
    let _ = done.join();
}

/// The name of an image that is taken from Docker at the end.
pub(crate) struct ImageName(pub(crate) String);

impl Drop for ImageName {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.0);
        at_the_end(|docker| async move {
            let options = RemoveImageOptions { force: true, ..Default::default() };
            // The test may have done it.
            let _ = docker.remove_image(&name, Some(options), None).await;
        });
    }
}

async fn ids(docker: &Docker, label: String) -> Vec<String> {
    let options = ListContainersOptions {
        all: true,
        filters: Some(HashMap::from([("label".to_owned(), vec![label])])),
        ..Default::default()
    };
    let containers = docker.list_containers(Some(options)).await.unwrap();
    containers.into_iter().filter_map(|it| it.id).collect()
}
