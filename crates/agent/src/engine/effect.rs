//! What the engine asks for.

use super::report::Report;

/// What is to be done. `container` is the position among the spec's containers.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Get the container's image; answered by [`Input::Pulled`].
    Pull(usize),
    /// Create the container; answered by [`Input::Created`].
    Create(usize),
    /// Start the container; answered by [`Input::Started`].
    Start(usize),
    /// Tell when the container ends; answered by [`Input::Exited`].
    Watch(usize),
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
    },
}
