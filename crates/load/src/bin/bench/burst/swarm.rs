//! A service of Docker Swarm mode on the same engine, which is in a swarm only meanwhile.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::bail;
use bollard::models::{
    Limit, ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicated, SwarmInitRequest, TaskSpec,
    TaskSpecContainerSpec, TaskSpecResources, TaskState,
};
use bollard::query_parameters::{LeaveSwarmOptions, ListTasksOptions};
use tokio::time::sleep;

use super::engine::Engine;
use super::{Clock, IMAGE, PATIENCE, POLL, Wave};

const SERVICE: &str = "bench";

/// Creates a service of so many replicas until all run.
pub(super) async fn run(engine: &Engine, replicas: usize) -> anyhow::Result<Wave> {
    let swarm = SwarmInitRequest {
        listen_addr: Some("127.0.0.1:2377".into()),
        advertise_addr: Some("127.0.0.1".into()),
        ..SwarmInitRequest::default()
    };
    engine.docker.init_swarm(swarm).await?;
    engine.is_calm().await?;
    let wave = start(engine, replicas).await;
    let removed = engine.docker.delete_service(SERVICE).await;
    engine.docker.leave_swarm(Some(LeaveSwarmOptions { force: true })).await?;
    removed?;
    wave
}

async fn start(engine: &Engine, replicas: usize) -> anyhow::Result<Wave> {
    let spec = service(replicas)?;
    let mut clock = Clock::start(engine, None)?;
    engine.docker.create_service(spec, None).await?;
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        let only = HashMap::from([("service".to_owned(), vec![SERVICE.to_owned()])]);
        let options = ListTasksOptions { filters: Some(only) };
        let tasks = engine.docker.list_tasks(Some(options)).await?;
        let state = |it: &bollard::models::Task| it.status.as_ref().and_then(|it| it.state);
        if let Some(failed) = tasks.iter().find(|it| state(it) == Some(TaskState::FAILED)) {
            bail!("a replica failed: {:?}", failed.status);
        }
        clock.saw(tasks.iter().filter(|it| state(it) == Some(TaskState::RUNNING)).count());
        if clock.ran_after.len() >= replicas {
            return clock.stop(engine);
        }
        sleep(POLL).await;
    }
    bail!("not all replicas run after {PATIENCE:?}")
}

fn service(replicas: usize) -> anyhow::Result<ServiceSpec> {
    let limits = Limit { memory_bytes: Some(64 << 20), ..Limit::default() };
    let container = TaskSpecContainerSpec {
        image: Some(IMAGE.into()),
        args: Some(vec!["sleep".into(), "3600".into()]),
        ..TaskSpecContainerSpec::default()
    };
    let template = TaskSpec {
        container_spec: Some(container),
        resources: Some(TaskSpecResources { limits: Some(limits), ..TaskSpecResources::default() }),
        ..TaskSpec::default()
    };
    let replicated = ServiceSpecModeReplicated { replicas: Some(i64::try_from(replicas)?) };
    Ok(ServiceSpec {
        name: Some(SERVICE.into()),
        task_template: Some(template),
        mode: Some(ServiceSpecMode { replicated: Some(replicated), ..ServiceSpecMode::default() }),
        ..ServiceSpec::default()
    })
}
