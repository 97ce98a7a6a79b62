//! ListTaskDefinitions.

use longshore_control::task_definitions::{self, ListTaskDefinitions, Sort};
use longshore_model::{DefinitionKey, DefinitionStatus};
use longshore_wire::ecs::{ListTaskDefinitionsRequest, ListTaskDefinitionsResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListTaskDefinitionsResponse, Exception> {
    let request: ListTaskDefinitionsRequest = input::read(body)?;
    let asked = ListTaskDefinitions {
        family: input::family_prefix(request.family_prefix)?,
        status: parse_status(request.status.as_deref())?,
        sort: parse_sort(request.sort.as_deref())?,
    };
    let page = call.pages.page::<DefinitionKey>(
        format!("{asked:?}"),
        request.max_results,
        request.next_token.as_deref(),
    )?;
    let state = call.control.view();
    let found = task_definitions::list(&state, &asked, page.after());
    let (found, next_token) = page.fill(found, |it| it.key.clone());
    let arns = found.iter().map(|it| call.owner().task_definition_arn(&it.key));
    Ok(ListTaskDefinitionsResponse { task_definition_arns: Some(arns.collect()), next_token })
}

fn parse_status(text: Option<&str>) -> Result<DefinitionStatus, Exception> {
    match text {
        None | Some("") => Ok(DefinitionStatus::Active),
        Some(text) => DefinitionStatus::parse(text).ok_or_else(|| {
            Exception::invalid("status should be one of [ACTIVE,INACTIVE,DELETE_IN_PROGRESS]")
        }),
    }
}

fn parse_sort(text: Option<&str>) -> Result<Sort, Exception> {
    match text {
        None | Some("" | "ASC") => Ok(Sort::Ascending),
        Some("DESC") => Ok(Sort::Descending),
        Some(_) => Err(Exception::invalid("sort should be one of [ASC,DESC]")),
    }
}
