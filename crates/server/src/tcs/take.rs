//! What a message means. A message is taken as a whole or not at all; numbers that cannot be are
//! passed over, since agents round, and clocks of containers begin anew.

use longshore_control::tasks::{Health, HealthReport, RecordHealthError};
use longshore_control::telemetry::{
    Check, CheckKind, CheckStatus, ContainerUsage, ForeignTask, Part, Sampled, TaskUsage, Traffic,
    Usage,
};
use longshore_control::{Control, reference};
use longshore_model::{HealthStatus, TaskId, Timestamp};
use longshore_wire as wire;
use longshore_wire::tcs::{
    AckPublishHealth, AckPublishInstanceStatus, AckPublishMetric, AgentMessage, ContainerMetrics,
    InstanceStatus, LongStatsSet, PublishHealthRequest, PublishInstanceStatusRequest,
    PublishMetricsRequest, ResourceValidationException, ServerException, ServerMessage, StatsSet,
    TaskHealth, TaskMetrics,
};

use crate::acs::Hello;

/// 100 is all of the host's CPUs; agents measure the time between samples, and may be off by some.
const MAX_CPU_PERCENT: f64 = 1000.0;

/// A pebibyte: beyond any host.
const MAX_MEMORY_MIB: f64 = 1e9;

/// Records a message and gives its acknowledgement.
///
/// # Errors
/// The refusal, when nothing was recorded.
pub(super) async fn take(
    message: AgentMessage,
    hello: &Hello,
    control: &Control,
) -> Result<ServerMessage, ServerMessage> {
    let door = Door { hello, control };
    match message {
        AgentMessage::Metrics(it) => door.take_metrics(it),
        AgentMessage::Health(it) => door.take_health(it).await,
        AgentMessage::InstanceStatus(it) => door.take_instance_status(it),
    }
}

/// Whose connection it is, and where what comes over it goes.
struct Door<'a> {
    hello: &'a Hello,
    control: &'a Control,
}

impl Door<'_> {
    fn take_metrics(&self, request: PublishMetricsRequest) -> Result<ServerMessage, ServerMessage> {
        let metadata = &request.metadata;
        self.check_sender(&metadata.cluster, &metadata.container_instance)?;
        let tasks = request.task_metrics.unwrap_or_default();
        let told =
            tasks.into_iter().map(|it| self.task_usage(it)).collect::<Result<Vec<_>, _>>()?;
        let part = Part { message_id: &metadata.message_id, is_last: metadata.fin };
        self.control.record_metrics(self.hello.instance, part, &told).map_err(foreign)?;
        Ok(ServerMessage::AckMetric(AckPublishMetric { message: ok() }))
    }

    async fn take_health(
        &self,
        request: PublishHealthRequest,
    ) -> Result<ServerMessage, ServerMessage> {
        let metadata = &request.metadata;
        self.check_sender(&metadata.cluster, &metadata.container_instance)?;
        let tasks = request.tasks.unwrap_or_default();
        let reports =
            tasks.into_iter().map(|it| self.health_report(it)).collect::<Result<Vec<_>, _>>()?;
        match self.control.record_health(self.hello.instance, reports).await {
            Ok(()) => Ok(ServerMessage::AckHealth(AckPublishHealth { message: ok() })),
            Err(RecordHealthError::Foreign(error)) => Err(foreign(error)),
            Err(error @ RecordHealthError::Store(_)) => {
                Err(ServerMessage::Server(ServerException { message: Some(error.to_string()) }))
            }
        }
    }

    fn take_instance_status(
        &self,
        request: PublishInstanceStatusRequest,
    ) -> Result<ServerMessage, ServerMessage> {
        let metadata = &request.metadata;
        self.check_sender(&metadata.cluster, &metadata.container_instance)?;
        let statuses = request.statuses.unwrap_or_default();
        let checks = statuses.iter().filter_map(check).collect();
        self.control.record_instance_checks(self.hello.instance, checks);
        Ok(ServerMessage::AckInstanceStatus(AckPublishInstanceStatus { message: ok() }))
    }

    /// Whether a message says that it is of the instance that opened the connection.
    fn check_sender(&self, cluster: &str, instance: &str) -> Result<(), ServerMessage> {
        let (own, owner) = (self.hello, self.control.owner());
        let is_own_cluster = reference::cluster(Some(cluster), owner).as_ref() == Ok(&own.cluster);
        let named = reference::container_instance(instance, &own.cluster, owner);
        if is_own_cluster && named == Ok(own.instance) {
            return Ok(());
        }
        Err(invalid("The message is not of the container instance that opened this connection."))
    }

    fn task_usage(&self, told: TaskMetrics) -> Result<TaskUsage, ServerMessage> {
        let containers = told.container_metrics.unwrap_or_default();
        Ok(TaskUsage {
            task: self.task(&told.task_arn)?,
            containers: containers.into_iter().filter_map(container_usage).collect(),
        })
    }

    fn health_report(&self, told: TaskHealth) -> Result<HealthReport, ServerMessage> {
        let containers = told.containers.unwrap_or_default().into_iter().filter_map(|it| {
            let status = HealthStatus::parse(&it.health_status)?;
            let health = Health { status, since: it.status_since.map(at) };
            Some((it.container_name.parse().ok()?, health))
        });
        Ok(HealthReport { task: self.task(&told.task_arn)?, containers: containers.collect() })
    }

    fn task(&self, arn: &str) -> Result<TaskId, ServerMessage> {
        reference::task(arn, &self.hello.cluster, self.control.owner())
            .map_err(|error| invalid(&error.to_string()))
    }
}

