//! What Docker is asked to create: a container's specification in Docker's own shape.
//!
//! The typed members are translated first; then Docker's JSON from the payload is laid over, and
//! a key that is present there wins; the labels that mark our containers come last.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::limits::ControlGroups;
use crate::engine::{
    ContainerSpec, Failure, Limits, MountSpec, PortSpec, Reason, TaskSpec, TaskState, VolumeSource,
};
use crate::metadata::reach::Reach;

/// Docker takes fewer CPU shares for a wish to have its default.
const LEAST_CPU_SHARES: i64 = 2;

const MIB: i64 = 1024 * 1024;

/// Source: Amazon ECS Developer Guide, "Task metadata endpoint".
const METADATA_URIS: [(&str, &str); 2] =
    [("ECS_CONTAINER_METADATA_URI", "v3"), ("ECS_CONTAINER_METADATA_URI_V4", "v4")];

/// What is the same for every container of this agent.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// As configured, for the label.
    pub(crate) cluster: String,
    /// For the label by which we find our containers again.
    pub(crate) container_instance: String,
    /// Below this the engine refuses a memory limit.
    pub(crate) least_memory_mib: u32,
    /// Where containers find their metadata.
    pub(crate) reach: Reach,
}

/// The label by which an agent tells its containers from those of another.
pub(crate) const INSTANCE_LABEL: &str = "io.longshore.container-instance";
/// The label with the task's ARN.
pub(crate) const TASK_LABEL: &str = "com.amazonaws.ecs.task-arn";
/// The label with the container's name in the task definition.
pub(crate) const CONTAINER_LABEL: &str = "com.amazonaws.ecs.container-name";

/// Translates a container of the task.
///
/// # Errors
/// The container's failure, when its members or its Docker JSON make no sense.
pub(crate) fn body(
    common: &Common,
    task: &TaskState,
    container: &ContainerSpec,
) -> Result<ContainerCreateBody, Reason> {
    let mut host_config = host_config(common, task, container)?;
    if let Some(text) = &container.docker_host_config {
        host_config = lay_over(host_config, text, Failure::HostConfig)?;
    }
    let mut body = config(container);
    if let Some(text) = &container.docker_config {
        body = lay_over(body, text, Failure::DockerClientConfig)?;
    }
    let network_mode = host_config.network_mode.clone().unwrap_or_default();
    body.host_config = Some(host_config);
    if let Some(base) = common.reach.base(&network_mode)
        && body.network_disabled != Some(true)
    {
        tell_where_metadata_is(&mut body, &base, task, container);
    }
    body.labels.get_or_insert_default().extend(labels(common, &task.spec, container));
    Ok(body)
}

/// As in ECS, these variables are the agent's, whatever a definition says of them.
fn tell_where_metadata_is(
    body: &mut ContainerCreateBody,
    base: &str,
    task: &TaskState,
    container: &ContainerSpec,
) {
    let id = task.container(&container.name).map(|it| it.metadata_id.as_str());
    let Some(id) = id.filter(|it| !it.is_empty()) else { return };
    let environment = body.env.get_or_insert_default();
    for (name, version) in METADATA_URIS {
        let is_it = |it: &String| it.split_once('=').map_or(it.as_str(), |it| it.0) == name;
        environment.retain(|it| !is_it(it));
        environment.push(format!("{name}={base}/{version}/{id}"));
    }
}

fn config(container: &ContainerSpec) -> ContainerCreateBody {
    let or_the_images = |words: &Vec<String>| (!words.is_empty()).then(|| words.clone());
    let ports: Vec<String> = container.ports.iter().map(port_key).collect();
    ContainerCreateBody {
        image: Some(container.image.clone()),
        cmd: or_the_images(&container.command),
        entrypoint: or_the_images(&container.entry_point),
        env: Some(container.environment.iter().map(|(k, v)| format!("{k}={v}")).collect()),
        exposed_ports: (!ports.is_empty()).then_some(ports),
        ..Default::default()
    }
}

