//! UpdateContainerAgent.

use longshore_control::container_instances::update_agent;
use longshore_control::reference;
use longshore_wire::ecs::{UpdateContainerAgentRequest, UpdateContainerAgentResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<UpdateContainerAgentResponse, Exception> {
    let request: UpdateContainerAgentRequest = input::read(body)?;
    let owner = call.owner();
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let named = input::required(request.container_instance, "Container instance")?;
    let id = reference::container_instance(&named, &cluster, owner)?;
    match update_agent(&call.control.view(), &cluster, id)? {}
}
