//! What a request comes to, for the question of who may; [`access::may`] answers that.

use longshore_control::access::{self, AccessDenied, Caller, Deed};
use longshore_control::reference::{self, ReferenceError};
use longshore_control::tags::Taggable;
use longshore_model::{ClusterName, InstanceId, Owner, TaskId};
use longshore_wire::{Operation, ecs};

use super::dispatch::Call;
use super::exception::Exception;
use super::input;

/// Whether the caller may make this request.
pub(super) fn check(operation: Operation, body: &[u8], call: &Call<'_>) -> Result<(), Exception> {
    // The root key may whatever there is, so nothing needs to be read.
    if call.caller == Caller::Root {
        return Ok(());
    }
    let deed = deed(operation, body, call.owner())?;
    access::may(call.caller, &deed, &call.control.view()).map_err(|denied| {
        tracing::warn!(%operation, %denied, "a call was refused");
        denied.into()
    })
}

/// Read with the very parsers of the actions, so that no request is taken for another one here
/// than there.
fn deed(operation: Operation, body: &[u8], owner: &Owner) -> Result<Deed, Exception> {
    Ok(match operation {
        Operation::RegisterContainerInstance => {
            let request: ecs::RegisterContainerInstanceRequest = input::read(body)?;
            let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
            let named = request.container_instance_arn.filter(|it| !it.is_empty());
            let named = named.map(|it| reference::container_instance(&it, &cluster, owner));
            Deed::Register(cluster, named.transpose()?)
        }
        Operation::DeregisterContainerInstance => {
            let request: ecs::DeregisterContainerInstanceRequest = input::read(body)?;
            let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
            Deed::Instances(instances(request.container_instance, &cluster, owner)?)
        }
        Operation::UpdateContainerInstancesState => {
            let request: ecs::UpdateContainerInstancesStateRequest = input::read(body)?;
            // An agent drains its instance when the machine is about to go; to set it ACTIVE again
            // is for whoever drained it.
            if request.status.as_deref() != Some("DRAINING") {
                return Ok(Deed::Other);
            }
            let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
            let named = request.container_instances.unwrap_or_default();
            Deed::Instances(instances(named, &cluster, owner)?)
        }
        Operation::DiscoverPollEndpoint => {
            let request: ecs::DiscoverPollEndpointRequest = input::read(body)?;
            let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
            let named = request.container_instance.filter(|it| !it.is_empty());
            match instances(named, &cluster, owner)? {
                none if none.is_empty() => Deed::Discover,
                named => Deed::Instances(named),
            }
        }
        Operation::SubmitTaskStateChange => {
            let request: ecs::SubmitTaskStateChangeRequest = input::read_report(body)?;
            report(request.cluster, request.task, owner)
        }
        Operation::SubmitContainerStateChange => {
            let request: ecs::SubmitContainerStateChangeRequest = input::read_report(body)?;
            report(request.cluster, request.task, owner)
        }
        Operation::ListTagsForResource => {
            let request: ecs::ListTagsForResourceRequest = input::read(body)?;
            match reference::taggable(&request.resource_arn.unwrap_or_default(), owner)? {
                Taggable::ContainerInstance(_, id) => Deed::Instances(vec![id]),
                Taggable::Task(_, id) => Deed::Task(id),
                _ => Deed::Other,
            }
        }
        _ => Deed::Other,
    })
}

fn instances(
    named: impl IntoIterator<Item = String>,
    cluster: &ClusterName,
    owner: &Owner,
) -> Result<Vec<InstanceId>, ReferenceError> {
    named.into_iter().map(|it| reference::container_instance(&it, cluster, owner)).collect()
}

/// What names no task of this control plane is acknowledged, and nothing else.
fn report(cluster: Option<String>, task: Option<String>, owner: &Owner) -> Deed {
    let named = |cluster: Option<String>, task: Option<String>| -> Result<TaskId, ReferenceError> {
        let cluster = reference::cluster(cluster.as_deref(), owner)?;
        reference::task(&task.unwrap_or_default(), &cluster, owner)
    };
    named(cluster, task).map_or(Deed::Nothing, Deed::Task)
}

impl From<AccessDenied> for Exception {
    fn from(denied: AccessDenied) -> Self {
        Self::access_denied(denied.to_string())
    }
}
