//! CreateCluster.

use longshore_control::reference::DEFAULT_CLUSTER;
use longshore_model::tags::Bearer;
use longshore_wire::ecs::{ClusterSetting, CreateClusterRequest, CreateClusterResponse};

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
    request.settings.unwrap_or_default().iter().try_for_each(check_setting)?;
    let cluster = call
        .control
        .create_cluster(name, input::parse_tags(request.tags, Bearer::HasTasks)?)
        .await?;
    let mut shown = render::cluster(&cluster, &call.control.view(), call.owner());
    shown.tags = Some(render::tags(&cluster.tags)).filter(|it| !it.is_empty());
    shown.settings = Some(render::cluster_settings());
    Ok(CreateClusterResponse { cluster: Some(shown) })
}

/// There are no metrics of containers, so they can be switched off and not on.
fn check_setting(setting: &ClusterSetting) -> Result<(), Exception> {
    match (setting.name.as_deref(), setting.value.as_deref()) {
        (Some("containerInsights"), Some("disabled")) => Ok(()),
        (Some("containerInsights"), Some("enabled" | "enhanced")) => Err(Exception::invalid(
            "Longshore cannot honour the setting 'containerInsights': it has no metrics of containers. Use disabled, or leave it out.",
        )),
        (Some("containerInsights"), _) => Err(Exception::invalid(
            "containerInsights should be one of [enhanced,enabled,disabled]",
        )),
        _ => Err(Exception::invalid("setting name should be one of [containerInsights]")),
    }
}
