//! What the engine asks for.

use longshore_model::HealthStatus;

use super::report::Report;

/// What is to be done. `container` is the position among the spec's containers.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Make what must be there before any container: the task's limits and its Docker volumes.
    /// Done again, it changes nothing. Answered by [`Input::Prepared`].
    Prepare,
    /// Get the container's image; answered by [`Input::Pulled`].
    Pull(usize),
    /// Create the container; answered by [`Input::Created`].
    Create(usize),
    /// Start the container; answered by [`Input::Started`].
    Start(usize),
    /// Tell when the container ends; answered by [`Input::Exited`].
    Watch(usize),
    /// Tell when Docker thinks otherwise of the container's health than this; answered by
    /// [`Input::Health`]. Takes the place of an earlier wish of the kind.
    FollowHealth {
        /// Which.
        container: usize,
        /// What the engine knows.
        known: HealthStatus,
    },
    /// SIGTERM, and SIGKILL when its time is up. Answered by nothing: the exit is watched.
    Stop(usize),
    /// Send the report until it is accepted; answered by [`Input::ReportAccepted`].
    Submit(Report),
    /// Remove what is left in Docker; answered by [`Input::CleanedUp`].
    CleanUp {
        /// Their names in Docker.
        containers: Vec<String>,
        /// Likewise.
        volumes: Vec<String>,
        /// Whether limits were made for the task.
        limits: bool,
    },
}
