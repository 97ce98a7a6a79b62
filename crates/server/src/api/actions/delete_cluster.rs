//! DeleteCluster.

use longshore_control::reference;
use longshore_wire::ecs::{DeleteClusterRequest, DeleteClusterResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DeleteClusterResponse, Exception> {
    let request: DeleteClusterRequest = input::read(body)?;
    let name = input::required(request.cluster, "Cluster")?;
    let name = reference::cluster(Some(&name), call.owner())?;
    let cluster = call.control.delete_cluster(name).await?;
    let shown = render::cluster(&cluster, &call.control.view(), call.owner());
    Ok(DeleteClusterResponse { cluster: Some(shown) })
}
