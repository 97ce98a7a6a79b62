//! The agent's page of metrics: what runs here, what it uses and may use, and how the agent fares.

use longshore_wire::prometheus::{Kind, Page};
use tokio::time::Instant;

use crate::board::{ContainerView, TaskView};
use crate::engine::ContainerStatus;
use crate::pulse::Pulse;
use crate::runtime::DockerErrors;
use crate::telemetry::{Reading, Usage};

const MIB: f64 = 1024.0 * 1024.0;

/// All that the page is made of.
pub(super) struct Seen<'a> {
    pub(super) cluster: &'a str,
    pub(super) container_instance: &'a str,
    pub(super) tasks: &'a [std::sync::Arc<TaskView>],
    pub(super) usage: &'a Usage,
    pub(super) pulse: &'a Pulse,
    pub(super) docker_errors: DockerErrors,
    pub(super) now: Instant,
}

impl Seen<'_> {
    pub(super) fn page(&self) -> String {
        let mut page = Page::default();
        self.of_agent(&mut page);
        self.of_tasks(&mut page);
        self.of_containers(&mut page);
        page.finish()
    }

    fn of_agent(&self, page: &mut Page) {
        let is = [
            ("cluster", self.cluster),
            ("container_instance", self.container_instance),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        page.metric("longshore_agent_info", Kind::Gauge, "Which agent this is; always 1.")
            .sample(&is, 1.0);
        let help = "Whether the control plane is connected: 1, or 0.";
        let connected = if self.pulse.is_connected() { 1.0 } else { 0.0 };
        page.metric("longshore_agent_connected", Kind::Gauge, help).sample(&[], connected);
        if let Some(heard_at) = self.pulse.heard_at() {
            let help = "Seconds since the control plane last said something.";
            let seconds = self.now.saturating_duration_since(heard_at).as_secs_f64();
            page.metric("longshore_agent_silence_seconds", Kind::Gauge, help).sample(&[], seconds);
        }
        let (well, failed) = self.pulse.pulls();
        page.metric("longshore_agent_pulls_total", Kind::Counter, "Pulls of images that ended.")
            .sample(&[("outcome", "succeeded")], well as f64)
            .sample(&[("outcome", "failed")], failed as f64);
        let DockerErrors { refused, away } = self.docker_errors;
        let help = "Calls of the Docker Engine that it failed in, or did not answer.";
        page.metric("longshore_agent_docker_errors_total", Kind::Counter, help)
            .sample(&[("kind", "failed")], refused as f64)
            .sample(&[("kind", "no_answer")], away as f64);
    }

    fn of_tasks(&self, page: &mut Page) {
        let mut metric = page.metric(
            "longshore_agent_tasks",
            Kind::Gauge,
            "Tasks here, and those that stopped and are not cleared away yet.",
        );
        for status in ContainerStatus::ALL {
            let count = self.tasks.iter().filter(|it| it.known == status).count();
            metric.sample(&[("known_status", status.as_str())], count as f64);
        }
        let mut metric = page.metric(
            "longshore_agent_containers",
            Kind::Gauge,
            "Containers of tasks, likewise.",
        );
        for status in ContainerStatus::ALL {
            let containers = self.tasks.iter().flat_map(|it| &it.containers);
            let count = containers.filter(|it| it.known == status).count();
            metric.sample(&[("known_status", status.as_str())], count as f64);
        }
        let live = || self.tasks.iter().filter(|it| it.known != ContainerStatus::Stopped);
        let mut metric = page.metric(
            "longshore_task_reserved_cpu_units",
            Kind::Gauge,
            "CPU units that a task that has not stopped has reserved: 1024 are a CPU.",
        );
        for task in live() {
            metric.sample(&of_task(task), f64::from(reserved(task).0));
        }
        let mut metric = page.metric(
            "longshore_task_reserved_memory_bytes",
            Kind::Gauge,
            "Memory that a task that has not stopped is limited to, as a whole or by container.",
        );
        for task in live() {
            metric.sample(&of_task(task), f64::from(reserved(task).1) * MIB);
        }
    }

    fn of_containers(&self, page: &mut Page) {
        use Kind::{Counter, Gauge};
        let mut metric = |name: &str, kind, help: &str, value: fn(&Reading) -> Option<f64>| {
            let mut metric = page.metric(name, kind, help);
            for (task, container, reading) in self.readings() {
                if let Some(value) = value(&reading) {
                    metric.sample(&of_container(task, container), value);
                }
            }
        };
        metric(
            "longshore_container_cpu_seconds_total",
            Counter,
            "CPU time that a running container has used.",
            |it| Some(it.cpu_nanos as f64 / 1e9),
        );
        metric(
            "longshore_container_cpu_percent",
            Gauge,
            "Percent of all CPUs of the host together that a running container used lately.",
            |it| it.cpu_percent,
        );
        metric(
            "longshore_container_memory_bytes",
            Gauge,
            "Memory that a running container uses, without the page cache.",
            |it| Some(it.memory_bytes as f64),
        );
        metric(
            "longshore_container_network_receive_bytes_total",
            Counter,
            "Bytes that a running container has received; not told in the host's network.",
            |it| it.network.map(|it| it.rx_bytes as f64),
        );
        metric(
            "longshore_container_network_transmit_bytes_total",
            Counter,
            "Bytes that a running container has sent; not told in the host's network.",
            |it| it.network.map(|it| it.tx_bytes as f64),
        );
        metric(
            "longshore_container_storage_read_bytes_total",
            Counter,
            "Bytes that a running container has read from block devices.",
            |it| Some(it.storage.read_bytes as f64),
        );
        metric(
            "longshore_container_storage_write_bytes_total",
            Counter,
            "Bytes that a running container has written to block devices.",
            |it| Some(it.storage.write_bytes as f64),
        );
        let mut metric = page.metric(
            "longshore_container_memory_limit_bytes",
            Gauge,
            "Memory that a running container is limited to.",
        );
        for (task, container) in self.running().filter(|(_, it)| it.memory_mib > 0) {
            metric.sample(&of_container(task, container), f64::from(container.memory_mib) * MIB);
        }
        let mut metric = page.metric(
            "longshore_container_restarts_total",
            Counter,
            "How often a running container was started again in its task.",
        );
        for (task, container) in self.running() {
            metric.sample(&of_container(task, container), f64::from(container.restarts));
        }
    }

    fn running(&self) -> impl Iterator<Item = (&TaskView, &ContainerView)> {
        let containers =
            self.tasks.iter().flat_map(|task| task.containers.iter().map(move |it| (&**task, it)));
        containers.filter(|(_, it)| it.known == ContainerStatus::Running)
    }

    fn readings(&self) -> impl Iterator<Item = (&TaskView, &ContainerView, Reading)> {
        self.running().filter_map(|(task, container)| {
            let reading = self.usage.reading(container.docker_id.as_deref()?)?;
            Some((task, container, reading))
        })
    }
}

fn of_task(task: &TaskView) -> [(&str, &str); 3] {
    [("task", id(task)), ("family", &task.family), ("revision", &task.version)]
}

fn of_container<'a>(task: &'a TaskView, container: &'a ContainerView) -> [(&'a str, &'a str); 4] {
    let [id, family, revision] = of_task(task);
    [id, family, revision, ("container", &container.name)]
}

/// The last part of the ARN, as people know it.
fn id(task: &TaskView) -> &str {
    task.arn.rsplit('/').next().unwrap_or(&task.arn)
}

/// CPU units and MiB: of the task as a whole where it says so, or else of its containers together.
fn reserved(task: &TaskView) -> (u32, u32) {
    let sum =
        |of: fn(&ContainerView) -> u32| task.containers.iter().map(of).fold(0, u32::saturating_add);
    let or = |whole: u32, sum: u32| if whole > 0 { whole } else { sum };
    (
        or(task.limits.cpu_units, sum(|it| it.cpu_units)),
        or(task.limits.memory_mib, sum(|it| it.memory_mib)),
    )
}
