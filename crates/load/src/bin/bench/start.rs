//! RunTask until DescribeTasks shows RUNNING, on `longshore up`, against create and start of a
//! container with the same settings straight on the Docker Engine.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{ListContainersOptions, RemoveContainerOptions};
use longshore_load::{Client, ServerOptions, ServerProcess, Usage};
use longshore_wire::ecs;
use tokio::time::sleep;

use crate::Setting;
use crate::figures::{Goal, Table, millis};

const IMAGE: &str = "longshore-probe:latest";

/// Of each repeat; each is one start by either way.
const PAIRS: usize = 20;

/// For the CPU time, in calls of ten.
const COUNTED_TASKS: u32 = 40;

/// Between two questions whether a task is RUNNING, where its time is taken.
const OFTEN: Duration = Duration::from_millis(1);
/// The same where CPU is counted, of which questions need some too.
const SELDOM: Duration = Duration::from_millis(100);

/// How long a task may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// After a container was removed, the Engine and the kernel still tidy up.
const SETTLE: Duration = Duration::from_millis(100);

/// By which containers that we started ourselves are found.
const OWN_LABEL: &str = "longshore-bench";
/// By which those are found that an agent started.
const TASK_LABEL: &str = "com.amazonaws.ecs.task-arn";

pub(crate) async fn measure(setting: &Setting, table: &mut Table) -> anyhow::Result<()> {
    let docker = Docker::connect_with_local_defaults().context("there is no Docker Engine")?;
    docker.inspect_image(IMAGE).await.with_context(|| format!("there is no image {IMAGE}"))?;
    let options = ServerOptions {
        parent_dir: Some(setting.dir.clone()),
        ..ServerOptions::up(&["--cluster", "bench-start"])
    };
    let server = ServerProcess::start(options).await?;
    let mut bench = Bench { client: server.client()?, docker, server };
    // What an earlier run may have left.
    bench.remove_containers().await?;
    let outcome = bench.run(setting, table).await;
    // Ends the agent, which might go on to start containers.
    bench.server.terminate().await?;
    bench.remove_containers().await?;
    outcome
}

struct Bench {
    client: Client,
    docker: Docker,
    server: ServerProcess,
}

impl Bench {
    async fn run(&self, setting: &Setting, table: &mut Table) -> anyhow::Result<()> {
        self.register().await?;
        let body = self.body_of_a_task().await?;
        let (mut ours, mut direct) = (Vec::new(), Vec::new());
        let (mut medians, mut p90s) = (Vec::new(), Vec::new());
        for _ in 0..setting.repeats {
            let (mut our, mut straight) = (Vec::new(), Vec::new());
            for pair in 0..PAIRS {
                // Neither way is always the first.
                if pair % 2 == 0 {
                    our.push(self.start_by_task().await?);
                    straight.push(self.start_straight(&body).await?);
                } else {
                    straight.push(self.start_straight(&body).await?);
                    our.push(self.start_by_task().await?);
                }
            }
            let (x, y) = (millis(&our), millis(&straight));
            medians.push(x.median() - y.median());
            p90s.push(x.percentile(90) / y.percentile(90));
            ours.extend(our);
            direct.extend(straight);
        }
        let median = |it: Vec<f64>| it.into_iter().collect::<crate::figures::Figures>().median();
        table.add(
            "start: RunTask until RUNNING, more than Docker, p50",
            Goal::AtMost(10.0),
            median(medians),
            "ms",
        );
        table.add(
            "start: RunTask until RUNNING, by Docker's, p90",
            Goal::AtMost(1.05),
            median(p90s),
            "times",
        );
        let (ours, direct) = (millis(&ours), millis(&direct));
        table.add("  RunTask until RUNNING, p50", Goal::None, ours.median(), "ms");
        table.add("  create and start on Docker, p50", Goal::None, direct.median(), "ms");
        table.add("  RunTask until RUNNING, p90", Goal::None, ours.percentile(90), "ms");
        table.add("  create and start on Docker, p90", Goal::None, direct.percentile(90), "ms");
        let (cpu, wall) = self.cpu_a_task().await?;
        table.add("start: own CPU a task", Goal::AtMost(5.0), cpu, "ms");
        table.add("  wall time a task, ten at once", Goal::None, wall, "ms");
        Ok(())
    }

    async fn register(&self) -> anyhow::Result<()> {
        let container = ecs::ContainerDefinition {
            name: Some("main".into()),
            image: Some(IMAGE.into()),
            command: Some(vec!["sleep".into(), "3600".into()]),
            cpu: Some(32),
            memory: Some(64),
            ..ecs::ContainerDefinition::default()
        };
        let definition = ecs::RegisterTaskDefinitionRequest {
            family: Some("bench".into()),
            network_mode: Some("bridge".into()),
            container_definitions: Some(vec![container]),
            ..ecs::RegisterTaskDefinitionRequest::default()
        };
        self.client.call(&definition).await?;
        Ok(())
    }

    /// What the agent asks the Engine for, taken from a container that it made.
    async fn body_of_a_task(&self) -> anyhow::Result<ContainerCreateBody> {
        let tasks = self.run_tasks(1, OFTEN).await?;
        let ids = self.containers(TASK_LABEL).await?;
        let id = ids.first().context("the agent has started no container")?;
        let made = self.docker.inspect_container(id, None).await?;
        self.stop_tasks(&tasks).await?;
        let config = made.config.context("the container has no configuration")?;
        Ok(ContainerCreateBody {
            image: config.image,
            cmd: config.cmd,
            env: config.env,
            labels: Some(
                HashMap::from([(OWN_LABEL.to_owned(), "1".to_owned())]).into_iter().collect(),
            ),
            host_config: made.host_config,
            ..ContainerCreateBody::default()
        })
    }

