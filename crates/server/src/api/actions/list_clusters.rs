//! ListClusters.

use longshore_control::clusters;
use longshore_model::ClusterName;
use longshore_wire::ecs::{ListClustersRequest, ListClustersResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListClustersResponse, Exception> {
    let request: ListClustersRequest = input::read(body)?;
    let page = call.pages.page::<ClusterName>(
        "ListClusters".into(),
        request.max_results,
        request.next_token.as_deref(),
    )?;
    let state = call.control.view();
    let (found, next_token) =
        page.fill(clusters::listed(&state, page.after()), |it| it.name.clone());
    let arns = found.iter().map(|it| call.owner().cluster_arn(&it.name));
    Ok(ListClustersResponse { cluster_arns: Some(arns.collect()), next_token })
}
