//! What clients ask for: definitions, tasks run, started and stopped, questions, and that things go
//! out of use.

mod placing;
mod retirement;

use std::collections::BTreeSet;

use longshore_model::lost_after::LOST_AFTER;
use longshore_wire::ecs::{
    self, ContainerDefinition, ContainerOverride, CreateClusterRequest, DeleteAttributesRequest,
    DeleteClusterRequest, DeleteTaskDefinitionsRequest, DeregisterContainerInstanceRequest,
    DeregisterTaskDefinitionRequest, DescribeTasksRequest, KeyValuePair, ListTasksRequest,
    PortMapping, PutAttributesRequest, RegisterTaskDefinitionRequest, RunTaskRequest,
    StartTaskRequest, StopTaskRequest, TaskOverride, UpdateContainerInstancesStateRequest,
};

use crate::docker::IMAGES;
use crate::random::Random;

/// A call of a client.
#[derive(Clone, Debug)]
pub(crate) enum ClientCall {
    CreateCluster(CreateClusterRequest),
    DeleteCluster(DeleteClusterRequest),
    RegisterTaskDefinition(Box<RegisterTaskDefinitionRequest>),
    DeregisterTaskDefinition(DeregisterTaskDefinitionRequest),
    DeleteTaskDefinitions(DeleteTaskDefinitionsRequest),
    PutAttributes(PutAttributesRequest),
    DeleteAttributes(DeleteAttributesRequest),
    UpdateContainerInstancesState(UpdateContainerInstancesStateRequest),
    DeregisterContainerInstance(DeregisterContainerInstanceRequest),
    RunTask(Box<RunTaskRequest>),
    StartTask(Box<StartTaskRequest>),
    StopTask(StopTaskRequest),
    DescribeTasks(DescribeTasksRequest),
    ListTasks(ListTasksRequest),
}

/// What clients know: all that they ever got an answer about.
#[derive(Default)]
pub(crate) struct Workload {
    /// ARNs and clusters.
    pub(crate) tasks: Vec<(String, String)>,
    pub(crate) instances: BTreeSet<(String, String)>,
    families: usize,
    tokens: u64,
}

const FAMILIES: &[&str] = &["web", "batch", "mixed", "tiny"];
const CLUSTERS: &[&str] = &["default", "default", "other"];

impl Workload {
    /// The next call.
    pub(crate) fn next(&mut self, random: &mut Random) -> ClientCall {
        if self.is_new() {
            return self.define(random);
        }
        match random.below(100) {
            0..3 => self.define(random),
            3..4 => {
                let cluster_name = random.pick(CLUSTERS).map(str::to_owned);
                ClientCall::CreateCluster(CreateClusterRequest {
                    cluster_name,
                    ..Default::default()
                })
            }
            4..10 => self.retire(random),
            10..50 => self.run(random),
            50..58 if !self.instances.is_empty() => self.start(random),
            58..81 if !self.tasks.is_empty() => self.stop(random),
            81..84 if !self.instances.is_empty() => self.change_attribute(random),
            84..94 if !self.tasks.is_empty() => self.describe(random),
            94..97 => ClientCall::ListTasks(ListTasksRequest {
                cluster: random.pick(CLUSTERS).map(str::to_owned),
                desired_status: random.pick(&["RUNNING", "STOPPED"]).map(str::to_owned),
                ..ListTasksRequest::default()
            }),
            _ => self.run(random),
        }
    }

    /// Whether there is hardly anything yet to ask for.
    pub(crate) fn is_new(&self) -> bool {
        self.families < FAMILIES.len() + 1
    }

