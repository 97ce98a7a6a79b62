//! What introspection answers, as the official agent words it.

use std::collections::HashMap;

use longshore_model::DesiredStatus;
use serde::Serialize;

use crate::board::{ContainerView, TaskView};
use crate::engine::ContainerStatus;
use crate::metadata::shape::{Network, Port, networks, ports, rfc3339};
use crate::runtime::Sight;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Paths {
    pub(super) available_commands: &'static [&'static str],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Refusal {
    pub(super) error: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metadata<'a> {
    pub(super) cluster: &'a str,
    /// `null` before the first registration.
    pub(super) container_instance_arn: Option<String>,
    pub(super) version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tasks<'a> {
    pub(super) tasks: Vec<Task<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Task<'a> {
    arn: &'a str,
    /// Left out of a task that has stopped though nobody wanted it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    desired_status: Option<&'static str>,
    known_status: &'static str,
    family: &'a str,
    version: &'a str,
    containers: Vec<Container<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Container<'a> {
    docker_id: &'a str,
    docker_name: &'a str,
    name: &'a str,
    image: &'a str,
    #[serde(rename = "ImageID", skip_serializing_if = "Option::is_none")]
    image_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<Port<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    networks: Vec<Network<'a>>,
}

impl<'a> Task<'a> {
    /// `sights` is what Docker knows, by Docker id.
    pub(super) fn new(task: &'a TaskView, sights: &'a HashMap<String, Sight>) -> Self {
        let stopped_unasked =
            task.known == ContainerStatus::Stopped && task.desired != DesiredStatus::Stopped;
        let containers = task.containers.iter();
        Self {
            arn: &task.arn,
            desired_status: (!stopped_unasked).then_some(task.desired.as_str()),
            known_status: task.known.as_str(),
            family: &task.family,
            version: &task.version,
            containers: containers.map(|it| Container::new(it, sights)).collect(),
        }
    }
}

impl<'a> Container<'a> {
    fn new(container: &'a ContainerView, sights: &'a HashMap<String, Sight>) -> Self {
        let sight = container.docker_id.as_ref().and_then(|it| sights.get(it));
        Self {
            docker_id: container.docker_id.as_deref().unwrap_or_default(),
            docker_name: &container.docker_name,
            name: &container.name,
            image: &container.image,
            image_id: sight.and_then(|it| it.image_id.as_deref()),
            created_at: sight.and_then(|it| it.created_at.as_deref()),
            started_at: container.started_at.and_then(rfc3339),
            ports: ports(container, false),
            networks: sight.map(networks).unwrap_or_default(),
        }
    }
}
