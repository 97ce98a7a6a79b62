//! DescribeClusters.

use longshore_control::reference;
use longshore_model::{Cluster, ClusterName};
use longshore_store::ClusterCounts;
use longshore_wire::ecs::{self, DescribeClustersRequest, DescribeClustersResponse};

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
    let include = request.include.clone().unwrap_or_default();
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
    let mut names: Vec<ClusterName> = Vec::new();
    for text in &asked {
        let name = reference::cluster(Some(text), call.owner())?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match state.cluster(&name) {
            Some(cluster) => {
                let mut shown = render::cluster(cluster, &state, call.owner());
                add_extras(&mut shown, &include, cluster, &state.counts(&name));
                clusters.push(shown);
            }
            None => failures.push(render::failure(call.owner().cluster_arn(&name), "MISSING")),
        }
    }
    Ok(DescribeClustersResponse { clusters: Some(clusters), failures: Some(failures) })
}

/// A cluster has no configuration, which is told by leaving it out.
fn add_extras(
    shown: &mut ecs::Cluster,
    include: &[String],
    cluster: &Cluster,
    counts: &ClusterCounts,
) {
    let includes = |word: &str| include.iter().any(|it| it == word);
    shown.attachments = includes("ATTACHMENTS").then(Vec::new);
    shown.settings = includes("SETTINGS").then(render::cluster_settings);
    shown.tags = includes("TAGS").then(|| render::tags(&cluster.tags));
    shown.statistics = includes("STATISTICS").then(|| render::cluster_statistics(counts));
}
