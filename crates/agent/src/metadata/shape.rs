//! What a container is told, as ECS words it. What is not known is left out.

use std::collections::BTreeMap;

use longshore_model::Timestamp;
use serde::Serialize;

use super::route::Version;
use super::tags::{TagError, Tags};
use crate::board::{ContainerView, TaskView};
use crate::engine::{ContainerStatus, Limits};
use crate::runtime::Sight;

/// Docker's least, which stands where a definition says nothing.
const LEAST_CPU_SHARES: u32 = 2;
const UNITS_PER_VCPU: f64 = 1024.0;

/// A task.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Task<'a> {
    cluster: &'a str,
    #[serde(rename = "TaskARN")]
    task_arn: &'a str,
    family: &'a str,
    revision: &'a str,
    desired_status: &'static str,
    known_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<TaskLimits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_stopped_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_stopped_at: Option<String>,
    containers: Vec<Container<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    launch_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault_injection_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_instance_tags: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_tags: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<TagError>,
}

#[derive(Serialize)]
struct TaskLimits {
    /// vCPUs.
    #[serde(rename = "CPU", skip_serializing_if = "Option::is_none")]
    cpu: Option<f64>,
    /// MiB.
    #[serde(rename = "Memory", skip_serializing_if = "Option::is_none")]
    memory: Option<u32>,
}

/// A container.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Container<'a> {
    docker_id: &'a str,
    name: &'a str,
    docker_name: &'a str,
    image: &'a str,
    #[serde(rename = "ImageID", skip_serializing_if = "Option::is_none")]
    image_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<Port<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    desired_status: &'static str,
    known_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    limits: ContainerLimits,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<&'a str>,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<Health<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    networks: Vec<Network<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<Volume<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_driver: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    log_options: BTreeMap<&'a str, &'a str>,
    #[serde(rename = "ContainerARN", skip_serializing_if = "Option::is_none")]
    container_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restart_count: Option<u32>,
}

#[derive(Serialize)]
struct ContainerLimits {
    /// Units of 1/1024 CPU.
    #[serde(rename = "CPU")]
    cpu: u32,
    /// MiB.
    #[serde(rename = "Memory", skip_serializing_if = "Option::is_none")]
    memory: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
}

/// A port of the host that leads to a container.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Port<'a> {
    container_port: u16,
    protocol: &'static str,
    host_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_ip: Option<&'a str>,
}