    fn define(&mut self, random: &mut Random) -> ClientCall {
        let family = FAMILIES.get(self.families).copied().or_else(|| random.pick(FAMILIES));
        self.families += 1;
        let count = [1, 1, 2, 3].get(random.below(4)).copied().unwrap_or(1);
        let uses_host = random.chance(15);
        let essential: Vec<bool> = (0..count).map(|at| at == 0 || random.chance(60)).collect();
        let containers =
            (0..count).map(|at| container(random, at, &essential, uses_host)).collect();
        ClientCall::RegisterTaskDefinition(Box::new(RegisterTaskDefinitionRequest {
            family: family.map(str::to_owned),
            network_mode: uses_host.then(|| "host".to_owned()),
            memory: random.chance(20).then(|| "1300".to_owned()),
            container_definitions: Some(containers),
            ..RegisterTaskDefinitionRequest::default()
        }))
    }

    fn run(&mut self, random: &mut Random) -> ClientCall {
        self.tokens += 1;
        ClientCall::RunTask(Box::new(RunTaskRequest {
            cluster: random.pick(CLUSTERS).map(str::to_owned),
            task_definition: random.pick(FAMILIES).map(str::to_owned),
            overrides: overrides(random),
            count: Some(random.pick(&[1, 1, 1, 2, 3, 10]).unwrap_or(1)),
            started_by: random.chance(30).then(|| "somebody".to_owned()),
            group: random.chance(20).then(|| "a-group".to_owned()),
            placement_constraints: placing::constraints(random),
            placement_strategy: placing::strategies(random),
            client_token: random.chance(50).then(|| format!("token-{}", self.tokens)),
            tags: random
                .pick(&[None, None, None, Some("never"), Some("10s")])
                .flatten()
                .map(policy),
            // Not drawn, so that seeds go on meaning what they meant.
            launch_type: match self.tokens % 8 {
                3 => Some("EC2".to_owned()),
                6 => Some("EXTERNAL".to_owned()),
                _ => None,
            },
            ..RunTaskRequest::default()
        }))
    }

    fn start(&self, random: &mut Random) -> ClientCall {
        let known: Vec<_> = self.instances.iter().cloned().collect();
        let first = random.pick(&known).unwrap_or_default();
        let mut instances = vec![first.0];
        while random.chance(40) && instances.len() < 4 {
            instances.extend(random.pick(&known).filter(|it| it.1 == first.1).map(|it| it.0));
        }
        ClientCall::StartTask(Box::new(StartTaskRequest {
            cluster: Some(first.1),
            task_definition: random.pick(FAMILIES).map(str::to_owned),
            overrides: overrides(random),
            container_instances: Some(instances),
            ..StartTaskRequest::default()
        }))
    }

    fn stop(&self, random: &mut Random) -> ClientCall {
        // Mostly one of the newest: those may not have begun yet.
        let newest = self.tasks.len().saturating_sub(12);
        let known = if random.chance(70) { self.tasks.get(newest..) } else { None };
        let task = random.pick(known.unwrap_or(&self.tasks)).unwrap_or_default();
        let reason = random.chance(50).then(|| format!("reason {}", random.below(1000)));
        ClientCall::StopTask(StopTaskRequest { cluster: Some(task.1), task: Some(task.0), reason })
    }

    fn describe(&self, random: &mut Random) -> ClientCall {
        let (_, cluster) = random.pick(&self.tasks).unwrap_or_default();
        let of_cluster: Vec<_> = self.tasks.iter().filter(|it| it.1 == cluster).collect();
        let tasks = (0..10).filter_map(|_| random.pick(&of_cluster)).map(|it| it.0.clone());
        ClientCall::DescribeTasks(DescribeTasksRequest {
            tasks: Some(tasks.collect()),
            cluster: Some(cluster),
            ..DescribeTasksRequest::default()
        })
    }

    /// Remembers tasks that an answer showed.
    pub(crate) fn learn(&mut self, tasks: &[ecs::Task]) {
        for task in tasks {
            let arn = task.task_arn.clone().unwrap_or_default();
            let cluster = task.cluster_arn.as_deref().unwrap_or_default();
            let cluster = cluster.rsplit('/').next().unwrap_or_default().to_owned();
            self.tasks.push((arn, cluster));
        }
    }
}

/// The tag that says after how long a task on a machine that stays away is given up.
pub(crate) fn policy(lost_after: &str) -> Vec<ecs::Tag> {
    let (key, value) = (Some(LOST_AFTER.to_owned()), Some(lost_after.to_owned()));
    vec![ecs::Tag { key, value }]
}

