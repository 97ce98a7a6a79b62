//! From a target to its action, and from the outcome to a response's body.

use std::sync::Arc;

use bytes::Bytes;
use longshore_control::Control;
use longshore_control::access::Caller;
use longshore_model::{Owner, Task};
use longshore_store::State;
use longshore_wire::{Operation, ecs};
use serde::Serialize;

use super::access;
use super::actions;
use super::exception::{Exception, ExceptionCode};
use super::page::Pages;
use super::render;
use crate::secrets::SecretsFile;

/// What an action may use.
pub(crate) struct Call<'a> {
    pub(crate) control: &'a Control,
    pub(crate) pages: &'a Pages,
    /// Where the values of secrets are, if they are anywhere.
    pub(crate) secrets: Option<&'a SecretsFile>,
    /// Whose signature the request bears.
    pub(crate) caller: Caller,
    /// The authority under which the caller reached this server.
    pub(crate) host: &'a str,
    /// `https` of those who came by TLS, else `http`.
    pub(crate) scheme: &'static str,
}

impl Call<'_> {
    pub(super) fn owner(&self) -> &Owner {
        self.control.owner()
    }

    pub(super) fn render_task(&self, task: &Task, state: &State) -> Result<ecs::Task, Exception> {
        let Some(definition) = state.definition(&task.definition) else {
            tracing::error!(task = %task.id, definition = %task.definition, "a task's definition is gone");
            return Err(Exception::server("The task's definition is gone."));
        };
        let instance = state.instance(task.container_instance).map(Arc::as_ref);
        Ok(render::task(task, definition, instance, self.owner()))
    }
}

/// The operations, each with its action and the exceptions of its own that it may answer: ECS's
/// model of 2017 and today's must both declare them, but for those that tell of something that 2017
/// did not have. Those of [`ExceptionCode::is_common`] need no mention.
macro_rules! actions {
    ($($operation:ident => $action:ident [$($code:ident),*],)*) => {
        /// The operations that this server has.
        pub fn supported() -> &'static [Operation] {
            &[$(Operation::$operation,)*]
        }

        /// The exceptions of its own that an operation may answer.
        pub(super) fn exceptions(operation: Operation) -> &'static [ExceptionCode] {
            match operation {
                $(Operation::$operation => &[$(ExceptionCode::$code),*],)*
                _ => &[],
            }
        }

        /// Answers one request that has been authenticated.
        pub(crate) async fn answer(
            target: Option<&str>,
            body: &[u8],
            call: &Call<'_>,
        ) -> Result<Bytes, Exception> {
            let Some(operation) = target.and_then(Operation::from_target) else {
                return Err(unknown(target));
            };
            let outcome = match operation {
                $(
                    Operation::$operation => match access::check(operation, body, call) {
                        Ok(()) => {
                            actions::$action::answer(body, call).await.and_then(|it| encode(&it))
                        }
                        Err(denied) => Err(denied),
                    },
                )*
                _ => Err(unknown(target)),
            };
            outcome.map_err(|it| it.within(exceptions(operation)))
        }
    };
}

actions! {
    CreateCluster => create_cluster [InvalidParameter],
    DeleteAccountSetting => delete_account_setting [InvalidParameter],
    DeleteAttributes => delete_attributes [ClusterNotFound, InvalidParameter, TargetNotFound],
    DeleteCluster => delete_cluster [
        ClusterContainsContainerInstances, ClusterContainsTasks, ClusterNotFound, InvalidParameter
    ],
    DeleteTaskDefinitions => delete_task_definitions [InvalidParameter],
    DeregisterContainerInstance => deregister_container_instance [ClusterNotFound, InvalidParameter],
    DeregisterTaskDefinition => deregister_task_definition [Client, InvalidParameter],
    DescribeClusters => describe_clusters [InvalidParameter],
    DescribeContainerInstances => describe_container_instances [Client, ClusterNotFound, InvalidParameter],
    DescribeTaskDefinition => describe_task_definition [Client, InvalidParameter],
    DescribeTasks => describe_tasks [ClusterNotFound, InvalidParameter],
    DiscoverPollEndpoint => discover_poll_endpoint [],
    ListAccountSettings => list_account_settings [InvalidParameter],
    ListAttributes => list_attributes [ClusterNotFound, InvalidParameter],
    ListClusters => list_clusters [InvalidParameter],
    ListContainerInstances => list_container_instances [ClusterNotFound, InvalidParameter],
    ListTagsForResource => list_tags_for_resource [ClusterNotFound, InvalidParameter],
    ListTaskDefinitionFamilies => list_task_definition_families [InvalidParameter],
    ListTaskDefinitions => list_task_definitions [InvalidParameter],
    ListTasks => list_tasks [ClusterNotFound, InvalidParameter, ServiceNotFound],
    PutAccountSetting => put_account_setting [InvalidParameter],
    PutAccountSettingDefault => put_account_setting_default [InvalidParameter],
    PutAttributes => put_attributes [
        AttributeLimitExceeded, ClusterNotFound, InvalidParameter, TargetNotFound
    ],
    RegisterContainerInstance => register_container_instance [Client],
    RegisterTaskDefinition => register_task_definition [Client],
    RunTask => run_task [
        Client, ClusterNotFound, Conflict, InvalidParameter, PlatformUnknown
    ],
    StartTask => start_task [Client, ClusterNotFound, InvalidParameter],
    StopTask => stop_task [ClusterNotFound, InvalidParameter],
    SubmitContainerStateChange => submit_container_state_change [],
    SubmitTaskStateChange => submit_task_state_change [],
    TagResource => tag_resource [
        ClusterNotFound, InvalidParameter, LimitExceeded, ResourceNotFound
    ],
    UntagResource => untag_resource [ClusterNotFound, InvalidParameter, ResourceNotFound],
    UpdateContainerAgent => update_container_agent [
        ClusterNotFound, InvalidParameter, MissingVersion, NoUpdateAvailable
    ],
    UpdateContainerInstancesState => update_container_instances_state [
        Client, ClusterNotFound, InvalidParameter
    ],
}

fn unknown(target: Option<&str>) -> Exception {
    let target: String = target.unwrap_or_default().chars().take(128).collect();
    let operation = target.rsplit('.').next().unwrap_or_default();
    Exception::unknown_operation(match operation {
        "" => "The header X-Amz-Target names no operation.".into(),
        operation => format!("Longshore does not have the operation {operation}."),
    })
}

/// A response's body.
pub(crate) fn encode(response: &impl Serialize) -> Result<Bytes, Exception> {
    serde_json::to_vec(response).map(Bytes::from).map_err(|error| {
        tracing::error!(%error, "a response could not be written");
        Exception::server("The response could not be written.")
    })
}
