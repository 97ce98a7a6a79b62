//! One test's world: a control plane, a data directory, and an agent that can be ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::models::ContainerInspectResponse;
use longshore_agent::{
    Agent, AgentConfig, DEFAULT_RESERVED_PORTS, ImagePullBehavior, TaskMetadata,
};
use longshore_client::{Credentials, Signer, Trust};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::control_plane::{ACCESS_KEY, ControlPlane, SECRET_KEY};
use super::docker::{
    at_the_end, containers_of, docker, remove_containers_of, until_nothing_is_made,
};
use super::{IMAGE, guest};

/// Everything one test needs. What it left in Docker is removed when it is dropped.
pub(crate) struct World {
    pub(crate) control_plane: Arc<ControlPlane>,
    pub(crate) docker: Docker,
    pub(crate) dir: TempDir,
    pub(crate) config: AgentConfig,
    pub(crate) arn: String,
    agent: Option<(JoinHandle<()>, watch::Sender<bool>)>,
    tasks: AtomicU64,
}

impl World {
    /// A world in which the agent is connected.
    pub(crate) async fn begin() -> Self {
        let mut world = Self::begin_without_agent().await;
        world.start_agent().await;
        world
    }

    pub(crate) async fn begin_without_agent() -> Self {
        let docker = docker();
        guest::ensure_image(&docker).await;
        let arn = format!("arn:aws:ecs:test:1:container-instance/default/{}", uuid::Uuid::new_v4());
        let control_plane = ControlPlane::start(&arn).await;
        let dir = tempfile::tempdir().unwrap();
        let config = AgentConfig {
            endpoint: control_plane.endpoint().parse().unwrap(),
            cluster: "default".to_owned(),
            trust: Trust::default(),
            signer: Signer::new(
                Credentials {
                    access_key_id: ACCESS_KEY.to_owned(),
                    secret_access_key: SECRET_KEY.to_owned(),
                    session_token: Some("token".to_owned()),
                },
                "us-east-1".to_owned(),
            ),
            data_dir: dir.path().join("agent"),
            docker_host: None,
            stop_timeout: Duration::from_secs(2),
            task_cleanup_wait: Duration::from_secs(3600),
            starts_at_once: None,
            stopped_tasks_kept: 1000,
            least_task_cleanup_wait: Duration::from_secs(60),
            image_pull_behavior: ImagePullBehavior::PreferCached,
            image_cleanup: None,
            registry_auth_file: None,
            reserved_memory_mib: 0,
            reserved_ports: DEFAULT_RESERVED_PORTS.to_vec(),
            reserved_ports_udp: Vec::new(),
            attributes: Vec::new(),
            privileged_disabled: false,
            introspection_port: 0,
            task_metadata: TaskMetadata::Off,
            metrics_disabled: true,
            available_logging_drivers: None,
        };
        let (agent, tasks) = Default::default();
        Self { control_plane, docker, dir, config, arn, agent, tasks }
    }

    /// Starts the agent and waits until it is connected.
    pub(crate) async fn start_agent(&mut self) {
        let (ready, is_ready) = oneshot::channel();
        self.launch_agent(ready);
        let limit = Duration::from_secs(60);
        tokio::time::timeout(limit, is_ready).await.expect("the agent connects").unwrap();
    }

    pub(crate) fn launch_agent(&mut self, ready: oneshot::Sender<()>) {
        let (shutdown, is_shut_down) = watch::channel(false);
        let config = self.config.clone();
        let agent = async move { Agent::run(config, ready, is_shut_down).await.unwrap() };
        self.agent = Some((tokio::spawn(agent), shutdown));
    }

    /// Ends the agent as SIGKILL would: at whatever point it is, with no last word.
    pub(crate) async fn kill_agent(&mut self) {
        let (agent, _shutdown) = self.agent.take().unwrap();
        agent.abort();
        let _ = agent.await;
    }

    /// Ends the agent as SIGTERM would.
    pub(crate) async fn stop_agent(&mut self) {
        let (agent, shutdown) = self.agent.take().unwrap();
        shutdown.send(true).unwrap();
        let limit = Duration::from_secs(5);
        tokio::time::timeout(limit, agent).await.expect("the agent stops").unwrap();
    }

    /// Ends everything and removes what is left in Docker.
    pub(crate) async fn end(mut self) {
        if self.agent.is_some() {
            self.kill_agent().await;
        }
    }

    /// Runs a task of these containers; the rest of each is filled in.
    pub(crate) fn run(&self, containers: Value) -> String {
        self.run_with(json!({"containers": containers}))
    }