    async fn start_by_task(&self) -> anyhow::Result<Duration> {
        let since = Instant::now();
        let tasks = self.run_tasks(1, OFTEN).await?;
        let took = since.elapsed();
        self.stop_tasks(&tasks).await?;
        Ok(took)
    }

    async fn start_straight(&self, body: &ContainerCreateBody) -> anyhow::Result<Duration> {
        let body = body.clone();
        let since = Instant::now();
        let made = self.docker.create_container(None, body).await?;
        self.docker.start_container(&made.id, None).await?;
        let took = since.elapsed();
        self.remove(&made.id).await?;
        Ok(took)
    }

    /// Milliseconds of CPU in server and agent, and of wall time.
    async fn cpu_a_task(&self) -> anyhow::Result<(f64, f64)> {
        let pid = self.server.pid().context("the server has ended")?;
        let mut tasks = Vec::new();
        let (before, since) = (Usage::of(pid)?.cpu, Instant::now());
        for _ in 0..COUNTED_TASKS / 10 {
            tasks.extend(self.run_tasks(10, SELDOM).await?);
        }
        let (used, wall) = (Usage::of(pid)?.cpu.saturating_sub(before), since.elapsed());
        self.stop_tasks(&tasks).await?;
        let millis = |it: Duration| it.as_secs_f64() * 1000.0 / f64::from(COUNTED_TASKS);
        Ok((millis(used), millis(wall)))
    }

    /// Until all are shown RUNNING.
    async fn run_tasks(&self, count: i32, poll: Duration) -> anyhow::Result<Vec<String>> {
        let request = ecs::RunTaskRequest {
            cluster: Some("bench-start".into()),
            task_definition: Some("bench".into()),
            count: Some(count),
            ..ecs::RunTaskRequest::default()
        };
        let answer = self.client.call(&request).await?;
        let tasks = answer.tasks.unwrap_or_default();
        let arns: Vec<String> = tasks.into_iter().filter_map(|it| it.task_arn).collect();
        if Ok(arns.len()) != usize::try_from(count) {
            bail!("not all tasks were placed: {:?}", answer.failures);
        }
        self.until(&arns, "RUNNING", poll).await?;
        Ok(arns)
    }

    async fn until(&self, arns: &[String], status: &str, poll: Duration) -> anyhow::Result<()> {
        let since = Instant::now();
        let request = ecs::DescribeTasksRequest {
            cluster: Some("bench-start".into()),
            tasks: Some(arns.to_vec()),
            ..ecs::DescribeTasksRequest::default()
        };
        while since.elapsed() < PATIENCE {
            let tasks = self.client.call(&request).await?.tasks.unwrap_or_default();
            if tasks.iter().all(|it| it.last_status.as_deref() == Some(status)) {
                return Ok(());
            }
            if tasks.iter().any(|it| it.last_status.as_deref() == Some("STOPPED")) {
                bail!("a task has stopped: {tasks:?}");
            }
            sleep(poll).await;
        }
        bail!("not all tasks are {status} after {PATIENCE:?}")
    }

    /// Stops them and removes their containers.
    async fn stop_tasks(&self, arns: &[String]) -> anyhow::Result<()> {
        for arn in arns {
            let request = ecs::StopTaskRequest {
                cluster: Some("bench-start".into()),
                task: Some(arn.clone()),
                reason: None,
            };
            self.client.call(&request).await?;
        }
        for chunk in arns.chunks(100) {
            let since = Instant::now();
            let request = ecs::DescribeTasksRequest {
                cluster: Some("bench-start".into()),
                tasks: Some(chunk.to_vec()),
                ..ecs::DescribeTasksRequest::default()
            };
            loop {
                let tasks = self.client.call(&request).await?.tasks.unwrap_or_default();
                if tasks.iter().all(|it| it.last_status.as_deref() == Some("STOPPED")) {
                    break;
                }
                if since.elapsed() > PATIENCE {
                    bail!("not all tasks have stopped after {PATIENCE:?}");
                }
                sleep(SELDOM / 10).await;
            }
        }
        for id in self.containers(TASK_LABEL).await? {
            self.remove(&id).await?;
        }
        Ok(())
    }

    /// The containers of this benchmark that bear the label, running or not.
    async fn containers(&self, label: &str) -> anyhow::Result<Vec<String>> {
        let mut labels = vec![label.to_owned()];
        if label == TASK_LABEL {
            labels.push("com.amazonaws.ecs.cluster=bench-start".to_owned());
        }
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options =
            ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
        let found = self.docker.list_containers(Some(options)).await?;
        Ok(found.into_iter().filter_map(|it| it.id).collect())
    }

    async fn remove(&self, id: &str) -> anyhow::Result<()> {
        let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
        match self.docker.remove_container(id, Some(options)).await {
            // The agent removes what its tasks leave behind, and may have been quicker.
            Err(Error::DockerResponseServerError { status_code: 404 | 409, .. }) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
        sleep(SETTLE).await;
        Ok(())
    }

    async fn remove_containers(&self) -> anyhow::Result<()> {
        for label in [OWN_LABEL, TASK_LABEL] {
            for id in self.containers(label).await? {
                self.remove(&id).await?;
            }
        }
        Ok(())
    }
}
