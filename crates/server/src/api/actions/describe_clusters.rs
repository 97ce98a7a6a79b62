//! DescribeClusters.

use longshore_control::reference;
use longshore_wire::ecs::{DescribeClustersRequest, DescribeClustersResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

const MAX_CLUSTERS: usize = 100;
const INCLUDE: &[&str] = &["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"];

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DescribeClustersResponse, Exception> {
    let request: DescribeClustersRequest = input::read(body)?;
    input::include(request.include, INCLUDE)?;
    let mut asked = request.clusters.unwrap_or_default();
    if asked.len() > MAX_CLUSTERS {
        return Err(Exception::invalid("Clusters can have at most 100 items."));
    }
    if asked.iter().any(String::is_empty) {
        return Err(Exception::invalid("Clusters can not be blank."));
    }
    if asked.is_empty() {
        asked.push(reference::DEFAULT_CLUSTER.into());
    }
    let state = call.control.view();
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for text in &asked {
        let name = reference::cluster(Some(text), call.owner())?;
        match state.cluster(&name) {
            Some(cluster) => clusters.push(render::cluster(cluster, &state, call.owner())),
            None => failures.push(render::failure(call.owner().cluster_arn(&name), "MISSING")),
        }
    }
    Ok(DescribeClustersResponse { clusters: Some(clusters), failures: Some(failures) })
}
