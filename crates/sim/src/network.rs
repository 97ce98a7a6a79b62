//! Between agents and the control plane: messages that are late, lost or repeated.
//!
//! Calls of the API are on their own: each may be lost, as may its answer, and a copy of it may
//! arrive minutes later. A connection keeps its order, but may be cut, and its ends may find that
//! out at different times or very late.

use std::sync::Arc;

use longshore_model::{Clock, ClusterStatus, InstanceStatus, Timestamp};
use longshore_wire::acs::ServerMessage;

use crate::checks::{Violation, lost};
use crate::control_plane::CallError;
use crate::event::{AgentCall, Answer, Event, Life, ToLife};
use crate::stage::Stage;
use crate::world::World;

/// For how long a signature is good, either way.
const SIGNATURE_MILLIS: i64 = 15 * 60 * 1000;

/// Names a connection.
pub(crate) type LinkId = u64;

/// A connection between an agent and the control plane.
pub(crate) struct Link {
    life: Life,
    /// Nothing that is under way arrives any more.
    is_cut: bool,
    /// When the last frame to the agent arrives.
    agent_hears_at: i64,
    /// The same for the other direction.
    plane_hears_at: i64,
    /// The control plane's session is about to look what there is to say.
    turn_is_due: bool,
}

/// How the two ends of a connection find out that it is over, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Notice {
    pub(crate) plane_millis: i64,
    pub(crate) agent_millis: i64,
}

impl Notice {
    /// A reset reaches both ends.
    pub(crate) fn prompt(stage: &mut Stage) -> Self {
        Self {
            plane_millis: stage.random.between(1, 50),
            agent_millis: stage.random.between(1, 50),
        }
    }

    /// Silence: each end waits as long as its patience lasts.
    pub(crate) fn silent(stage: &mut Stage) -> Self {
        Self {
            plane_millis: stage.random.between(30_000, 125_000),
            agent_millis: stage.random.between(60_000, 90_000),
        }
    }
}

/// Sends a call of an agent. It hears an answer, or nothing for fifteen seconds.
pub(crate) fn call(
    stage: &mut Stage,
    life: Life,
    number: u64,
    call: AgentCall,
    signed_at: Timestamp,
) {
    if stage.mishap(stage.profile.repeat_percent) {
        let delay = stage.random.between(1, 90_000);
        let call = call.clone();
        stage.after(delay, Event::Agent(life, ToLife::Calls { number, call, signed_at }));
    }
    if !stage.mishap(stage.profile.loss_percent) {
        let delay = stage.latency();
        stage.after(delay, Event::Agent(life, ToLife::Calls { number, call, signed_at }));
    }
    let nothing = ToLife::Hears { number, answer: Answer::Nothing };
    stage.after(15_000, Event::Agent(life, nothing));
}

impl World {
    /// A call of an agent arrives, whether that agent still lives or not.
    pub(crate) fn answer_agent(
        &mut self,
        life: Life,
        number: u64,
        call: AgentCall,
        signed_at: Timestamp,
    ) -> Result<(), Violation> {
        if self.is_cut_off(life) {
            return Ok(());
        }
        let plane_now = self.stage.plane_clock.now();
        let is_in_time = (plane_now.millis() - signed_at.millis()).abs() <= SIGNATURE_MILLIS;
        let answer = match &call {
            _ if self.plane.is_up() && !is_in_time => Ok(Answer::WrongTime(plane_now)),
            AgentCall::Register(request) => self.plane.call(&**request).map(|response| {
                let instance = response.container_instance.unwrap_or_default();
                Answer::Registered(instance.container_instance_arn.unwrap_or_default())
            }),
            AgentCall::Submit(request) => self.plane.call(&**request).map(|_| Answer::Accepted),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(CallError::Violation(violation)) => return Err(violation),
            Err(CallError::Refused(error))
                if error.code != "ServerException" && !self.may_be_refused(&call) =>
            {
                let machine = life.machine;
                return Err(Violation::new(format!(
                    "agent {machine} is refused: {}",
                    error.message
                )));
            }
            Err(CallError::Refused(_) | CallError::Down) => Answer::Nothing,
        };
        if !self.stage.mishap(self.stage.profile.loss_percent) {
            let delay = self.stage.latency();
            self.stage.after(delay, Event::Agent(life, ToLife::Hears { number, answer }));
        }
        Ok(())
    }

    fn is_cut_off(&self, life: Life) -> bool {
        let until = self.machines.get(life.machine).map_or(0, |it| it.cut_off_until_millis);
        self.stage.now_millis < until
    }

    /// Whether the agent asks for what there is no more: its cluster was deleted, or its instance
    /// deregistered. It asks again until somebody sees to that.
    fn may_be_refused(&self, call: &AgentCall) -> bool {
        let AgentCall::Register(request) = call else { return false };
        let state = self.plane.view();
        let cluster = request.cluster.as_deref().and_then(|it| it.parse().ok());
        let cluster = cluster.and_then(|it| state.cluster(&it).map(Arc::clone));
        let instance = request.container_instance_arn.as_deref().map(|arn| {
            let id = arn.rsplit('/').next().and_then(|it| it.parse().ok());
            id.and_then(|it| state.instance(it).map(Arc::clone))
        });
        cluster.is_none_or(|it| it.status == ClusterStatus::Inactive)
            || instance.is_some_and(|it| it.is_none_or(|it| it.status == InstanceStatus::Inactive))
    }

