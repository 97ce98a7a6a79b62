//! What the agent is told on its connection, and what it answers.

use longshore_agent::engine::{Difference, Input};
use longshore_model::DesiredStatus;
use longshore_wire::acs::{
    AckRequest, AgentMessage, ManifestTask, PayloadMessage, TaskManifestMessage, TaskResendRequest,
    TaskStopVerificationAck, TaskStopVerificationMessage,
};

use super::Machine;
use crate::checks::Violation;
use crate::stage::Stage;

impl Machine {
    /// Begins and stops tasks, and acknowledges that once it is saved.
    pub(crate) fn take_in(
        &mut self,
        payload: PayloadMessage,
        stage: &mut Stage,
    ) -> Result<Vec<AgentMessage>, Violation> {
        if let Some(agent) = &mut self.agent {
            agent.timeline = agent.timeline.max(payload.seq_num);
        }
        let mut is_saved = true;
        for task in payload.tasks {
            is_saved &= self.assign(task, stage)?;
        }
        Ok(if is_saved { vec![self.ack(payload.message_id)] } else { Vec::new() })
    }

    /// Asks about what only one side knows of. A manifest that is older than what is known says
    /// nothing.
    pub(crate) fn compare(&mut self, manifest: &TaskManifestMessage) -> Vec<AgentMessage> {
        let Some(agent) = self.agent.as_mut().filter(|it| it.timeline < manifest.timeline) else {
            return Vec::new();
        };
        agent.timeline = manifest.timeline;
        let workers = self.agent.iter().flat_map(|it| &it.workers);
        let here = workers.map(|(arn, it)| (arn.as_str(), it.state.desired));
        let Difference { surplus, missing } = Difference::of(manifest, here);
        let message_id = || manifest.message_id.clone();
        let candidate = |task_arn| ManifestTask {
            task_arn,
            desired_status: DesiredStatus::Stopped.as_str().to_owned(),
            ..ManifestTask::default()
        };
        let question = TaskStopVerificationMessage {
            message_id: message_id(),
            stop_candidates: surplus.into_iter().map(candidate).collect(),
        };
        let request = TaskResendRequest {
            cluster: self.cluster.to_owned(),
            message_id: message_id(),
            task_arns: missing,
            ..TaskResendRequest::default()
        };
        let mut answers = vec![self.ack(message_id())];
        if !question.stop_candidates.is_empty() {
            answers.push(AgentMessage::TaskStopVerification(question));
        }
        if !request.task_arns.is_empty() {
            answers.push(AgentMessage::TaskResend(request));
        }
        answers
    }

    /// Stops what should not run here.
    pub(crate) fn stop_surplus(
        &mut self,
        verdict: TaskStopVerificationAck,
        stage: &mut Stage,
    ) -> Result<(), Violation> {
        for task in verdict.stop_tasks {
            self.advance(&task.task_arn, Input::StopRequested, stage)?;
        }
        Ok(())
    }

    fn ack(&self, message_id: String) -> AgentMessage {
        AgentMessage::Ack(AckRequest {
            cluster: self.cluster.to_owned(),
            container_instance: self.disk.identity.clone().unwrap_or_default(),
            message_id,
        })
    }
}