/// A network that a container is in.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Network<'a> {
    network_mode: &'a str,
    #[serde(rename = "IPv4Addresses", skip_serializing_if = "Option::is_none")]
    ipv4_addresses: Option<[&'a str; 1]>,
    #[serde(rename = "IPv6Addresses", skip_serializing_if = "Option::is_none")]
    ipv6_addresses: Option<[&'a str; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Volume<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    docker_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
}

impl<'a> Task<'a> {
    /// `sights` are of the task's containers, in their order.
    pub(super) fn new(
        version: Version,
        cluster: &'a str,
        task: &'a TaskView,
        sights: &'a [Sight],
    ) -> Self {
        let containers = task.containers.iter().zip(sights);
        Self {
            cluster,
            task_arn: &task.arn,
            family: &task.family,
            revision: &task.version,
            desired_status: task.desired.as_str(),
            known_status: task.known.as_str(),
            limits: task_limits(task.limits),
            pull_started_at: task.pull_started_at.and_then(rfc3339),
            pull_stopped_at: task.pull_stopped_at.and_then(rfc3339),
            execution_stopped_at: task.execution_stopped_at.and_then(rfc3339),
            containers: containers
                .map(|(container, sight)| Container::new(version, task, container, sight))
                .collect(),
            launch_type: task.launch_type.as_deref().filter(|_| version >= Version::Four),
            fault_injection_enabled: (version >= Version::Four).then_some(false),
            container_instance_tags: None,
            task_tags: None,
            errors: Vec::new(),
        }
    }

    pub(super) fn with_tags(self, tags: Tags) -> Self {
        let Tags { task_tags, container_instance_tags, errors } = tags;
        Self { task_tags, container_instance_tags, errors, ..self }
    }
}

impl<'a> Container<'a> {
    pub(super) fn new(
        version: Version,
        task: &TaskView,
        container: &'a ContainerView,
        sight: &'a Sight,
    ) -> Self {
        let is_of_today = version >= Version::Four;
        let memory_mib = Some(container.memory_mib).filter(|it| *it > 0);
        let cpu = container.cpu_units.max(LEAST_CPU_SHARES);
        let ran = container.known == ContainerStatus::Stopped;
        Self {
            docker_id: container.docker_id.as_deref().unwrap_or_default(),
            name: &container.name,
            docker_name: &container.docker_name,
            image: &container.image,
            image_id: sight.image_id.as_deref(),
            ports: ports(container, is_of_today),
            labels: &sight.labels,
            desired_status: task.desired.as_str(),
            known_status: container.known.as_str(),
            exit_code: container.exit_code.filter(|_| ran),
            limits: ContainerLimits { cpu, memory: memory_mib },
            created_at: sight.created_at.as_deref(),
            started_at: sight.started_at.as_deref(),
            finished_at: sight.finished_at.as_deref(),
            kind: "NORMAL",
            health: health(container, sight),
            networks: networks(sight),
            volumes: sight.mounts.iter().map(Volume::from).collect(),
            log_driver: sight.log_driver.as_deref().filter(|_| is_of_today),
            log_options: if is_of_today { log_options(container, sight) } else { BTreeMap::new() },
            container_arn: container.arn.as_deref().filter(|_| is_of_today),
            restart_count: Some(container.restarts).filter(|it| is_of_today && *it > 0),
        }
    }
}

impl<'a> From<&'a crate::runtime::Mount> for Volume<'a> {
    fn from(mount: &'a crate::runtime::Mount) -> Self {
        Self {
            docker_name: mount.docker_name.as_deref(),
            source: mount.source.as_deref(),
            destination: mount.destination.as_deref(),
        }
    }
}

fn task_limits(limits: Limits) -> Option<TaskLimits> {
    let Limits { cpu_units, memory_mib } = limits;
    (limits != Limits::default()).then(|| TaskLimits {
        cpu: (cpu_units > 0).then(|| f64::from(cpu_units) / UNITS_PER_VCPU),
        memory: (memory_mib > 0).then_some(memory_mib),
    })
}

/// Those that are no secrets; none where nobody knows which are.
fn log_options<'a>(container: &ContainerView, sight: &'a Sight) -> BTreeMap<&'a str, &'a str> {
    let Some(secret) = &container.secret_log_options else { return BTreeMap::new() };
    let options = sight.log_options.iter().filter(|(name, _)| !secret.contains(name));
    options.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn health<'a>(container: &ContainerView, sight: &'a Sight) -> Option<Health<'a>> {
    let (status, since) = container.health?;
    let check = sight.health_check.as_ref();
    Some(Health {
        status: status.as_str(),
        status_since: since.and_then(rfc3339),
        exit_code: check.map(|it| it.0),
        output: check.map(|it| it.1.as_str()).filter(|it| !it.is_empty()),
    })
}

/// The ports of the host that lead to the container; those of today are told with the address.
pub(crate) fn ports(container: &ContainerView, with_host_ip: bool) -> Vec<Port<'_>> {
    let bindings = container.network_bindings.iter();
    bindings
        .map(|it| Port {
            container_port: it.container_port,
            protocol: it.protocol.as_str(),
            host_port: it.host_port,
            host_ip: with_host_ip.then_some(&*it.bind_ip),
        })
        .collect()
}

/// The networks that Docker says a container is in.
pub(crate) fn networks(sight: &Sight) -> Vec<Network<'_>> {
    let networks = sight.networks.iter();
    networks
        .map(|it| Network {
            network_mode: &it.mode,
            ipv4_addresses: it.ipv4.as_deref().map(|it| [it]),
            ipv6_addresses: it.ipv6.as_deref().map(|it| [it]),
        })
        .collect()
}

/// `None` of a time that no calendar has.
pub(crate) fn rfc3339(at: Timestamp) -> Option<String> {
    jiff::Timestamp::from_millisecond(at.millis()).ok().map(|it| it.to_string())
}
