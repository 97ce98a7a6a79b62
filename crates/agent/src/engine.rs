//! What the agent does with a task: all of its rules, and nothing else.
//!
//! [`step`] takes a task's state, one input and the time, and yields what is to be done. It reads
//! no clock, draws no random number and touches neither Docker nor the network, so the simulation
//! runs the same rules as a container instance does. The invariants: a known status never goes
//! back, and no effect is asked for twice while its outcome is awaited.

mod absorb;
mod dependency;
mod difference;
mod effect;
mod input;
mod reason;
mod report;
mod spec;
mod step;
mod task;

pub use difference::Difference;
pub use effect::Effect;
pub use input::{CreateOutcome, Exit, Found, Input, Marks, StartOutcome};
pub use reason::{Failure, Reason};
pub use report::{ContainerReport, Report};
pub(crate) use spec::file_name;
pub use spec::{
    Condition, ContainerSpec, DependencySpec, DockerVolumeSpec, Limits, LinkSpec, MountSpec,
    PortSpec, RegistryLogin, Rejection, RestartPolicy, TaskSpec, VolumeFromSpec, VolumeScope,
    VolumeSource, VolumeSpec,
};
pub use step::{Policy, step, wake_at};
pub use task::{Action, ContainerState, ContainerStatus, Preparation, TaskState};

#[cfg(test)]
mod tests;
