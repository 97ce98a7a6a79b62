//! UpdateContainerInstancesState.

use longshore_control::reference;
use longshore_model::InstanceId;
use longshore_wire::ecs::{
    UpdateContainerInstancesStateRequest, UpdateContainerInstancesStateResponse,
};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

const MAX_INSTANCES: usize = 10;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<UpdateContainerInstancesStateResponse, Exception> {
    let request: UpdateContainerInstancesStateRequest = input::read(body)?;
    let owner = call.owner();
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let status = input::instance_status(&input::required(request.status, "Status")?)?;
    let named = request.container_instances;
    let named = input::container_instances(named, MAX_INSTANCES, &cluster, owner)?;
    let mut ids: Vec<InstanceId> = Vec::new();
    for id in named {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let outcomes =
        call.control.update_container_instances_state(cluster.clone(), &ids, status).await?;
    let state = call.control.view();
    let (mut instances, mut failures) = (Vec::new(), Vec::new());
    for (id, outcome) in ids.into_iter().zip(outcomes) {
        match outcome {
            Ok(instance) => {
                let occupancy = state.occupancy(id);
                instances.push(render::container_instance(&instance, &occupancy, owner));
            }
            Err(refusal) => {
                let arn = reference::container_instance_arn(&state, &cluster, id, owner);
                failures.push(render::failure(arn, refusal.as_str()));
            }
        }
    }
    Ok(UpdateContainerInstancesStateResponse {
        container_instances: Some(instances),
        failures: Some(failures),
    })
}
