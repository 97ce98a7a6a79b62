//! What an earlier run of this agent left in Docker, found by its labels.

use std::collections::HashMap;

use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptions;
use tracing::warn;

use super::body::{CONTAINER_LABEL, INSTANCE_LABEL, TASK_LABEL};
use super::daemon::{Answer, Daemon, answer};
use super::exit::{Standing, standing};
use super::start::bindings_of;
use crate::engine::{Found, Marks};

/// Docker ids of this container instance's containers, by task and name. Taken once, when the
/// agent starts, before it obeys anything.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    docker_ids: HashMap<String, HashMap<String, Vec<String>>>,
}

impl Inventory {
    /// Takes out what is left of a task: Docker ids by container name, mostly one each.
    pub(crate) fn take(&mut self, task_arn: &str) -> HashMap<String, Vec<String>> {
        self.docker_ids.remove(task_arn).unwrap_or_default()
    }

    fn read(containers: Vec<ContainerSummary>) -> Self {
        let mut inventory = Self::default();
        for container in containers {
            let (Some(id), Some(mut labels)) = (container.id, container.labels) else { continue };
            let labels = (labels.remove(TASK_LABEL), labels.remove(CONTAINER_LABEL));
            let (Some(task), Some(name)) = labels else { continue };
            let of_task = inventory.docker_ids.entry(task).or_default();
            of_task.entry(name).or_default().push(id);
        }
        inventory
    }
}

impl Daemon {
    /// Lists all containers of this container instance, running or not.
    ///
    /// # Errors
    /// The Engine's own words when it answers with an error.
    pub(crate) async fn inventory(&self, container_instance: &str) -> Result<Inventory, String> {
        loop {
            let label = format!("{INSTANCE_LABEL}={container_instance}");
            let options = ListContainersOptions {
                all: true,
                filters: Some(HashMap::from([("label".to_owned(), vec![label])])),
                ..Default::default()
            };
            match answer(self.docker.list_containers(Some(options)).await) {
                Answer::Done(containers) => return Ok(Inventory::read(containers)),
                Answer::Refused(refusal) => return Err(refusal.text),
                Answer::Away => self.back().await,
            }
        }
    }

    /// How the container stands now.
    pub(crate) async fn find(&self, docker_id: &str) -> Found {
        loop {
            let container = match self.inspect(docker_id).await {
                Ok(Some(container)) => container,
                Ok(None) => return Found::Missing,
                Err(refusal) => {
                    warn!(container = docker_id, error = refusal.text, "cannot inspect");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    continue;
                }
            };
            let name = container.name.as_deref().unwrap_or_default();
            let docker_name = name.trim_start_matches('/').to_owned();
            let marks = Marks { docker_name, docker_id: docker_id.to_owned() };
            return match standing(&container) {
                Standing::Created => Found::Created(marks),
                Standing::Running => {
                    let network_bindings = bindings_of(&container);
                    Found::Running { marks, network_bindings }
                }
                Standing::Exited(exit) => Found::Exited { marks, exit },
            };
        }
    }
}
