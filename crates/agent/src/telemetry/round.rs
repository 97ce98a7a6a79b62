//! What is published, made of what is known. Source for its form: what the official agent sends.

use std::sync::Arc;

use longshore_model::{HealthStatus, Timestamp};
use longshore_wire::tcs::{
    ContainerHealth, ContainerMetrics, HealthMetadata, LongStatsSet, MetricsMetadata,
    NetworkStatsSet, PublishHealthRequest, PublishMetricsRequest, StatsSet, StorageStatsSet,
    TaskHealth, TaskMetrics,
};

use super::reading::{Network, Reading};
use crate::board::TaskView;
use crate::engine::ContainerStatus;
use crate::files::Identity;

/// A message has no more tasks than this.
const TASKS_A_MESSAGE: usize = 10;
const MIB: u64 = 1024 * 1024;

/// Who speaks, when, and as which round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round<'a> {
    pub(super) identity: &'a Identity,
    pub(super) message_id: &'a str,
    pub(super) now: Timestamp,
}

impl Round<'_> {
    /// What tasks have used. One message that says so where none runs; none where tasks run of
    /// which there is nothing to tell yet. `take` gives the readings of a container.
    pub(super) fn metrics(
        self,
        tasks: &[Arc<TaskView>],
        mut take: impl FnMut(&str) -> Vec<Reading>,
    ) -> Vec<PublishMetricsRequest> {
        let running = |it: &&Arc<TaskView>| {
            it.containers.iter().any(|it| it.known == ContainerStatus::Running)
        };
        let idle = !tasks.iter().any(|it| running(&it));
        let metrics: Vec<TaskMetrics> =
            tasks.iter().filter(running).filter_map(|it| task_metrics(it, &mut take)).collect();
        if idle {
            return vec![self.metrics_message(None, true, true)];
        }
        let messages = in_messages(metrics);
        messages.map(|(part, fin)| self.metrics_message(Some(part), false, fin)).collect()
    }

    fn metrics_message(
        self,
        task_metrics: Option<Vec<TaskMetrics>>,
        idle: bool,
        fin: bool,
    ) -> PublishMetricsRequest {
        let metadata = MetricsMetadata {
            cluster: self.identity.cluster.clone(),
            container_instance: self.identity.container_instance_arn.clone(),
            idle,
            message_id: self.message_id.to_owned(),
            fin,
        };
        PublishMetricsRequest { metadata, task_metrics, timestamp: Some(timestamp(self.now)) }
    }

    /// What health checks say, from their first verdict on: the same, and since the same time, as
    /// is reported with the task's state.
    pub(super) fn health(self, tasks: &[Arc<TaskView>]) -> Vec<PublishHealthRequest> {
        let health: Vec<TaskHealth> = tasks.iter().filter_map(|it| task_health(it)).collect();
        let message = |(tasks, fin): (Vec<TaskHealth>, bool)| PublishHealthRequest {
            metadata: HealthMetadata {
                cluster: self.identity.cluster.clone(),
                container_instance: self.identity.container_instance_arn.clone(),
                message_id: self.message_id.to_owned(),
                fin,
            },
            tasks: Some(tasks),
            timestamp: Some(timestamp(self.now)),
        };
        in_messages(health).map(message).collect()
    }
}

/// Parts of a round, each with whether it is the last.
fn in_messages<T>(mut tasks: Vec<T>) -> impl Iterator<Item = (Vec<T>, bool)> {
    let mut parts = Vec::new();
    while !tasks.is_empty() {
        let rest = tasks.split_off(tasks.len().min(TASKS_A_MESSAGE));
        parts.push((std::mem::replace(&mut tasks, rest), tasks.is_empty()));
    }
    parts.into_iter()
}

fn task_metrics(
    task: &TaskView,
    take: &mut impl FnMut(&str) -> Vec<Reading>,
) -> Option<TaskMetrics> {
    let mut containers = Vec::new();
    for container in task.containers.iter().filter(|it| it.known == ContainerStatus::Running) {
        let readings = container.docker_id.as_deref().map(&mut *take).unwrap_or_default();
        if !readings.is_empty() {
            containers.push(container_metrics(container.name.clone(), &readings));
        }
    }
    (!containers.is_empty()).then(|| TaskMetrics {
        task_arn: task.arn.clone(),
        task_definition_family: task.family.clone(),
        task_definition_version: task.version.clone(),
        container_metrics: Some(containers),
    })
}

