//! A container as the Engine keeps it, and what has become of it.

use longshore_agent::engine::{ContainerSpec, Exit, Input, Reason};
use longshore_model::{HealthStatus, NetworkBinding};

use crate::event::{Event, Life, ToLife};
use crate::stage::Stage;

/// A container. Its name in Docker is the key that it is kept under.
pub(crate) struct Container {
    pub(super) id: String,
    pub(crate) task: String,
    pub(crate) name: String,
    pub(super) spec: ContainerSpec,
    pub(super) bindings: Vec<NetworkBinding>,
    pub(crate) standing: Standing,
    pub(super) stop_asked: bool,
    /// How often it was started. What was to happen in an earlier run does not.
    pub(super) run: u32,
    pub(super) started_millis: i64,
    /// What its health check says.
    pub(crate) health: HealthStatus,
    /// Who is to be told of its end, and which container of its task it is there.
    pub(super) watcher: Option<(Life, usize)>,
    /// Who is to be told when its health is not this any more, and which container it is there.
    pub(super) follower: Option<(Life, usize, HealthStatus)>,
}

impl Container {
    /// How its run ends now.
    pub(super) fn exit(&self, code: i32, reason: Option<Reason>, now_millis: i64) -> Exit {
        let ran_secs = u32::try_from((now_millis - self.started_millis) / 1000).ok();
        Exit { code: Some(code), reason, ran_secs, at: None }
    }
}

/// How far a container is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// Never started.
    Created,
    Running,
    Exited(Exit),
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
    let Standing::Exited(exit) = container.standing.clone() else { return };
    if let Some((life, index)) = container.watcher.take() {
        let input = Input::Exited { container: index, exit };
        let delay = stage.random.between(1, 100);
        stage.after(
            delay,
            Event::Agent(life, ToLife::Input { task: container.task.clone(), input }),
        );
    }
}

/// Tells whoever follows a container's health that it is not what they know.
pub(super) fn tell_follower(container: &mut Container, stage: &mut Stage) {
    let status = container.health;
    let news = |it: &mut (Life, usize, HealthStatus)| it.2 != status;
    if let Some((life, index, _)) = container.follower.take_if(news) {
        let input = Input::Health { container: index, status };
        let delay = stage.random.between(1, 100);
        let task = container.task.clone();
        stage.after(delay, Event::Agent(life, ToLife::Input { task, input }));
    }
}
