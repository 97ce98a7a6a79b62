//! DescribeContainerInstances.

use longshore_control::{clusters, reference};
use longshore_wire::ecs::{
    ContainerInstance, DescribeContainerInstancesRequest, DescribeContainerInstancesResponse,
};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

const MAX_INSTANCES: usize = 100;
const INCLUDE: &[&str] = &["CONTAINER_INSTANCE_HEALTH", "TAGS"];

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DescribeContainerInstancesResponse, Exception> {
    let request: DescribeContainerInstancesRequest = input::read(body)?;
    let with_tags = input::is_included(request.include.as_ref(), "TAGS");
    input::include(request.include, INCLUDE)?;
    let owner = call.owner();
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let asked = request.container_instances.unwrap_or_default();
    if asked.is_empty() {
        return Err(Exception::client("Container Instances cannot be empty."));
    }
    if asked.len() > MAX_INSTANCES {
        return Err(Exception::invalid("instanceIds can have at most 100 items."));
    }
    let state = call.control.view();
    clusters::active(&state, &cluster)?;
    let mut ids = Vec::new();
    for text in &asked {
        let id = reference::container_instance(text, &cluster, owner)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let (mut instances, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match state.instance(id).filter(|it| it.cluster == cluster) {
            Some(instance) => {
                let occupancy = state.occupancy(id);
                instances.push(ContainerInstance {
                    tags: with_tags.then(|| render::tags(&instance.tags)),
                    ..render::container_instance(instance, &occupancy, owner)
                });
            }
            None => {
                let arn = reference::container_instance_arn(&state, &cluster, id, owner);
                failures.push(render::failure(arn, "MISSING"));
            }
        }
    }
    Ok(DescribeContainerInstancesResponse {
        container_instances: Some(instances),
        failures: Some(failures),
    })
}