fn container(
    random: &mut Random,
    at: usize,
    essential: &[bool],
    uses_host: bool,
) -> ContainerDefinition {
    let count = essential.len();
    let port = i32::try_from(random.between(8000, 8003)).unwrap_or(8000);
    let port = port.saturating_add(i32::try_from(at).unwrap_or(0).saturating_mul(10));
    let mapping = |host_port: i32, protocol: &str| PortMapping {
        container_port: Some(port),
        host_port: Some(host_port),
        protocol: Some(protocol.to_owned()),
        name: None,
    };
    let ports = match random.below(6) {
        0 => vec![mapping(port, "tcp")],
        1 => vec![mapping(port, "tcp"), mapping(port, "udp")],
        2 if !uses_host => vec![mapping(0, "tcp")],
        _ => Vec::new(),
    };
    // Links and volumes lead to later containers only, so that there is no cycle.
    let is_last = at + 1 == count;
    let later =
        |random: &mut Random| format!("c{}", random.between(at as i64 + 1, count as i64 - 1));
    let links = (!is_last && !uses_host && random.chance(40)).then(|| vec![later(random)]);
    let volumes_from = (!is_last && random.chance(20))
        .then(|| vec![ecs::VolumeFrom { source_container: Some(later(random)), read_only: None }]);
    let depends_on = (!is_last && random.chance(30)).then(|| {
        let target = random.between(at as i64 + 1, count as i64 - 1) as usize;
        // Nobody may wait for the end of an essential container.
        let conditions: &[&str] = match essential.get(target) {
            Some(true) => &["START", "HEALTHY"],
            _ => &["START", "COMPLETE", "SUCCESS", "HEALTHY"],
        };
        let condition = random.pick(conditions).map(str::to_owned);
        vec![ecs::ContainerDependency { container_name: Some(format!("c{target}")), condition }]
    });
    let checked = ecs::HealthCheck {
        command: Some(vec!["CMD".to_owned(), "check".to_owned()]),
        ..ecs::HealthCheck::default()
    };
    let restart_policy = ecs::ContainerRestartPolicy {
        enabled: Some(true),
        ignored_exit_codes: random.chance(50).then(|| vec![0]),
        restart_attempt_period: Some(60),
    };
    let memory = random.between(64, 400);
    let memory_reservation = random.chance(30).then(|| random.between(16, memory));
    let to_number = |it: i64| i32::try_from(it).unwrap_or(64);
    ContainerDefinition {
        name: Some(format!("c{at}")),
        image: random.pick(IMAGES).map(str::to_owned),
        cpu: random.pick(&[0, 64, 256, 400]),
        memory: Some(to_number(memory)),
        memory_reservation: memory_reservation.map(to_number),
        links,
        volumes_from,
        depends_on,
        // Whoever is depended on is checked.
        health_check: (at > 0 || random.chance(30)).then_some(checked),
        restart_policy: random.chance(25).then_some(restart_policy),
        // Some are waited for in vain.
        start_timeout: (at > 0).then_some(30),
        port_mappings: Some(ports),
        essential: essential.get(at).copied(),
        ..ContainerDefinition::default()
    }
}

fn overrides(random: &mut Random) -> Option<TaskOverride> {
    if !random.chance(30) {
        return None;
    }
    let variable = KeyValuePair { name: Some("A".to_owned()), value: Some("b".to_owned()) };
    let container = ContainerOverride {
        name: Some("c0".to_owned()),
        command: random.chance(30).then(|| vec!["true".to_owned()]),
        environment: random.chance(30).then(|| vec![variable]),
        cpu: random.chance(50).then_some(128),
        memory: random.chance(50).then_some(448),
        memory_reservation: random.chance(30).then_some(96),
    };
    Some(TaskOverride {
        container_overrides: Some(vec![container]),
        task_role_arn: None,
        ..TaskOverride::default()
    })
}
