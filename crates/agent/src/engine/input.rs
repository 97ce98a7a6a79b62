//! What the engine is told. Each of these may come late, twice or never.

use longshore_model::{HealthStatus, NetworkBinding, Timestamp};

use super::reason::Reason;

/// What happened. `container` is the position among the spec's containers.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Nothing; time passed, or the agent has just started.
    Tick,
    /// The control plane wants the task stopped.
    StopRequested,
    /// What must be there before any container is, or cannot be.
    Prepared(Result<(), Reason>),
    /// A pull is over.
    Pulled {
        /// Which.
        container: usize,
        /// When it began; `None` if there was nothing to pull.
        started_at: Option<Timestamp>,
        /// Why it failed, if it did.
        outcome: Result<(), Reason>,
    },
    /// Docker answered the wish to create a container.
    Created {
        /// Which.
        container: usize,
        /// What Docker said.
        outcome: CreateOutcome,
    },
    /// Docker answered the wish to start a container.
    Started {
        /// Which.
        container: usize,
        /// What Docker said.
        outcome: StartOutcome,
    },
    /// A running container ended.
    Exited {
        /// Which.
        container: usize,
        /// How.
        exit: Exit,
    },
    /// What Docker thinks of a container's health.
    Health {
        /// Which.
        container: usize,
        /// Now.
        status: HealthStatus,
    },
    /// The agent has started and knows the task from before: what Docker has of each container,
    /// in the spec's order. Comes before anything is planned, so that nothing is done twice.
    Adopted(Vec<Found>),
    /// The task cannot be put on file, so it must not begin here.
    Unsaved(Reason),
    /// The control plane accepted the first report of the outbox.
    ReportAccepted,
    /// The containers and volumes are removed.
    CleanedUp,
}

/// How a run of a container ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exit {
    /// `None` if it is not known, because the container is gone.
    pub code: Option<i32>,
    /// What went wrong, beyond the exit code.
    pub reason: Option<Reason>,
    /// How long it ran, where Docker knows.
    pub ran_secs: Option<u32>,
    /// When it ended, where Docker knows: perhaps long before the agent could look.
    pub at: Option<Timestamp>,
}

/// What came of creating a container.
#[derive(Clone, Debug, PartialEq)]
pub enum CreateOutcome {
    /// It exists under this id.
    Created {
        /// Docker's.
        docker_id: String,
        /// Of the image, if it came from a registry.
        image_digest: Option<String>,
    },
    /// The image is not present.
    ImageMissing(Reason),
    /// Docker refused for any other reason.
    Failed(Reason),
    /// Docker was not asked: the task was to stop before its turn came.
    NotBegun,
}

/// What came of starting a container.
#[derive(Clone, Debug, PartialEq)]
pub enum StartOutcome {
    /// It runs, or at least did.
    Started {
        /// The ports of the host that lead to it.
        network_bindings: Vec<NetworkBinding>,
    },
    /// Docker refused.
    Failed(Reason),
    /// Docker was not asked: the task was to stop before its turn came.
    NotBegun,
}

/// A container as Docker has it when the agent starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// There is none.
    Missing,
    /// It was never started.
    Created(Marks),
    /// It runs.
    Running {
        /// What it is to Docker.
        marks: Marks,
        /// The ports of the host that lead to it.
        network_bindings: Vec<NetworkBinding>,
    },
    /// It ran and ended.
    Exited {
        /// What it is to Docker.
        marks: Marks,
        /// As Docker kept it.
        exit: Exit,
    },
}

impl Found {
    /// Of several containers that bear the labels of one, the one to take over: the one whose id
    /// is known, or else the one that got furthest. There are several when an agent was killed
    /// with a creation under way that it had not yet put on file.
    pub fn of_several(all: impl IntoIterator<Item = Self>, known_id: Option<&str>) -> Self {
        let is_known = |it: &Marks| Some(it.docker_id.as_str()) == known_id;
        let rank = |it: &Self| match it {
            Self::Missing => (false, 0),
            Self::Created(marks) => (is_known(marks), 1),
            Self::Running { marks, .. } | Self::Exited { marks, .. } => (is_known(marks), 2),
        };
        all.into_iter().max_by_key(rank).unwrap_or(Self::Missing)
    }
}

/// What a container is to Docker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks {
    /// Without the slash that Docker puts before it.
    pub docker_name: String,
    /// 64 hex digits.
    pub docker_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_containers_the_known_one_is_taken_or_else_the_furthest() {
        let marks = |id: &str| Marks { docker_name: String::new(), docker_id: id.to_owned() };
        let created = || Found::Created(marks("created"));
        let exit = || Exit { code: Some(0), ..Exit::default() };
        let ended = || Found::Exited { marks: marks("ended"), exit: exit() };
        let both = || [ended(), Found::Missing, created()];
        assert_eq!(Found::of_several(both(), Some("created")), created());
        assert_eq!(Found::of_several(both(), Some("ended")), ended());
        assert_eq!(Found::of_several(both(), Some("gone")), ended());
        assert_eq!(Found::of_several(both(), None), ended());
        assert_eq!(Found::of_several([], Some("gone")), Found::Missing);
    }
}
