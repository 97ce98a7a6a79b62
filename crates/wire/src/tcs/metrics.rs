//! What containers have used. An agent sends a round every 20 s, in as many messages as it takes
//! at ten tasks each; the first round only when there is something to tell.

use crate::shape::shape;
use crate::timestamp::Timestamp;

shape! {
    /// What some of an instance's tasks have used since the round before.
    pub struct PublishMetricsRequest {
        metadata: MetricsMetadata = "metadata",
        /// Absent where no task runs.
        task_metrics: Option<Vec<TaskMetrics>> = "taskMetrics",
        timestamp: Option<Timestamp> = "timestamp",
    }

    /// Who speaks, and which part of a round this is.
    pub struct MetricsMetadata {
        cluster: String = "cluster",
        container_instance: String = "containerInstance",
        /// No task runs.
        idle: bool = "idle",
        /// All messages of a round have the same.
        message_id: String = "messageId",
        /// The last message of its round.
        fin: bool = "fin",
    }

    /// What one task has used.
    pub struct TaskMetrics {
        task_arn: String = "taskArn",
        task_definition_family: String = "taskDefinitionFamily",
        /// The revision, as text.
        task_definition_version: String = "taskDefinitionVersion",
        container_metrics: Option<Vec<ContainerMetrics>> = "containerMetrics",
    }

    /// What one container has used.
    pub struct ContainerMetrics {
        /// Absent from agents of 2017.
        container_name: Option<String> = "containerName",
        /// Percent of the whole host: 100 is all of its CPUs.
        cpu_stats_set: Option<StatsSet> = "cpuStatsSet",
        /// MiB, without the page cache.
        memory_stats_set: Option<StatsSet> = "memoryStatsSet",
        network_stats_set: Option<NetworkStatsSet> = "networkStatsSet",
        storage_stats_set: Option<StorageStatsSet> = "storageStatsSet",
    }

    /// What was sampled during a round.
    pub struct StatsSet {
        min: f64 = "min",
        max: f64 = "max",
        sample_count: i64 = "sampleCount",
        sum: f64 = "sum",
    }

    /// The same of whole numbers, each with what it exceeds the largest signed one by.
    pub struct LongStatsSet {
        min: i64 = "min",
        overflow_min: i64 = "overflowMin",
        max: i64 = "max",
        overflow_max: i64 = "overflowMax",
        sample_count: i64 = "sampleCount",
        sum: i64 = "sum",
        overflow_sum: i64 = "overflowSum",
    }

    /// What went over a container's network, counted since it began.
    pub struct NetworkStatsSet {
        rx_bytes: Option<LongStatsSet> = "rxBytes",
        rx_dropped: Option<LongStatsSet> = "rxDropped",
        rx_errors: Option<LongStatsSet> = "rxErrors",
        rx_packets: Option<LongStatsSet> = "rxPackets",
        tx_bytes: Option<LongStatsSet> = "txBytes",
        tx_dropped: Option<LongStatsSet> = "txDropped",
        tx_errors: Option<LongStatsSet> = "txErrors",
        tx_packets: Option<LongStatsSet> = "txPackets",
        /// From agents of later years.
        rx_bytes_per_second: Option<StatsSet> = "rxBytesPerSecond",
        /// From agents of later years.
        tx_bytes_per_second: Option<StatsSet> = "txBytesPerSecond",
    }

    /// What a container has read from and written to block devices since it began.
    pub struct StorageStatsSet {
        read_size_bytes: Option<LongStatsSet> = "readSizeBytes",
        write_size_bytes: Option<LongStatsSet> = "writeSizeBytes",
    }
}