fn host_config(
    common: &Common,
    task: &TaskState,
    container: &ContainerSpec,
) -> Result<HostConfig, Reason> {
    let memory_mib = match container.memory_mib {
        0 => 0,
        limit => limit.max(common.least_memory_mib),
    };
    let mounts = container.mounts.iter().map(|mount| bind(&task.spec, mount));
    let links = container.links.iter().map(|link| {
        let target = docker_name(task, &link.container)?;
        Ok(format!("{target}:{}", link.alias))
    });
    let volumes_from = container.volumes_from.iter().map(|from| {
        let source = docker_name(task, &from.container)?;
        Ok(format!("{source}:{}", if from.read_only { "ro" } else { "rw" }))
    });
    Ok(HostConfig {
        cpu_shares: Some(i64::from(container.cpu_units).max(LEAST_CPU_SHARES)),
        memory: Some(i64::from(memory_mib) * MIB),
        binds: none_if_empty(mounts.collect::<Result<_, _>>()?),
        links: none_if_empty(links.collect::<Result<_, _>>()?),
        volumes_from: none_if_empty(volumes_from.collect::<Result<_, _>>()?),
        port_bindings: port_bindings(&container.ports),
        cgroup_parent: (task.spec.limits != Limits::default())
            .then(|| ControlGroups::parent(&task.spec.file_name())),
        ..Default::default()
    })
}

fn none_if_empty(list: Vec<String>) -> Option<Vec<String>> {
    (!list.is_empty()).then_some(list)
}

fn docker_name<'a>(task: &'a TaskState, container: &str) -> Result<&'a str, Reason> {
    let target = task.container(container);
    let unknown = || Failure::HostConfig.because(format!("Unknown container: {container:?}"));
    target.map(|it| it.docker_name.as_str()).ok_or_else(unknown)
}

fn bind(task: &TaskSpec, mount: &MountSpec) -> Result<String, Reason> {
    let MountSpec { volume, container_path, read_only } = mount;
    if container_path.is_empty() {
        let text = format!("Volume {volume:?} is mounted without a container path");
        return Err(Failure::HostConfig.because(text));
    }
    let source = task.volumes.iter().find(|it| it.name == *volume).map(|it| &it.source);
    let source = match source {
        Some(VolumeSource::Host(path)) => path,
        Some(VolumeSource::Docker(name)) => name,
        Some(VolumeSource::Configured(volume)) => &volume.docker_name,
        None => {
            let text = format!("Unknown volume {volume:?} in a mount point");
            return Err(Failure::HostConfig.because(text));
        }
    };
    Ok(format!("{source}:{container_path}{}", if *read_only { ":ro" } else { "" }))
}

fn port_key(port: &PortSpec) -> String {
    format!("{}/{}", port.container_port, port.protocol.as_str())
}

/// One container port may be offered at several ports of the host.
fn port_bindings(ports: &[PortSpec]) -> Option<HashMap<String, Option<Vec<PortBinding>>>> {
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in ports {
        bindings.entry(port_key(port)).or_default().get_or_insert_default().push(PortBinding {
            host_ip: Some("0.0.0.0".to_owned()),
            host_port: Some(port.host_port.to_string()),
        });
    }
    (!bindings.is_empty()).then_some(bindings)
}

fn labels(common: &Common, task: &TaskSpec, container: &ContainerSpec) -> BTreeMap<String, String> {
    [
        (TASK_LABEL, &task.arn),
        (CONTAINER_LABEL, &container.name),
        ("com.amazonaws.ecs.task-definition-family", &task.family),
        ("com.amazonaws.ecs.task-definition-version", &task.version),
        ("com.amazonaws.ecs.cluster", &common.cluster),
        (INSTANCE_LABEL, &common.container_instance),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .collect()
}

/// Reads Docker's JSON over what was computed, as Docker's own client would: a key that is
/// present wins, and what is inside an object is laid over in the same way.
fn lay_over<T: Serialize + DeserializeOwned>(
    computed: T,
    text: &str,
    failure: Failure,
) -> Result<T, Reason> {
    let unreadable = |error: serde_json::Error| failure.because(error);
    let over: Option<Map<String, Value>> = serde_json::from_str(text).map_err(unreadable)?;
    let Some(over) = over.filter(|it| !it.is_empty()) else { return Ok(computed) };
    let mut value = serde_json::to_value(computed).map_err(unreadable)?;
    merge(&mut value, Value::Object(over));
    serde_json::from_value(value).map_err(unreadable)
}

/// The depth is bounded by that of the text, which the JSON reader limits.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (_, Value::Null) => {}
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

#[cfg(test)]
mod tests;
