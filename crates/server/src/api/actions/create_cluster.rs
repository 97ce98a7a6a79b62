//! CreateCluster.

use longshore_control::reference::DEFAULT_CLUSTER;
use longshore_wire::ecs::{CreateClusterRequest, CreateClusterResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<CreateClusterResponse, Exception> {
    let request: CreateClusterRequest = input::read(body)?;
    let name = request.cluster_name.filter(|it| !it.is_empty());
    let name = name
        .as_deref()
        .unwrap_or(DEFAULT_CLUSTER)
        .parse()
        .map_err(|_| Exception::invalid(r"ClusterName must match ^[a-zA-Z0-9\-_]{1,255}$"))?;
    let cluster = call.control.create_cluster(name).await?;
    let shown = render::cluster(&cluster, &call.control.view(), call.owner());
    Ok(CreateClusterResponse { cluster: Some(shown) })
}
