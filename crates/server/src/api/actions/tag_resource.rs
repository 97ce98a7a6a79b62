//! TagResource.

use longshore_control::reference;
use longshore_control::tags::Taggable;
use longshore_model::tags::Bearer;
use longshore_wire::ecs::{TagResourceRequest, TagResourceResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<TagResourceResponse, Exception> {
    let request: TagResourceRequest = input::read(body)?;
    let arn = input::required(request.resource_arn, "resourceArn")?;
    if request.tags.is_none() {
        return Err(Exception::invalid("tags can not be blank."));
    }
    let resource = reference::taggable(&arn, call.owner())?;
    let bearer = match resource {
        Taggable::ContainerInstance(..) => Bearer::ContainerInstance,
        Taggable::Cluster(_) | Taggable::TaskDefinition(_) | Taggable::Task(..) => Bearer::HasTasks,
    };
    let tags = input::parse_tags(request.tags, bearer)?;
    call.control.tag_resource(resource, tags).await?;
    Ok(TagResourceResponse {})
}
