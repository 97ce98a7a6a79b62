//! Tags in requests.

use longshore_control::tasks::{LaunchTags, PropagateTags};
use longshore_model::tags::Bearer;
use longshore_model::{Tag, TagError, Tags};
use longshore_wire::ecs;

use crate::api::exception::Exception;

/// The tags that a caller sends for such a resource.
pub(in crate::api) fn parse_tags(
    sent: Option<Vec<ecs::Tag>>,
    bearer: Bearer,
) -> Result<Tags, TagError> {
    let parse = |it: ecs::Tag| {
        Tag::new(it.key.as_deref().unwrap_or_default(), it.value.as_deref().unwrap_or_default())
    };
    Tags::new(sent.unwrap_or_default().into_iter().map(parse).collect::<Result<_, _>>()?)?
        .meant_for(bearer)
}

/// What RunTask and StartTask say of the new tasks' tags.
pub(in crate::api) fn launch_tags(
    sent: Option<Vec<ecs::Tag>>,
    propagate: Option<&str>,
    managed: Option<bool>,
) -> Result<LaunchTags, Exception> {
    let propagate = match propagate {
        None | Some("" | "NONE") => PropagateTags::None,
        Some("TASK_DEFINITION") => PropagateTags::TaskDefinition,
        Some("SERVICE") => {
            return Err(Exception::invalid(
                "Tags cannot be propagated from a service to a task that no service starts. Use TASK_DEFINITION or NONE.",
            ));
        }
        Some(_) => {
            return Err(Exception::invalid(
                "propagateTags should be one of [TASK_DEFINITION,SERVICE,NONE]",
            ));
        }
    };
    Ok(LaunchTags {
        own: parse_tags(sent, Bearer::HasTasks)?,
        propagate,
        managed: managed.unwrap_or(false),
    })
}
