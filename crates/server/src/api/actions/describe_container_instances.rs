//! DescribeContainerInstances.

use longshore_control::{clusters, container_instances, reference};
use longshore_model::InstanceId;
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
    let with_health = input::is_included(request.include.as_ref(), "CONTAINER_INSTANCE_HEALTH");
    input::include(request.include, INCLUDE)?;
    let owner = call.owner();
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let state = call.control.view();
    clusters::active(&state, &cluster)?;
    let asked = request.container_instances;
    let asked = input::container_instances(asked, MAX_INSTANCES, &cluster, owner)?;
    let mut ids: Vec<InstanceId> = Vec::new();
    for id in asked {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let (mut instances, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match container_instances::find(&state, &cluster, id) {
            Some(instance) => {
                let occupancy = state.occupancy(id);
                let checks = with_health.then(|| call.control.telemetry().checks(id));
                instances.push(ContainerInstance {
                    tags: with_tags.then(|| render::tags(&instance.tags)),
                    health_status: checks.as_deref().map(render::instance_health),
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
