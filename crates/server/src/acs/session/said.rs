//! What a connection has to say, worked out from the state.

use std::mem;

use longshore_control::reference;
use longshore_model::{DesiredStatus, LastStatus, Task, TaskDefinition};
use longshore_store::State;
use longshore_wire::acs::{
    IAMRoleCredentialsMessage, PayloadMessage, RoleCredentials, ServerMessage,
};
use tracing::{debug, warn};
use uuid::Uuid;

use super::Session;
use super::heard::Asked;
use crate::acs::hub::Concerns;
use crate::acs::manifest::{self, Taken};
use crate::acs::payload;
use crate::roles::{Given, RoleError, renewed_at};
use crate::secrets::{SecretError, TaskSecrets};

/// What a task's containers are; agents have roles too.
const TASK_APPLICATION: &str = "TaskApplication";

/// What a task is told with, and the state has not.
#[derive(Default)]
struct Needs {
    secrets: TaskSecrets,
    role: Option<(Given, RoleCredentials)>,
}

/// Why a task cannot have what it needs; the reason of its end.
#[derive(Debug, thiserror::Error)]
enum NeedError {
    #[error("ResourceInitializationError: unable to pull secrets or registry auth: {0}")]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Role(#[from] RoleError),
}

impl Session {
    /// What is to be said now: one task a payload, so that one an agent cannot take leaves the
    /// others acknowledged. A task whose secrets or role cannot be had is not told; if nothing is
    /// known of its having begun, it ends. A new connection ends with the manifest, whose number is then the
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
        let mut has_looked = false;
        for task in told.into_iter().filter_map(|it| state.task(it)) {
            let Some(definition) = state.definition(&task.definition) else { continue };
            if definition.task_role(task.overrides.as_deref()).is_some()
                && !mem::replace(&mut has_looked, true)
            {
                self.roles.look();
            }
            match self.needs_of(task, definition) {
                Ok(needs) => {
                    debug!(task = %task.id, desired = task.desired_status.as_str(), "telling the agent");
                    frames.push(self.payload(task, definition, needs, &state).encode());
                }
                Err(error) => self.leave_untold(task, &error).await,
            }
        }
        if is_new {
            frames.extend(self.renewals());
        }
        if taken != Taken::Not {
            frames.push(self.manifest(&state).encode());
        }
        frames
    }

    /// New credentials for tasks that run there and whose role's are others than they were last
    /// told on this connection. What a connection before has told is not known: on a new one those
    /// that need no payload are told theirs. Of a role that the file has no more nothing is said.
    pub(crate) fn renewals(&mut self) -> Vec<String> {
        let (now, state) = (self.control.now(), self.control.view());
        self.renewed_at = renewed_at(self.hello.instance, now);
        if self.roles.file.is_none() {
            return Vec::new();
        }
        let mut frames = Vec::new();
        for task in manifest::listed(&state, self.hello.instance) {
            let Some(definition) = state.definition(&task.definition) else { continue };
            if !self.assignment.has_to_run(task.id) {
                continue;
            }
            let owner = self.control.owner();
            let role = self.roles.of_task(task, definition, owner, now);
            let Ok(Some((given, role_credentials))) = role else { continue };
            if self.assignment.has(task.id, &given) {
                continue;
            }
            debug!(task = %task.id, "telling the agent new credentials of the task's role");
            let message = IAMRoleCredentialsMessage {
                message_id: Uuid::new_v4().to_string(),
                task_arn: task.arn(owner),
                role_type: TASK_APPLICATION.into(),
                role_credentials,
            };
            frames.push(ServerMessage::RoleCredentials(message).encode());
            self.assignment.give(task.id, given);
        }
        frames
    }

    /// Whether credentials without an end are to be said to last longer.
    pub(super) fn is_time_to_renew(&self) -> bool {
        self.roles.file.is_some()
            && self.renewed_at != renewed_at(self.hello.instance, self.control.now())
    }

    /// A task is stopped without its secrets.
    fn needs_of(&self, task: &Task, definition: &TaskDefinition) -> Result<Needs, NeedError> {
        if task.desired_status == DesiredStatus::Stopped {
            return Ok(Needs::default());
        }
        let (owner, now) = (self.control.owner(), self.control.now());
        Ok(Needs {
            role: self.roles.of_task(task, definition, owner, now)?,
            secrets: TaskSecrets::find(definition, self.secrets.as_ref())?,
        })
    }

    /// The agent of a task that runs has its secrets, and does not need to hear of it again.
    async fn leave_untold(&self, task: &Task, error: &NeedError) {
        warn!(task = %task.id, %error, "a task cannot be given what it needs");
        if task.last_status == LastStatus::Pending
            && let Err(error) = self.control.fail_to_start(task.id, &error.to_string()).await
        {
            warn!(task = %task.id, %error, "the end of a task could not be saved");
        }
    }

    fn payload(
        &mut self,
        task: &Task,
        definition: &TaskDefinition,
        needs: Needs,
        state: &State,
    ) -> ServerMessage {
        let Needs { secrets, role } = needs;
        let role_credentials = role.map(|(given, credentials)| {
            self.assignment.give(task.id, given);
            credentials
        });
        let owner = self.control.owner();
        let now = self.control.now();
        ServerMessage::Payload(PayloadMessage {
            message_id: Uuid::new_v4().to_string(),
            cluster_arn: owner.cluster_arn(&self.hello.cluster),
            container_instance_arn: self.own_arn(state),
            generated_at: now.millis(),
            seq_num: self.sequence.next(now),
            tasks: vec![payload::task(task, definition, owner, &secrets, role_credentials)],
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
