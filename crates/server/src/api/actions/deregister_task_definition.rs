//! DeregisterTaskDefinition.

use longshore_control::reference;
use longshore_wire::ecs::{DeregisterTaskDefinitionRequest, DeregisterTaskDefinitionResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DeregisterTaskDefinitionResponse, Exception> {
    let request: DeregisterTaskDefinitionRequest = input::read(body)?;
    let text = input::required_definition(request.task_definition)?;
    let key = reference::definition(&text, call.owner())?
        .key()
        .ok_or_else(|| Exception::client("Revision is missing."))?;
    let definition = call.control.deregister_task_definition(key).await?;
    let shown = render::task_definition(&definition, call.owner());
    Ok(DeregisterTaskDefinitionResponse { task_definition: Some(shown) })
}
