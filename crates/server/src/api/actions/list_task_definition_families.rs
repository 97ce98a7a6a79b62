//! ListTaskDefinitionFamilies.

use longshore_control::task_definitions::{self, FamilyStatus};
use longshore_model::Family;
use longshore_wire::ecs::{ListTaskDefinitionFamiliesRequest, ListTaskDefinitionFamiliesResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListTaskDefinitionFamiliesResponse, Exception> {
    let request: ListTaskDefinitionFamiliesRequest = input::read(body)?;
    let prefix = input::family_prefix(request.family_prefix)?;
    let status = parse_status(request.status.as_deref())?;
    let page = call.pages.page::<Family>(
        format!("ListTaskDefinitionFamilies {prefix:?} {status:?}"),
        request.max_results,
        request.next_token.as_deref(),
    )?;
    let state = call.control.view();
    let found = task_definitions::families(&state, prefix.as_ref(), status, page.after());
    let (found, next_token) = page.fill(found, |it| Family::clone(it));
    let families = found.into_iter().map(ToString::to_string).collect();
    Ok(ListTaskDefinitionFamiliesResponse { families: Some(families), next_token })
}

fn parse_status(text: Option<&str>) -> Result<FamilyStatus, Exception> {
    match text {
        None | Some("" | "ALL") => Ok(FamilyStatus::All),
        Some("ACTIVE") => Ok(FamilyStatus::Active),
        Some("INACTIVE") => Ok(FamilyStatus::Inactive),
        Some(_) => Err(Exception::invalid("status should be one of [ACTIVE,INACTIVE,ALL]")),
    }
}
