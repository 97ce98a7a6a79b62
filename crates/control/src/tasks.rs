//! Operations on tasks.

mod describe;
mod explain;
mod figures;
mod health;
mod launch;
mod report;
mod run;
mod start;
mod stop;

pub use describe::{ListTasks, list};
pub use explain::{Excluded, Explanation, Listed, NearMiss, Reason, Why, explain};
pub use health::{Health, HealthReport, RecordHealthError};
pub use launch::{
    Failure, FailureReason, Launch, LaunchError, LaunchTags, Launched, PropagateTags,
};
pub(crate) use report::shortened;
pub use report::{ContainerReport, TaskReport};
pub use run::{LaunchOn, RunTask};
pub use start::StartTask;
pub use stop::{StopTask, StopTaskError};
