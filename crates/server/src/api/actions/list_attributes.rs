//! ListAttributes.

use longshore_control::container_instances::{AttributePlace, ListAttributes, list_attributes};
use longshore_control::{clusters, reference};
use longshore_model::Attribute;
use longshore_wire::ecs::{ListAttributesRequest, ListAttributesResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListAttributesResponse, Exception> {
    let request: ListAttributesRequest = input::read(body)?;
    let owner = call.owner();
    let target_type = input::required(request.target_type, "targetType")?;
    input::check_target_type(&target_type)?;
    let name = request.attribute_name.filter(|it| !it.is_empty());
    let value = request.attribute_value.filter(|it| !it.is_empty());
    match &name {
        Some(name) => drop(Attribute::parse(name, value.as_deref())?),
        None if value.is_some() => {
            return Err(Exception::invalid(
                "attributeValue cannot be specified without attributeName.",
            ));
        }
        None => {}
    }
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let asked = ListAttributes { cluster, name, value };
    let page = call.pages.page::<AttributePlace>(
        format!("{asked:?}"),
        request.max_results,
        request.next_token.as_deref(),
    )?;
    let state = call.control.view();
    clusters::active(&state, &asked.cluster)?;
    let found = list_attributes(&state, &asked, page.after());
    let (found, next_token) = page.fill(found, |(instance, it)| AttributePlace::of(instance, it));
    let shown =
        found.iter().map(|(instance, it)| render::target_attribute(it, instance.arn(owner)));
    Ok(ListAttributesResponse { attributes: Some(shown.collect()), next_token })
}
