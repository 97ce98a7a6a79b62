//! What each running container used when it was last looked at. The sampler writes it; it forgets a
//! container that no longer runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bollard::models::ContainerStatsResponse;

/// By Docker id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    /// Each compared with the look before, once there was one.
    containers: Arc<Mutex<HashMap<String, ContainerStatsResponse>>>,
}

impl Usage {
    /// A look at a running container.
    pub(super) fn record(&self, docker_id: &str, mut stats: ContainerStatsResponse) {
        let mut containers = self.lock();
        let before = containers.remove(docker_id).unwrap_or_default();
        stats.preread = before.read;
        stats.precpu_stats = before.cpu_stats;
        containers.insert(docker_id.to_owned(), stats);
    }

    /// Only these containers run.
    pub(super) fn retain(&self, running: &HashSet<&str>) {
        self.lock().retain(|id, _| running.contains(id.as_str()));
    }

    /// Docker's own words of the last look, from the second one on.
    pub(crate) fn latest(&self, docker_id: &str) -> Option<ContainerStatsResponse> {
        let containers = self.lock();
        containers.get(docker_id).filter(|it| it.preread.is_some()).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, ContainerStatsResponse>> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
