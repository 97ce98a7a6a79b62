//! DeregisterContainerInstance.

use longshore_control::reference;
use longshore_wire::ecs::{
    DeregisterContainerInstanceRequest, DeregisterContainerInstanceResponse,
};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DeregisterContainerInstanceResponse, Exception> {
    let request: DeregisterContainerInstanceRequest = input::read(body)?;
    let owner = call.owner();
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let named = input::required(request.container_instance, "Container instance")?;
    let id = reference::container_instance(&named, &cluster, owner)?;
    let force = request.force.unwrap_or(false);
    let instance = call.control.deregister_container_instance(cluster, id, force).await?;
    tracing::info!(instance = %id, cluster = %instance.cluster, "container instance deregistered");
    let occupancy = call.control.view().occupancy(id);
    let shown = render::container_instance(&instance, &occupancy, owner);
    Ok(DeregisterContainerInstanceResponse { container_instance: Some(shown) })
}
