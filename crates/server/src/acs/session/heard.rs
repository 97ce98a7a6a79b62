//! What an agent says on its connection, and what it is answered.

use std::mem;

use longshore_control::reference;
use longshore_wire::acs::{
    AgentMessage, BadRequestException, InvalidInstanceException, ServerMessage, TaskResendRequest,
    TaskStopVerificationAck, TaskStopVerificationMessage,
};
use tracing::{debug, warn};

use super::Session;
use crate::acs::hub::Seat;
use crate::acs::manifest;

/// What an agent may ask about its manifest, each once.
pub(super) struct Asked {
    message_id: String,
    for_stops: bool,
    for_tasks: bool,
}

impl Asked {
    /// Nothing yet, about the manifest of this message id.
    pub(super) fn about(message_id: String) -> Self {
        Self { message_id, for_stops: false, for_tasks: false }
    }
}

impl Session {
    /// Takes in a frame, and gives the answer to it. Nothing that an agent says here changes the
    /// state: what it has not heard is said again on its next connection, and what it has done it
    /// reports through the API.
    pub(crate) fn hear(&mut self, text: &str, seat: &Seat) -> Option<String> {
        let message = match AgentMessage::decode(text) {
            // Of later years: official servers say nothing to what they do not know either.
            Ok(message) => message?,
            Err(error) => {
                self.complain(&error.to_string());
                let message = error.to_string();
                return Some(ServerMessage::BadRequest(BadRequestException { message }).encode());
            }
        };
        if !self.is_own(&message) {
            let message = "The message is of another container instance.".to_owned();
            self.complain(&message);
            let refusal = ServerMessage::InvalidInstance(InvalidInstanceException { message });
            return Some(refusal.encode());
        }
        match message {
            AgentMessage::Nack(nack) => {
                self.complain(&format!("{} is refused: {}", nack.message_id, nack.reason));
                None
            }
            AgentMessage::TaskStopVerification(question) => self.verify_stops(question),
            AgentMessage::TaskResend(request) => {
                self.tell_again(request, seat);
                None
            }
            AgentMessage::Ack(_)
            | AgentMessage::RoleCredentialsAck(_)
            | AgentMessage::HeartbeatAck(_) => None,
        }
    }

    /// Whether an agent that names an instance names its own.
    fn is_own(&self, message: &AgentMessage) -> bool {
        let named = match message {
            AgentMessage::Ack(it) => &it.container_instance,
            AgentMessage::Nack(it) => &it.container_instance,
            AgentMessage::TaskResend(it) => &it.container_instance,
            AgentMessage::RoleCredentialsAck(_)
            | AgentMessage::HeartbeatAck(_)
            | AgentMessage::TaskStopVerification(_) => return true,
        };
        let (cluster, owner) = (&self.hello.cluster, self.control.owner());
        named.is_empty()
            || reference::container_instance(named, cluster, owner) == Ok(self.hello.instance)
    }

    /// Which of the tasks that the manifest lacks are to be stopped.
    fn verify_stops(&mut self, question: TaskStopVerificationMessage) -> Option<String> {
        let asked = self.asked.as_mut().filter(|it| it.message_id == question.message_id)?;
        if mem::replace(&mut asked.for_stops, true) {
            return None;
        }
        let instance = self.hello.instance;
        let stop_tasks = manifest::to_be_stopped(
            question.stop_candidates,
            &self.control.view(),
            self.control.owner(),
            &self.hello.cluster,
            instance,
        );
        if let Some(first) = stop_tasks.first() {
            let (tasks, first) = (stop_tasks.len(), &first.task_arn);
            warn!(%instance, tasks, first, "tasks run there that should not: they are stopped");
        }
        let verdict = TaskStopVerificationAck {
            message_id: question.message_id,
            generated_at: self.control.now().millis(),
            stop_tasks,
        };
        Some(ServerMessage::TaskStopVerificationAck(verdict).encode())
    }

    /// Tasks that the manifest lists and the agent lacks are news again.
    fn tell_again(&mut self, request: TaskResendRequest, seat: &Seat) {
        let asked = self.asked.as_mut().filter(|it| it.message_id == request.message_id);
        if asked.is_none_or(|it| mem::replace(&mut it.for_tasks, true)) {
            return;
        }
        let (cluster, owner) = (&self.hello.cluster, self.control.owner());
        let named = request.task_arns.iter().filter_map(|it| manifest::named(it, owner, cluster));
        for task in named {
            self.assignment.forget(task);
            seat.note(task);
        }
        seat.news.notify_one();
    }

    /// Logs what is wrong with an agent: once aloud, for it may go on like that.
    fn complain(&mut self, what: &str) {
        let instance = self.hello.instance;
        if mem::replace(&mut self.has_complained, true) {
            debug!(%instance, what, "an agent's message is refused");
        } else {
            warn!(%instance, what, "an agent's message is refused; others of it are not logged");
        }
    }
}
