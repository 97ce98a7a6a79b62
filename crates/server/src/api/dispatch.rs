//! From a target to its action, and from the outcome to a response's body.

use bytes::Bytes;
use longshore_control::Control;
use longshore_model::{Owner, Task};
use longshore_store::State;
use longshore_wire::{Operation, ecs};
use serde::Serialize;

use super::actions;
use super::exception::Exception;
use super::page::Pages;
use super::render;

/// What an action may use.
pub(crate) struct Call<'a> {
    pub(crate) control: &'a Control,
    pub(crate) pages: &'a Pages,
    /// The authority under which the caller reached this server.
    pub(crate) host: &'a str,
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
        Ok(render::task(task, definition, self.owner()))
    }
}

macro_rules! actions {
    ($($operation:ident => $action:ident,)*) => {
        /// The operations that this server has.
        pub fn supported() -> &'static [Operation] {
            &[$(Operation::$operation,)*]
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
            match operation {
                $(Operation::$operation => encode(&actions::$action::answer(body, call).await?),)*
                _ => Err(unknown(target)),
            }
        }
    };
}

actions! {
    CreateCluster => create_cluster,
    DeleteCluster => delete_cluster,
    DescribeClusters => describe_clusters,
    DescribeContainerInstances => describe_container_instances,
    DescribeTaskDefinition => describe_task_definition,
    DescribeTasks => describe_tasks,
    DiscoverPollEndpoint => discover_poll_endpoint,
    ListClusters => list_clusters,
    ListContainerInstances => list_container_instances,
    ListTasks => list_tasks,
    RegisterContainerInstance => register_container_instance,
    RegisterTaskDefinition => register_task_definition,
    RunTask => run_task,
    StartTask => start_task,
    StopTask => stop_task,
    SubmitContainerStateChange => submit_container_state_change,
    SubmitTaskStateChange => submit_task_state_change,
}

fn unknown(target: Option<&str>) -> Exception {
    let target: String = target.unwrap_or_default().chars().take(128).collect();
    let operation = target.rsplit('.').next().unwrap_or_default();
    Exception::unknown_operation(match operation {
        "" => "The header X-Amz-Target names no operation.".into(),
        operation => format!("Longshore does not have the operation {operation}."),
    })
}

fn encode(response: &impl Serialize) -> Result<Bytes, Exception> {
    serde_json::to_vec(response).map(Bytes::from).map_err(|error| {
        tracing::error!(%error, "a response could not be written");
        Exception::server("The response could not be written.")
    })
}
