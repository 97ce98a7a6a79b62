//! The tags of a task and of its instance, which only the control plane knows.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_client::{CallError, Client};
use longshore_wire::ecs;
use serde::Serialize;
use tokio::time::timeout;

/// Containers wait for the answer.
const LIMIT: Duration = Duration::from_secs(5);

/// What could be had, and why the rest could not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tags {
    /// `None` also where there are none.
    pub(super) task_tags: Option<BTreeMap<String, String>>,
    pub(super) container_instance_tags: Option<BTreeMap<String, String>>,
    pub(super) errors: Vec<TagError>,
}

/// Why tags are missing from an answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagError {
    error_field: &'static str,
    error_code: String,
    error_message: String,
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

pub(super) async fn read(api: &Client, task: &str, instance: Option<&str>) -> Tags {
    let of_instance = async {
        match instance {
            Some(arn) => tags_of(api, "ContainerInstanceTags", arn).await,
            None => Ok(None),
        }
    };
    let (of_task, of_instance) = tokio::join!(tags_of(api, "TaskTags", task), of_instance);
    let mut tags = Tags::default();
    match of_task {
        Ok(it) => tags.task_tags = it,
        Err(error) => tags.errors.push(error),
    }
    match of_instance {
        Ok(it) => tags.container_instance_tags = it,
        Err(error) => tags.errors.push(error),
    }
    tags
}

async fn tags_of(
    api: &Client,
    field: &'static str,
    arn: &str,
) -> Result<Option<BTreeMap<String, String>>, TagError> {
    let request = ecs::ListTagsForResourceRequest { resource_arn: Some(arn.to_owned()) };
    let error = |code: &str, message: String| TagError {
        error_field: field,
        error_code: code.to_owned(),
        error_message: message,
        resource_arn: arn.to_owned(),
    };
    match timeout(LIMIT, api.call(&request)).await {
        Ok(Ok(response)) => {
            let tags = response.tags.unwrap_or_default().into_iter();
            let tags: BTreeMap<_, _> =
                tags.filter_map(|it| Some((it.key?, it.value.unwrap_or_default()))).collect();
            Ok(Some(tags).filter(|it| !it.is_empty()))
        }
        Ok(Err(CallError::Refused { error: refusal, .. })) => {
            Err(error(&refusal.code, refusal.message))
        }
        Ok(Err(other)) => Err(error("RequestError", other.to_string())),
        Err(_) => Err(error("RequestError", "the control plane does not answer".to_owned())),
    }
}
