//! PutAttributes.

use longshore_control::container_instances::TargetAttribute;
use longshore_control::reference;
use longshore_wire::ecs::{PutAttributesRequest, PutAttributesResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<PutAttributesResponse, Exception> {
    let request: PutAttributesRequest = input::read(body)?;
    let owner = call.owner();
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let attributes = input::target_attributes(request.attributes, &cluster, owner)?;
    call.control.put_attributes(cluster.clone(), &attributes).await?;
    let state = call.control.view();
    let shown = attributes.iter().map(|TargetAttribute { target, attribute }| {
        let arn = reference::container_instance_arn(&state, &cluster, *target, owner);
        render::target_attribute(attribute, arn)
    });
    Ok(PutAttributesResponse { attributes: Some(shown.collect()) })
}
