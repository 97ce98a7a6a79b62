//! ListTagsForResource.

use longshore_control::{reference, tags};
use longshore_wire::ecs::{ListTagsForResourceRequest, ListTagsForResourceResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListTagsForResourceResponse, Exception> {
    let request: ListTagsForResourceRequest = input::read(body)?;
    let arn = input::required(request.resource_arn, "resourceArn")?;
    let resource = reference::taggable(&arn, call.owner())?;
    let tags = tags::tags_of(&call.control.view(), &resource)?;
    Ok(ListTagsForResourceResponse { tags: Some(render::tags(&tags)) })
}
