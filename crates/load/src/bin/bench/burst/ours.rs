//! The same containers as tasks: `longshore up` on the engine, and RunTask.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context, bail};
use bollard::models::ContainerCreateBody;
use longshore_load::{Client, ServerOptions, ServerProcess};
use longshore_wire::ecs;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::engine::Engine;
use super::{Clock, IMAGE, PATIENCE, POLL, Wave};
use crate::Setting;

const CLUSTER: &str = "bench-burst";

/// StopTask calls at a time.
const STOPS: usize = 16;

pub(super) struct Ours {
    server: ServerProcess,
    client: Client,
}

impl Ours {
    pub(super) async fn start(setting: &Setting, engine: &Engine) -> anyhow::Result<Self> {
        let options = ["--cluster", CLUSTER, "--docker-host", &engine.address()];
        let parent_dir = Some(setting.dir.clone());
        let options = ServerOptions { parent_dir, ..ServerOptions::up(&options) };
        let server = ServerProcess::start(options).await?;
        let client = server.client()?;
        client.call(&definition()).await?;
        Ok(Self { server, client })
    }

    pub(super) async fn end(&mut self) -> anyhow::Result<()> {
        self.server.terminate().await
    }

    /// What the agent asks the Engine for, taken from a container that it made.
    pub(super) async fn body_of_a_task(
        &self,
        engine: &Engine,
    ) -> anyhow::Result<ContainerCreateBody> {
        self.until_running(vec![self.run_task().await?], |_| ()).await?;
        let ids = engine.containers().await?;
        let id = ids.first().context("the agent has started no container")?;
        let made = engine.docker.inspect_container(id, None).await?;
        self.stop_all().await?;
        engine.clear().await?;
        let config = made.config.context("the container has no configuration")?;
        Ok(ContainerCreateBody {
            image: config.image,
            cmd: config.cmd,
            env: config.env,
            labels: Some(HashMap::from([("longshore-bench".to_owned(), "1".to_owned())])),
            host_config: made.host_config,
            ..ContainerCreateBody::default()
        })
    }

    /// Calls RunTask so many times at once, and waits until all of the tasks are shown RUNNING.
    /// Stops them afterwards.
    pub(super) async fn run(&self, engine: &Engine, count: usize) -> anyhow::Result<Wave> {
        let mut clock = Clock::start(engine, self.server.pid())?;
        let mut calls = JoinSet::new();
        for _ in 0..count {
            let client = self.client.clone();
            calls.spawn(async move { run_task(&client).await });
        }
        let arns: anyhow::Result<Vec<String>> = calls.join_all().await.into_iter().collect();
        self.until_running(arns?, |running| clock.saw(running)).await?;
        let wave = clock.stop(engine)?;
        self.stop_all().await?;
        Ok(wave)
    }

    async fn run_task(&self) -> anyhow::Result<String> {
        run_task(&self.client).await
    }

    /// Tells whenever it has asked how many are RUNNING.
    async fn until_running(
        &self,
        mut arns: Vec<String>,
        mut tell: impl FnMut(usize),
    ) -> anyhow::Result<()> {
        let (since, all) = (Instant::now(), arns.len());
        while since.elapsed() < PATIENCE {
            let request = ecs::DescribeTasksRequest {
                cluster: Some(CLUSTER.into()),
                tasks: Some(arns.clone()),
                ..ecs::DescribeTasksRequest::default()
            };
            let tasks = self.client.call(&request).await?.tasks.unwrap_or_default();
            if let Some(ended) =
                tasks.iter().find(|it| it.last_status.as_deref() == Some("STOPPED"))
            {
                bail!("a task has stopped: {ended:?}");
            }
            let waiting =
                tasks.into_iter().filter(|it| it.last_status.as_deref() != Some("RUNNING"));
            arns = waiting.filter_map(|it| it.task_arn).collect();
            tell(all - arns.len());
            if arns.is_empty() {
                return Ok(());
            }
            // The fewer are asked about, the less an answer costs.
            sleep(POLL.mul_f64(arns.len().clamp(10, 100) as f64 / 100.0)).await;
        }
        bail!("{} of {all} tasks are not RUNNING after {PATIENCE:?}", arns.len())
    }

    async fn stop_all(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let request = ecs::ListTasksRequest {
                cluster: Some(CLUSTER.into()),
                ..ecs::ListTasksRequest::default()
            };
            let arns = self.client.call(&request).await?.task_arns.unwrap_or_default();
            if arns.is_empty() {
                return self.until_none_is_left().await;
            }
            for chunk in arns.chunks(STOPS) {
                let mut calls = JoinSet::new();
                for arn in chunk {
                    let (client, arn) = (self.client.clone(), arn.clone());
                    calls.spawn(async move { stop_task(&client, arn).await });
                }
                calls.join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
            }
        }
        bail!("tasks are left after {PATIENCE:?}")
    }

    /// Until the instance has no task that runs or will.
    async fn until_none_is_left(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let request = ecs::DescribeClustersRequest {
                clusters: Some(vec![CLUSTER.into()]),
                ..ecs::DescribeClustersRequest::default()
            };
            let clusters = self.client.call(&request).await?.clusters.unwrap_or_default();
            let counts =
                clusters.iter().flat_map(|it| [it.running_tasks_count, it.pending_tasks_count]);
            if counts.flatten().sum::<i32>() == 0 {
                return Ok(());
            }
            sleep(POLL).await;
        }
        bail!("tasks still run after {PATIENCE:?}")
    }
}

async fn run_task(client: &Client) -> anyhow::Result<String> {
    let request = ecs::RunTaskRequest {
        cluster: Some(CLUSTER.into()),
        task_definition: Some("bench".into()),
        ..ecs::RunTaskRequest::default()
    };
    let answer = client.call(&request).await?;
    let arn = answer.tasks.unwrap_or_default().into_iter().find_map(|it| it.task_arn);
    arn.with_context(|| format!("the task was not placed: {:?}", answer.failures))
}

async fn stop_task(client: &Client, arn: String) -> anyhow::Result<()> {
    let request =
        ecs::StopTaskRequest { cluster: Some(CLUSTER.into()), task: Some(arn), reason: None };
    client.call(&request).await?;
    Ok(())
}

/// Small enough for a hundred of them on two cores.
fn definition() -> ecs::RegisterTaskDefinitionRequest {
    let container = ecs::ContainerDefinition {
        name: Some("main".into()),
        image: Some(IMAGE.into()),
        command: Some(vec!["sleep".into(), "3600".into()]),
        cpu: Some(10),
        memory: Some(64),
        ..ecs::ContainerDefinition::default()
    };
    ecs::RegisterTaskDefinitionRequest {
        family: Some("bench".into()),
        network_mode: Some("bridge".into()),
        container_definitions: Some(vec![container]),
        ..ecs::RegisterTaskDefinitionRequest::default()
    }
}
