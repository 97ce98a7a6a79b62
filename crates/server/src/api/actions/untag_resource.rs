//! UntagResource.

use longshore_control::reference;
use longshore_model::tags::check_key;
use longshore_wire::ecs::{UntagResourceRequest, UntagResourceResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<UntagResourceResponse, Exception> {
    let request: UntagResourceRequest = input::read(body)?;
    let arn = input::required(request.resource_arn, "resourceArn")?;
    let keys = request.tag_keys.ok_or_else(|| Exception::invalid("tagKeys can not be blank."))?;
    keys.iter().try_for_each(|it| check_key(it))?;
    let resource = reference::taggable(&arn, call.owner())?;
    call.control.untag_resource(resource, keys).await?;
    Ok(UntagResourceResponse {})
}
