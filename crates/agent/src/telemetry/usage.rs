//! What each running container used when it was last looked at, and since a round was published.
//! The sampler writes it; it forgets a container that no longer runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bollard::models::ContainerStatsResponse;

use super::reading::Reading;

/// By Docker id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    containers: Arc<Mutex<HashMap<String, Looks>>>,
}

/// At one container.
#[derive(Debug, Default)]
struct Looks {
    /// Compared with the look before, once there was one.
    latest: ContainerStatsResponse,
    reading: Reading,
    /// Oldest first; not published yet.
    round: Vec<Reading>,
}

/// While nobody publishes, only so many of the latest are kept for whoever will.
const LONGEST_ROUND: usize = 4;

impl Usage {
    /// A look at a running container, on a host of so many CPUs.
    pub(super) fn record(&self, docker_id: &str, mut stats: ContainerStatsResponse, cpus: u32) {
        let mut containers = self.lock();
        let looks = containers.entry(docker_id.to_owned()).or_default();
        looks.reading = Reading::between(&looks.latest, &stats, cpus);
        stats.preread = looks.latest.read.take();
        stats.precpu_stats = looks.latest.cpu_stats.take();
        looks.latest = stats;
        if looks.round.len() == LONGEST_ROUND {
            looks.round.remove(0);
        }
        looks.round.push(looks.reading);
    }

    /// Only these containers run.
    pub(super) fn retain(&self, running: &HashSet<&str>) {
        self.lock().retain(|id, _| running.contains(id.as_str()));
    }

    /// Docker's own words of the last look, from the second one on.
    pub(crate) fn latest(&self, docker_id: &str) -> Option<ContainerStatsResponse> {
        let containers = self.lock();
        let latest = containers.get(docker_id).map(|it| &it.latest);
        latest.filter(|it| it.preread.is_some()).cloned()
    }

    /// The last look.
    pub(crate) fn reading(&self, docker_id: &str) -> Option<Reading> {
        self.lock().get(docker_id).map(|it| it.reading)
    }

    /// What is to be published of a container. Empty until its CPU was seen at work between two
    /// looks; the first is kept until then.
    pub(super) fn take_round(&self, docker_id: &str) -> Vec<Reading> {
        let mut containers = self.lock();
        let round = containers.get_mut(docker_id).map(|it| &mut it.round);
        let round = round.filter(|it| it.iter().any(|it| it.cpu_percent.is_some()));
        round.map(std::mem::take).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Looks>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(second: u32) -> ContainerStatsResponse {
        let text = format!(
            r#"{{"read":"2026-11-24T06:00:{second:02}Z",
                "cpu_stats":{{"cpu_usage":{{"total_usage":{}}}}}}}"#,
            u64::from(second) * 1_000_000_000
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_round_begins_with_a_comparison_and_is_told_once() {
        let usage = Usage::default();
        usage.record("a", stats(0), 1);
        assert_eq!(usage.take_round("a"), []);
        assert_eq!(usage.latest("a"), None);
        usage.record("a", stats(10), 1);
        let percents: Vec<_> = usage.take_round("a").iter().map(|it| it.cpu_percent).collect();
        assert_eq!(percents, [None, Some(100.0)]);
        assert_eq!(usage.take_round("a"), []);
        let latest = usage.latest("a").unwrap();
        assert_eq!(latest.preread, stats(0).read);
        assert_eq!(latest.precpu_stats, stats(0).cpu_stats);
    }

    #[test]
    fn nothing_piles_up_while_nobody_publishes() {
        let usage = Usage::default();
        for second in 0..50 {
            usage.record("a", stats(second), 1);
        }
        assert_eq!(usage.take_round("a").len(), LONGEST_ROUND);
    }

    #[test]
    fn a_container_that_does_not_run_is_forgotten() {
        let usage = Usage::default();
        usage.record("a", stats(0), 1);
        usage.retain(&HashSet::from(["b"]));
        assert_eq!(usage.reading("a"), None);
    }
}
