//! DescribeTaskDefinition.

use longshore_control::{reference, task_definitions};
use longshore_wire::ecs::{DescribeTaskDefinitionRequest, DescribeTaskDefinitionResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

const INCLUDE: &[&str] = &["TAGS"];

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DescribeTaskDefinitionResponse, Exception> {
    let request: DescribeTaskDefinitionRequest = input::read(body)?;
    let with_tags = input::is_included(request.include.as_ref(), "TAGS");
    input::include(request.include, INCLUDE)?;
    let text = input::required_definition(request.task_definition)?;
    let reference = reference::definition(&text, call.owner())?;
    let state = call.control.view();
    let definition = task_definitions::find(&state, &reference)
        .ok_or_else(|| Exception::client("Unable to describe task definition."))?;
    let shown = render::task_definition(definition, call.owner());
    let tags = with_tags.then(|| render::tags(&definition.tags));
    Ok(DescribeTaskDefinitionResponse { task_definition: Some(shown), tags })
}