    /// An agent's handshake arrives.
    pub(crate) fn shake_hands(&mut self, life: Life, attempt: u64, query: &str) {
        if self.is_cut_off(life) {
            return;
        }
        self.link_count += 1;
        let link = self.link_count;
        let is_taken = self.plane.connect(link, query);
        let delay = self.stage.latency();
        if is_taken {
            let agent_hears_at = self.stage.now_millis + delay;
            let plane_hears_at = self.stage.now_millis;
            let it =
                Link { life, is_cut: false, agent_hears_at, plane_hears_at, turn_is_due: false };
            self.links.insert(link, it);
            self.give_turn(link);
        }
        let link = is_taken.then_some(link);
        self.stage.after(delay, Event::Agent(life, ToLife::HandshakeOver { attempt, link }));
    }

    /// An agent hears what came of its handshake, if it still waits for that. A connection that
    /// nobody wants any more is closed.
    pub(crate) fn end_handshake(&mut self, life: Life, attempt: u64, link: Option<LinkId>) {
        let is_open = |it: &LinkId| self.links.get(it).is_some_and(|it| !it.is_cut);
        let (link, is_alive) = (link.filter(is_open), self.is_alive(life));
        let machine = self.machines.get_mut(life.machine).filter(|_| is_alive);
        let is_used = machine.is_some_and(|it| it.connected(attempt, link, &mut self.stage));
        if let Some(link) = link.filter(|_| !is_used) {
            let notice = Notice::prompt(&mut self.stage);
            self.cut(link, notice);
        }
    }

    /// Lets every session look for news that may have some.
    pub(crate) fn give_turns(&mut self) {
        for link in self.plane.links() {
            self.give_turn(link);
        }
    }

    fn give_turn(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id)
            && !std::mem::replace(&mut link.turn_is_due, true)
        {
            let delay = self.stage.random.between(0, 30);
            self.stage.after(delay, Event::Turn(id));
        }
    }

    /// The control plane's session says what there is to say.
    pub(crate) fn take_turn(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.turn_is_due = false;
        let Some(connection) = self.plane.connection(id) else { return };
        if connection.is_replaced() {
            self.stage.note(|| format!("connection {id} is replaced"));
            self.plane_loses(id);
            let notice = Notice::prompt(&mut self.stage);
            self.cut(id, notice);
            return;
        }
        let frames = self.plane.frames(id);
        self.send_to_agent(id, frames);
    }

    /// A frame arrives at the agent, which answers once it has saved what it was told.
    pub(crate) fn tell_agent(&mut self, id: LinkId, frame: &str) -> Result<(), Violation> {
        let Some(link) = self.links.get_mut(&id).filter(|it| !it.is_cut) else { return Ok(()) };
        let Some(machine) = self.machines.get_mut(link.life.machine) else { return Ok(()) };
        if !machine.is_on(id) {
            return Ok(());
        }
        let answers = match ServerMessage::decode(frame) {
            Ok(Some(ServerMessage::Payload(payload))) => {
                for task in payload.tasks.iter().filter(|it| it.desired_status == "RUNNING") {
                    if !machine.knows(&task.arn) {
                        lost::may_start(machine, &task.arn, &self.plane.view())?;
                    }
                }
                machine.take_in(payload, &mut self.stage)?
            }
            Ok(Some(ServerMessage::TaskManifest(manifest))) => machine.compare(&manifest),
            Ok(Some(ServerMessage::TaskStopVerificationAck(verdict))) => {
                machine.stop_surplus(verdict, &mut self.stage)?;
                Vec::new()
            }
            other => return Err(Violation::new(format!("nothing to be told so: {other:?}"))),
        };
        for answer in answers {
            let arrives_at = link.plane_hears_at.max(self.stage.now_millis + self.stage.latency());
            link.plane_hears_at = arrives_at;
            let delay = arrives_at - self.stage.now_millis;
            self.stage.after(delay, Event::ToPlane(id, answer.encode()));
        }
        Ok(())
    }

    /// A frame of an agent arrives at the control plane.
    pub(crate) fn tell_plane(&mut self, id: LinkId, frame: &str) {
        if self.links.get(&id).is_some_and(|it| !it.is_cut)
            && let Some(connection) = self.plane.connection(id)
        {
            let answer = connection.hear(frame);
            self.send_to_agent(id, answer);
            // It may be asked for tasks.
            self.give_turn(id);
        }
    }

    fn send_to_agent(&mut self, id: LinkId, frames: impl IntoIterator<Item = String>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        for frame in frames {
            let arrives_at = link.agent_hears_at.max(self.stage.now_millis + self.stage.latency());
            link.agent_hears_at = arrives_at;
            let delay = arrives_at - self.stage.now_millis;
            if self.stage.profile.echo_percent > 0
                && self.stage.mishap(self.stage.profile.echo_percent)
            {
                let later = delay + self.stage.random.between(1, 90_000);
                self.stage.after(later, Event::ToAgent(id, frame.clone()));
            }
            self.stage.after(delay, Event::ToAgent(id, frame));
        }
    }

    /// Cuts a connection.
    pub(crate) fn cut(&mut self, id: LinkId, notice: Notice) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if std::mem::replace(&mut link.is_cut, true) {
            return;
        }
        self.stage.after(notice.plane_millis, Event::PlaneLoses(id));
        self.stage.after(notice.agent_millis, Event::AgentLoses(id));
    }

    /// The control plane finds out that a connection is over.
    pub(crate) fn plane_loses(&mut self, id: LinkId) {
        self.plane.disconnect(id);
    }

    /// The agent finds out that a connection is over.
    pub(crate) fn agent_loses(&mut self, id: LinkId) {
        if let Some(link) = self.links.get(&id)
            && let Some(machine) = self.machines.get_mut(link.life.machine)
        {
            machine.disconnected(id, &mut self.stage);
        }
    }
}