    /// Runs a task with these members.
    pub(crate) fn run_with(&self, members: Value) -> String {
        let number = self.tasks.fetch_add(1, Ordering::Relaxed);
        let arn = format!("{}/task/{}-{number}", self.arn, uuid::Uuid::new_v4().simple());
        let mut task = json!({"arn": arn, "family": "test", "version": "1",
            "desiredStatus": "RUNNING", "volumes": [], "overrides": "{}"});
        merge(&mut task, members);
        for container in task["containers"].as_array_mut().unwrap() {
            let mut whole = json!({"name": "web", "image": IMAGE, "essential": true, "cpu": 0,
                "memory": 0, "overrides": "{}"});
            merge(&mut whole, container.take());
            *container = whole;
        }
        self.control_plane.send_tasks(&arn, json!([task]));
        arn
    }

    /// Stops a task.
    pub(crate) fn stop(&self, task: &str) {
        let stop = json!([{"arn": task, "desiredStatus": "STOPPED", "family": "test",
            "version": "1", "containers": [], "volumes": []}]);
        self.control_plane.send_tasks(&format!("stop {task}"), stop);
    }

    /// Waits until the task is reported so, and gives the report.
    pub(crate) async fn wait(&self, task: &str, status: &str) -> Value {
        let what = format!("{task} {status}");
        self.control_plane
            .wait(&what, |it| {
                let reports = it.reports();
                let mut reports = reports.iter().map(|(_, report)| report);
                reports.find(|it| it["task"] == task && it["status"] == status).cloned()
            })
            .await
    }

    /// Runs one container with this command until the task has stopped; gives the container's
    /// entry of the last report.
    pub(crate) async fn run_to_the_end(&self, container: Value) -> Value {
        let task = self.run(json!([container]));
        self.wait(&task, "STOPPED").await["containers"][0].clone()
    }

    /// What was reported of the task, each as `STATUS name=STATUS(code)`.
    pub(crate) fn history(&self, task: &str) -> Vec<String> {
        let reports = self.control_plane.reports();
        let of_task = reports.iter().map(|(_, it)| it).filter(|it| it["task"] == task);
        of_task.map(render).collect()
    }

    /// The task's containers, running or not.
    pub(crate) async fn containers(&self, task: &str) -> Vec<ContainerInspectResponse> {
        containers_of(&self.docker, task).await
    }

    /// The task's container of this name.
    pub(crate) async fn container_named(&self, task: &str, name: &str) -> ContainerInspectResponse {
        let is_it = |it: &ContainerInspectResponse| {
            let labels = it.config.as_ref().and_then(|it| it.labels.as_ref());
            labels
                .and_then(|it| it.get("com.amazonaws.ecs.container-name"))
                .is_some_and(|it| it == name)
        };
        let containers = self.containers(task).await;
        containers.into_iter().find(is_it).expect("there is such a container")
    }

    /// Waits until the newest report of the container says so of its health.
    pub(crate) async fn wait_for_health(&self, task: &str, container: &str, health: &str) {
        let what = format!("{task} {container} {health}");
        self.control_plane
            .wait(&what, |it| {
                let reports = it.reports();
                let of_task = reports.iter().map(|(_, it)| it).filter(|it| it["task"] == task);
                let entries = of_task.flat_map(|it| it["containers"].as_array().unwrap());
                let newest = entries.rev().find(|it| it["containerName"] == container);
                newest.filter(|it| it["healthStatus"] == health).map(|_| ())
            })
            .await;
    }

    /// The task's only container.
    pub(crate) async fn container(&self, task: &str) -> ContainerInspectResponse {
        let mut containers = self.containers(task).await;
        assert_eq!(containers.len(), 1, "containers of {task}");
        containers.remove(0)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((agent, _)) = self.agent.take() {
            agent.abort();
        }
        let (arn, data_dir) = (self.arn.clone(), self.config.data_dir.clone());
        at_the_end(|docker| async move {
            until_nothing_is_made(&docker, &data_dir).await;
            remove_containers_of(&docker, &arn).await;
        });
    }
}

fn render(report: &Value) -> String {
    let mut text = report["status"].as_str().unwrap().to_owned();
    for container in report["containers"].as_array().unwrap() {
        let code = container["exitCode"].as_i64().map(|it| format!("({it})")).unwrap_or_default();
        let (name, status) = (&container["containerName"], &container["status"]);
        text.push_str(&format!(" {}={}{code}", name.as_str().unwrap(), status.as_str().unwrap()));
    }
    text
}

fn merge(under: &mut Value, over: Value) {
    let (Value::Object(under), Value::Object(over)) = (under, over) else { panic!("objects") };
    under.extend(over);
}
