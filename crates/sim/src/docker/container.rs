//! A container as the Engine keeps it, and what has become of it.

use longshore_agent::engine::{Input, PortSpec, Reason};
use longshore_model::NetworkBinding;

use crate::event::{Event, Life, ToLife};
use crate::stage::Stage;

/// A container. Its name in Docker is the key that it is kept under.
pub(crate) struct Container {
    pub(super) id: String,
    pub(crate) task: String,
    pub(crate) name: String,
    pub(super) image: String,
    pub(super) ports: Vec<PortSpec>,
    pub(super) bindings: Vec<NetworkBinding>,
    pub(crate) standing: Standing,
    pub(super) stop_asked: bool,
    /// Who is to be told of its end, and which container of its task it is there.
    pub(super) watcher: Option<(Life, usize)>,
}

/// How far a container is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// Never started.
    Created,
    Running,
    Exited {
        exit_code: Option<i32>,
        reason: Option<Reason>,
    },
}

/// What has become of a container.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate {
    pub(crate) starts: u32,
    pub(crate) exit_code: Option<i32>,
    /// Somebody removed it behind the agent's back.
    pub(crate) is_lost: bool,
}

/// Tells whoever watches a container that it has ended.
pub(super) fn tell_watcher(container: &mut Container, stage: &mut Stage) {
    let Standing::Exited { exit_code, reason } = container.standing.clone() else { return };
    if let Some((life, index)) = container.watcher.take() {
        let input = Input::Exited { container: index, exit_code, reason };
        let delay = stage.random.between(1, 100);
        stage.after(
            delay,
            Event::Agent(life, ToLife::Input { task: container.task.clone(), input }),
        );
    }
}
