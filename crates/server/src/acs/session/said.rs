//! What a connection has to say, worked out from the state.

use std::mem;

use longshore_control::reference;
use longshore_model::{DesiredStatus, LastStatus, Task, TaskDefinition};
use longshore_store::State;
use longshore_wire::acs::{PayloadMessage, ServerMessage};
use tracing::{debug, warn};
use uuid::Uuid;

use super::Session;
use super::heard::Asked;
use crate::acs::hub::Concerns;
use crate::acs::manifest::{self, Taken};
use crate::acs::payload;
use crate::secrets::{SecretError, TaskSecrets};

impl Session {
    /// What is to be said now: one task a payload, so that one an agent cannot take leaves the
    /// others acknowledged. A task whose secrets cannot be had is not told; if nothing is known of
    /// its having begun, it ends. A new connection ends with the manifest, whose number is then the
    /// highest: an official agent passes over one that comes late.
    pub(crate) async fn frames(&mut self, concerns: Concerns) -> Vec<String> {
        let state = self.control.view();
        let instance = self.hello.instance;
        let is_new = mem::take(&mut self.is_new);
        let taken = if is_new { manifest::taken_by(&state, instance) } else { Taken::Not };
        if taken == Taken::AsksForBoth {
            let listed = manifest::listed(&state, instance).map(|it| it.id);
            self.assignment.take_as_told(listed);
        }
        let mut frames = Vec::new();
        let told = self.assignment.news(&state, instance, concerns);
        for task in told.into_iter().filter_map(|it| state.task(it)) {
            let Some(definition) = state.definition(&task.definition) else { continue };
            match self.secrets_for(task, definition) {
                Ok(secrets) => {
                    debug!(task = %task.id, desired = task.desired_status.as_str(), "telling the agent");
                    frames.push(self.payload(task, definition, &secrets, &state).encode());
                }
                Err(error) => self.leave_untold(task, &error).await,
            }
        }
        if taken != Taken::Not {
            frames.push(self.manifest(&state).encode());
        }
        frames
    }

    /// A task is stopped without its secrets.
    fn secrets_for(
        &self,
        task: &Task,
        definition: &TaskDefinition,
    ) -> Result<TaskSecrets, SecretError> {
        match task.desired_status {
            DesiredStatus::Running => match definition.task_role(task.overrides.as_deref()) {
                Some(role) => Err(SecretError::NoRole(role.to_owned())),
                None => TaskSecrets::find(definition, self.secrets.as_ref()),
            },
            DesiredStatus::Stopped => Ok(TaskSecrets::default()),
        }
    }

    /// The agent of a task that runs has its secrets, and does not need to hear of it again.
    async fn leave_untold(&self, task: &Task, error: &SecretError) {
        warn!(task = %task.id, %error, "a task cannot be given what it needs");
        if task.last_status == LastStatus::Pending
            && let Err(error) = self.control.fail_for_secrets(task.id, &error.to_string()).await
        {
            warn!(task = %task.id, %error, "the end of a task could not be saved");
        }
    }

    fn payload(
        &self,
        task: &Task,
        definition: &TaskDefinition,
        secrets: &TaskSecrets,
        state: &State,
    ) -> ServerMessage {
        let owner = self.control.owner();
        let now = self.control.now();
        ServerMessage::Payload(PayloadMessage {
            message_id: Uuid::new_v4().to_string(),
            cluster_arn: owner.cluster_arn(&self.hello.cluster),
            container_instance_arn: self.own_arn(state),
            generated_at: now.millis(),
            seq_num: self.sequence.next(now),
            tasks: vec![payload::task(task, definition, task.arn(owner), secrets)],
        })
    }

    /// All that should run there.
    fn manifest(&mut self, state: &State) -> ServerMessage {
        let (owner, now) = (self.control.owner(), self.control.now());
        let mut manifest = manifest::message(
            manifest::listed(state, self.hello.instance),
            owner,
            &self.hello.cluster,
        );
        manifest.message_id = Uuid::new_v4().to_string();
        manifest.container_instance_arn = self.own_arn(state);
        manifest.generated_at = now.millis();
        manifest.timeline = self.sequence.next(now);
        self.asked = Some(Asked::about(manifest.message_id.clone()));
        ServerMessage::TaskManifest(manifest)
    }

    fn own_arn(&self, state: &State) -> String {
        let owner = self.control.owner();
        reference::container_instance_arn(state, &self.hello.cluster, self.hello.instance, owner)
    }
}
