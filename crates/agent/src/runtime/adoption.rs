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
        self.list(container_instance, []).await.map(Inventory::read)
    }

    /// Containers of this container instance that were made and never started: Docker id and task.
    ///
    /// # Errors
    /// The Engine's own words when it answers with an error.
    pub(crate) async fn never_started(
        &self,
        container_instance: &str,
    ) -> Result<Vec<(String, String)>, String> {
        let status = ("status", "created".to_owned());
        let containers = self.list(container_instance, [status]).await?;
        let with_task = |it: ContainerSummary| Some((it.id?, it.labels?.remove(TASK_LABEL)?));
        Ok(containers.into_iter().filter_map(with_task).collect())
    }

    /// Of this container instance, running or not, and as the filters say.
    async fn list(
        &self,
        container_instance: &str,
        filters: impl IntoIterator<Item = (&str, String)>,
    ) -> Result<Vec<ContainerSummary>, String> {
        let label = ("label", format!("{INSTANCE_LABEL}={container_instance}"));
        let filters = filters.into_iter().chain([label]);
        let filters: HashMap<_, _> =
            filters.map(|(name, value)| (name.to_owned(), vec![value])).collect();
        loop {
            let options = ListContainersOptions {
                all: true,
                filters: Some(filters.clone()),
                ..Default::default()
            };
            match answer(self.docker.list_containers(Some(options)).await) {
                Answer::Done(containers) => return Ok(containers),
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
