//! The last hour of one task, container by container.

use longshore_model::{ContainerName, Task, Timestamp};

use super::ContainerUsage;
use super::series::{Minute, Series, Usage};

/// Bytes since a container began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Over the network, to the container.
    pub received: u64,
    /// Over the network, from the container.
    pub sent: u64,
    /// From block devices.
    pub read: u64,
    /// To block devices.
    pub written: u64,
}

/// The figures of a task: for each container, or under no name for all of them together where the
/// agent names none.
pub type TaskFigures = Vec<(Option<ContainerName>, Series, Option<Traffic>)>;

#[derive(Debug, Default)]
pub(super) struct TaskHistory {
    containers: Vec<(Option<ContainerName>, Series, Option<Traffic>)>,
}

impl TaskHistory {
    /// Takes in a round and gives what the task's containers used together. One that the task does
    /// not have is passed over, and so is the second one of a name.
    pub(super) fn record(&mut self, task: &Task, told: &[ContainerUsage], now: Timestamp) -> Usage {
        let mut together = Usage::default();
        for container in &task.containers {
            let told = told.iter().find(|it| it.name.as_ref() == Some(&container.name));
            if let Some(told) = told {
                together = together.beside(told.usage);
                self.put(Some(&container.name), told.usage, told.traffic, now);
            }
        }
        let unnamed = told.iter().filter(|it| it.name.is_none()).map(|it| it.usage);
        if let Some(usage) = unnamed.take(task.containers.len()).reduce(Usage::beside) {
            together = together.beside(usage);
            self.put(None, usage, None, now);
        }
        together
    }

    fn put(
        &mut self,
        name: Option<&ContainerName>,
        usage: Usage,
        traffic: Option<Traffic>,
        now: Timestamp,
    ) {
        let known = self.containers.iter().position(|it| it.0.as_ref() == name);
        let at = known.unwrap_or_else(|| {
            self.containers.reserve_exact(1);
            self.containers.push((name.cloned(), Series::default(), None));
            self.containers.len() - 1
        });
        let (_, series, counters) = &mut self.containers[at];
        series.record(usage, now);
        // A container that was started again in place begins anew.
        *counters = traffic.or(*counters);
    }

    pub(super) fn latest(
        &self,
        show: &mut impl FnMut(Option<&ContainerName>, Minute, Option<Traffic>),
    ) {
        for (name, series, traffic) in &self.containers {
            if let Some(minute) = series.last() {
                show(name.as_ref(), minute, *traffic);
            }
        }
    }

    pub(super) fn figures(&self) -> TaskFigures {
        self.containers.clone()
    }
}
