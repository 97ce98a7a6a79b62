//! The containers of one cluster's tasks, as Docker knows them.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummaryStateEnum,
};
use bollard::query_parameters::ListContainersOptions;
use futures_util::future::try_join_all;

const CLUSTER_LABEL: &str = "com.amazonaws.ecs.cluster";
const TASK_LABEL: &str = "com.amazonaws.ecs.task-arn";
const NAME_LABEL: &str = "com.amazonaws.ecs.container-name";

/// What Docker says of all of them at one time, by id.
pub(super) type Snapshot = HashMap<String, Container>;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Container {
    pub(super) task: String,
    /// In the definition.
    pub(super) name: String,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    Created,
    Running { started_at: String, pid: i64 },
    Exited { started_at: String, finished_at: String, code: i64 },
}

/// Whoever drops it removes them.
pub(super) struct Containers {
    pub(super) docker: Docker,
    filter: String,
    ended: Mutex<Snapshot>,
}

impl Containers {
    pub(super) fn of(cluster: &str) -> anyhow::Result<Self> {
        let docker = Docker::connect_with_local_defaults().context("there is no Docker Engine")?;
        Ok(Self { docker, filter: format!("{CLUSTER_LABEL}={cluster}"), ended: Mutex::default() })
    }

    pub(super) async fn look(&self) -> anyhow::Result<Snapshot> {
        let filters = HashMap::from([("label".to_owned(), vec![self.filter.clone()])]);
        let options =
            ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
        let listed = self.docker.list_containers(Some(options)).await?;
        let looks = listed.into_iter().filter_map(|it| {
            let has_ended = it.state == Some(ContainerSummaryStateEnum::EXITED);
            Some(self.look_at(it.id?, has_ended))
        });
        let found = try_join_all(looks).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What has ended stays as it is, so it is looked at once.
    async fn look_at(
        &self,
        id: String,
        has_ended: bool,
    ) -> anyhow::Result<Option<(String, Container)>> {
        let known = || self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(it) = known().get(&id).filter(|_| has_ended) {
            return Ok(Some((id, it.clone())));
        }
        match self.docker.inspect_container(&id, None).await {
            Ok(container) => {
                let container = read(container).context("a container is odd")?;
                if matches!(container.stage, Stage::Exited { .. }) {
                    known().insert(id.clone(), container.clone());
                }
                Ok(Some((id, container)))
            }
            // The agent removes what has ended.
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn read(container: ContainerInspectResponse) -> Option<Container> {
    let mut labels = container.config?.labels?;
    let state = container.state?;
    let started_at = state.started_at.unwrap_or_default();
    let stage = match state.status? {
        ContainerStateStatusEnum::CREATED => Stage::Created,
        _ if state.running == Some(true) => Stage::Running { started_at, pid: state.pid? },
        _ => {
            let (finished_at, code) = (state.finished_at?, state.exit_code?);
            Stage::Exited { started_at, finished_at, code }
        }
    };
    Some(Container { task: labels.remove(TASK_LABEL)?, name: labels.remove(NAME_LABEL)?, stage })
}

impl Drop for Containers {
    fn drop(&mut self) {
        let filter = format!("label={}", self.filter);
        let list = ["ps", "--all", "--quiet", "--filter", &filter];
        let Ok(listed) = Command::new("docker").args(list).output() else { return };
        let ids = String::from_utf8_lossy(&listed.stdout).into_owned();
        if !ids.trim().is_empty() {
            let remove = ["rm", "--force", "--volumes"];
            let _ = Command::new("docker").args(remove).args(ids.split_whitespace()).output();
        }
    }
}
