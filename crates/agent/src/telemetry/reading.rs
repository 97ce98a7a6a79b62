//! What a container uses, read out of Docker's stats. Source for how ECS counts: the official agent.

use bollard::models::{ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse};

/// One look at a running container.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    /// Of all CPUs of the host together, between the look before and this one. `None` at the first.
    pub(crate) cpu_percent: Option<f64>,
    /// Of CPU time since the container's start.
    pub(crate) cpu_nanos: u64,
    /// Without the page cache.
    pub(crate) memory_bytes: u64,
    /// Since the container's start, over all its interfaces. `None` in the host's network.
    pub(crate) network: Option<Network>,
    /// Since the container's start.
    pub(crate) storage: Storage,
}

/// What went over a container's interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) rx_bytes: u64,
    pub(crate) rx_packets: u64,
    pub(crate) rx_errors: u64,
    pub(crate) rx_dropped: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) tx_packets: u64,
    pub(crate) tx_errors: u64,
    pub(crate) tx_dropped: u64,
}

/// What went from and to block devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Storage {
    pub(crate) read_bytes: u64,
    pub(crate) write_bytes: u64,
}

impl Reading {
    /// Reads stats, compared with those of the look before, which are empty if there was none.
    pub(crate) fn between(
        before: &ContainerStatsResponse,
        stats: &ContainerStatsResponse,
        cpus: u32,
    ) -> Self {
        Self {
            cpu_percent: cpu_percent(before, stats, cpus),
            cpu_nanos: cpu_nanos(stats.cpu_stats.as_ref()).unwrap_or_default(),
            memory_bytes: stats.memory_stats.as_ref().map(memory_bytes).unwrap_or_default(),
            network: network(stats),
            storage: storage(stats),
        }
    }
}

/// `None` if no time has passed, or the container was started anew in between.
fn cpu_percent(
    before: &ContainerStatsResponse,
    after: &ContainerStatsResponse,
    cpus: u32,
) -> Option<f64> {
    let used = cpu_nanos(after.cpu_stats.as_ref())?
        .checked_sub(cpu_nanos(before.cpu_stats.as_ref())?)? as f64;
    let instant = |it: &ContainerStatsResponse| it.read.as_ref()?.parse::<jiff::Timestamp>().ok();
    let nanos = instant(after)?.as_nanosecond() - instant(before)?.as_nanosecond();
    (nanos > 0).then(|| used / f64::from(cpus.max(1)) / nanos as f64 * 100.0)
}

fn cpu_nanos(stats: Option<&ContainerCpuStats>) -> Option<u64> {
    stats?.cpu_usage.as_ref()?.total_usage
}

/// The page cache is what the kernel takes back whenever somebody needs memory.
fn memory_bytes(stats: &ContainerMemoryStats) -> u64 {
    let details = stats.stats.as_ref();
    // Control groups of the first version, and of the second.
    let cache = details.and_then(|it| it.get("cache").or_else(|| it.get("file")));
    stats.usage.unwrap_or_default().saturating_sub(cache.copied().unwrap_or_default())
}

fn network(stats: &ContainerStatsResponse) -> Option<Network> {
    let interfaces = stats.networks.as_ref()?;
    let sum = |of: fn(&bollard::models::ContainerNetworkStats) -> Option<u64>| {
        interfaces.values().filter_map(of).fold(0, u64::saturating_add)
    };
    Some(Network {
        rx_bytes: sum(|it| it.rx_bytes),
        rx_packets: sum(|it| it.rx_packets),
        rx_errors: sum(|it| it.rx_errors),
        rx_dropped: sum(|it| it.rx_dropped),
        tx_bytes: sum(|it| it.tx_bytes),
        tx_packets: sum(|it| it.tx_packets),
        tx_errors: sum(|it| it.tx_errors),
        tx_dropped: sum(|it| it.tx_dropped),
    })
}

fn storage(stats: &ContainerStatsResponse) -> Storage {
    let entries = stats.blkio_stats.as_ref().and_then(|it| it.io_service_bytes_recursive.as_ref());
    let sum = |wanted: &str| {
        let of = entries
            .into_iter()
            .flatten()
            .filter(|it| it.op.as_deref().is_some_and(|op| op.eq_ignore_ascii_case(wanted)));
        of.filter_map(|it| it.value).fold(0, u64::saturating_add)
    };
    Storage { read_bytes: sum("read"), write_bytes: sum("write") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(read: &str, total: u64) -> ContainerStatsResponse {
        let text = format!(
            r#"{{"read":"2026-11-24T06:00:{read}Z",
                "cpu_stats":{{"cpu_usage":{{"total_usage":{total}}}}},
                "memory_stats":{{"usage":5000,"stats":{{"cache":1000}}}},
                "networks":{{"eth0":{{"rx_bytes":1,"tx_bytes":2}},"eth1":{{"rx_bytes":10}}}},
                "blkio_stats":{{"io_service_bytes_recursive":[
                    {{"op":"Read","value":7}},{{"op":"Write","value":8}},{{"op":"read","value":1}}]}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn all_cpus_busy_are_100_percent() {
        let before = stats("00", 1_000_000_000);
        let percent = |after: ContainerStatsResponse, cpus| {
            Reading::between(&before, &after, cpus).cpu_percent
        };
        assert_eq!(percent(stats("10", 21_000_000_000), 2), Some(100.0));
        assert_eq!(percent(stats("10.0", 6_000_000_000), 2), Some(25.0));
        assert_eq!(percent(stats("10", 1_000_000_000), 1), Some(0.0));
    }

    #[test]
    fn what_cannot_be_compared_is_no_percentage() {
        let (before, after) = (stats("00", 5), stats("10", 4));
        let empty = ContainerStatsResponse::default();
        assert_eq!(Reading::between(&empty, &after, 1).cpu_percent, None);
        assert_eq!(Reading::between(&before, &after, 1).cpu_percent, None);
        assert_eq!(Reading::between(&before, &before, 1).cpu_percent, None);
        assert_eq!(Reading::between(&before, &empty, 0), Reading::default());
    }

    #[test]
    fn the_page_cache_is_not_counted_and_interfaces_are_together() {
        let empty = ContainerStatsResponse::default();
        let reading = Reading::between(&empty, &stats("00", 0), 1);
        assert_eq!(reading.memory_bytes, 4000);
        let network = Network { rx_bytes: 11, tx_bytes: 2, ..Network::default() };
        assert_eq!(reading.network, Some(network));
        assert_eq!(reading.storage, Storage { read_bytes: 8, write_bytes: 8 });
    }

    #[test]
    fn control_groups_of_the_second_version_call_the_cache_otherwise() {
        let stats = r#"{"usage":5000,"stats":{"file":4000,"anon":900}}"#;
        assert_eq!(memory_bytes(&serde_json::from_str(stats).unwrap()), 1000);
        assert_eq!(memory_bytes(&serde_json::from_str(r#"{"usage":5000}"#).unwrap()), 5000);
    }
}
