//! Docker as the tests see it, beside the agent.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    ListContainersOptions, RemoveContainerOptions, RemoveVolumeOptions,
};

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

async fn ids(docker: &Docker, label: String) -> Vec<String> {
    let options = ListContainersOptions {
        all: true,
        filters: Some(HashMap::from([("label".to_owned(), vec![label])])),
        ..Default::default()
    };
    let containers = docker.list_containers(Some(options)).await.unwrap();
    containers.into_iter().filter_map(|it| it.id).collect()
}