/// `None` of a container whose name can be none of ours.
fn container_usage(told: ContainerMetrics) -> Option<ContainerUsage> {
    let name = match told.container_name.filter(|it| !it.is_empty()) {
        Some(name) => Some(name.parse().ok()?),
        None => None,
    };
    let (network, storage) = (told.network_stats_set, told.storage_stats_set);
    let traffic = (network.is_some() || storage.is_some()).then(|| {
        let (network, storage) = (network.unwrap_or_default(), storage.unwrap_or_default());
        Traffic {
            received: bytes(network.rx_bytes),
            sent: bytes(network.tx_bytes),
            read: bytes(storage.read_size_bytes),
            written: bytes(storage.write_size_bytes),
        }
    });
    Some(ContainerUsage {
        name,
        usage: Usage {
            cpu_percent: told.cpu_stats_set.and_then(|it| sampled(&it, MAX_CPU_PERCENT)),
            memory_mib: told.memory_stats_set.and_then(|it| sampled(&it, MAX_MEMORY_MIB)),
        },
        traffic,
    })
}

fn sampled(set: &StatsSet, limit: f64) -> Option<Sampled> {
    Sampled::new(set.sum, set.max, set.sample_count, limit)
}

/// The newest value of a counter is its highest.
fn bytes(set: Option<LongStatsSet>) -> u64 {
    let part = |it: i64| u64::try_from(it).unwrap_or(0);
    set.map_or(0, |it| part(it.max).saturating_add(part(it.overflow_max)))
}

/// `None` of a check, or of a word of it, that is not known.
fn check(told: &InstanceStatus) -> Option<Check> {
    Some(Check {
        kind: CheckKind::parse(&told.kind)?,
        status: CheckStatus::parse(&told.status)?,
        updated_at: told.last_updated.map(at),
        changed_at: told.last_status_change.map(at),
    })
}

fn at(time: wire::Timestamp) -> Timestamp {
    Timestamp::from_millis(time.millis())
}

fn ok() -> Option<String> {
    Some("ok".into())
}

fn foreign(error: ForeignTask) -> ServerMessage {
    invalid(&error.to_string())
}

fn invalid(message: &str) -> ServerMessage {
    let message = Some(message.into());
    ServerMessage::ResourceValidation(ResourceValidationException { message })
}
