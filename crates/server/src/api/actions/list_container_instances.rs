//! ListContainerInstances.

use longshore_control::placement::Query;
use longshore_control::{clusters, container_instances, reference};
use longshore_model::InstanceId;
use longshore_wire::ecs::{ListContainerInstancesRequest, ListContainerInstancesResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListContainerInstancesResponse, Exception> {
    let request: ListContainerInstancesRequest = input::read(body)?;
    let owner = call.owner();
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let status = request.status.filter(|it| !it.is_empty());
    let status = status.map(|it| input::instance_status(&it)).transpose()?;
    let filter = request.filter.filter(|it| !it.is_empty());
    let list = format!("ListContainerInstances {cluster} {status:?} {filter:?}");
    let query = filter.map(|it| Query::parse(&it)).transpose();
    let query = query.map_err(|error| Exception::invalid(error.to_string()))?;
    let page =
        call.pages.page::<InstanceId>(list, request.max_results, request.next_token.as_deref())?;
    let state = call.control.view();
    clusters::active(&state, &cluster)?;
    let found = container_instances::listed(&state, &cluster, page.after().copied())
        .filter(|it| status.is_none_or(|status| it.status == status))
        .filter(|instance| {
            let matches =
                |it: &Query| it.matches(&container_instances::candidate(&state, instance));
            query.as_ref().is_none_or(matches)
        });
    let (found, next_token) = page.fill(found, |it| it.id);
    let arns = found.iter().map(|it| it.arn(owner));
    Ok(ListContainerInstancesResponse { container_instance_arns: Some(arns.collect()), next_token })
}