fn container_metrics(name: String, readings: &[Reading]) -> ContainerMetrics {
    let all = || readings.iter();
    ContainerMetrics {
        container_name: Some(name),
        cpu_stats_set: set(all().filter_map(|it| it.cpu_percent)),
        memory_stats_set: set(all().map(|it| (it.memory_bytes / MIB) as f64)),
        network_stats_set: network(readings),
        storage_stats_set: Some(StorageStatsSet {
            read_size_bytes: long_set(all().map(|it| it.storage.read_bytes)),
            write_size_bytes: long_set(all().map(|it| it.storage.write_bytes)),
        }),
    }
}

fn network(readings: &[Reading]) -> Option<NetworkStatsSet> {
    let networks: Vec<Network> = readings.iter().filter_map(|it| it.network).collect();
    let of = |member: fn(&Network) -> u64| long_set(networks.iter().map(member));
    (!networks.is_empty()).then(|| NetworkStatsSet {
        rx_bytes: of(|it| it.rx_bytes),
        rx_dropped: of(|it| it.rx_dropped),
        rx_errors: of(|it| it.rx_errors),
        rx_packets: of(|it| it.rx_packets),
        tx_bytes: of(|it| it.tx_bytes),
        tx_dropped: of(|it| it.tx_dropped),
        tx_errors: of(|it| it.tx_errors),
        tx_packets: of(|it| it.tx_packets),
        ..NetworkStatsSet::default()
    })
}

fn set(values: impl Iterator<Item = f64>) -> Option<StatsSet> {
    values.fold(None, |set: Option<StatsSet>, value| {
        let set = set.unwrap_or(StatsSet { min: value, max: value, sample_count: 0, sum: 0.0 });
        Some(StatsSet {
            min: set.min.min(value),
            max: set.max.max(value),
            sample_count: set.sample_count + 1,
            sum: set.sum + value,
        })
    })
}

fn long_set(values: impl Iterator<Item = u64>) -> Option<LongStatsSet> {
    let values: Vec<u64> = values.collect();
    let (min, overflow_min) = split((*values.iter().min()?).into());
    let (max, overflow_max) = split((*values.iter().max()?).into());
    let (sum, overflow_sum) = split(values.iter().map(|it| u128::from(*it)).sum());
    let sample_count = i64::try_from(values.len()).unwrap_or(i64::MAX);
    Some(LongStatsSet { min, overflow_min, max, overflow_max, sample_count, sum, overflow_sum })
}

/// What goes into the largest signed number, and what is above it.
fn split(value: u128) -> (i64, i64) {
    match i64::try_from(value) {
        Ok(value) => (value, 0),
        Err(_) => {
            let above = value - u128::from(i64::MAX.unsigned_abs());
            (i64::MAX, i64::try_from(above).unwrap_or(i64::MAX))
        }
    }
}

fn task_health(task: &TaskView) -> Option<TaskHealth> {
    let containers = task.containers.iter().filter(|it| it.known == ContainerStatus::Running);
    let checked: Vec<_> = containers.filter_map(|it| Some((it, it.health?))).collect();
    let is_verdict = |health: HealthStatus| health != HealthStatus::Unknown;
    let has_verdict = checked.iter().any(|(_, (health, _))| is_verdict(*health));
    has_verdict.then(|| TaskHealth {
        task_arn: task.arn.clone(),
        task_definition_family: task.family.clone(),
        task_definition_version: task.version.clone(),
        containers: Some(
            checked
                .into_iter()
                .map(|(container, (health, since))| ContainerHealth {
                    container_name: container.name.clone(),
                    health_status: health.as_str().to_owned(),
                    status_since: since.map(timestamp),
                })
                .collect(),
        ),
    })
}

pub(super) fn timestamp(at: Timestamp) -> longshore_wire::Timestamp {
    longshore_wire::Timestamp::from_millis(at.millis())
}

#[cfg(test)]
mod tests;
