//! ListTasks.

use longshore_control::{clusters, reference, tasks};
use longshore_model::{DesiredStatus, TaskId};
use longshore_wire::ecs::{ListTasksRequest, ListTasksResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;
use crate::api::page::MAX_RESULTS;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListTasksResponse, Exception> {
    let request: ListTasksRequest = input::read(body)?;
    let owner = call.owner();
    check_combination(&request)?;
    input::check_launch_type(request.launch_type.as_deref())?;
    let cluster = reference::cluster(request.cluster.as_deref(), owner)?;
    let container_instance = request
        .container_instance
        .map(|it| reference::container_instance(&it, &cluster, owner))
        .transpose()?;
    let family = request.family.map(|it| {
        it.parse().map_err(|_| Exception::invalid(r"family must match ^[a-zA-Z0-9\-_]+$"))
    });
    let asked = tasks::ListTasks {
        container_instance,
        family: family.transpose()?,
        started_by: input::parse_started_by(request.started_by)?.map(|it| it.to_string()),
        group: request.service_name.map(|it| format!("service:{it}")),
        desired_status: parse_desired_status(request.desired_status.as_deref())?,
        cluster,
    };
    let limit = input::bounded(request.max_results, MAX_RESULTS, MAX_RESULTS, "maxResults")?;
    let limit = limit as usize;
    let list = format!("ListTasks {asked:?}");
    let after = request.next_token.map(|it| call.pages.after(&list, &it)).transpose()?;
    let state = call.control.view();
    clusters::active(&state, &asked.cluster)?;
    let found = tasks::list(&state, &asked, after.map(TaskId::from_bits), limit + 1);
    let page = found.get(..limit).unwrap_or(&found);
    let last = page.last().filter(|_| found.len() > limit);
    Ok(ListTasksResponse {
        task_arns: Some(page.iter().map(|it| owner.task_arn(&it.cluster, it.id)).collect()),
        next_token: last.map(|it| call.pages.token(&list, it.id.bits())),
    })
}

/// `startedBy` and `serviceName` stand alone.
fn check_combination(request: &ListTasksRequest) -> Result<(), Exception> {
    let others = request.family.is_some() || request.container_instance.is_some();
    let started_by = request.started_by.is_some();
    let service_name = request.service_name.is_some();
    if started_by && (others || service_name) {
        return Err(Exception::invalid("cannot specify startedBy with other arguments"));
    }
    if service_name && others {
        return Err(Exception::invalid("cannot specify serviceName with other arguments"));
    }
    if service_name {
        return Err(Exception::invalid(
            "Longshore cannot honour the member 'serviceName'. Leave it out.",
        ));
    }
    Ok(())
}

fn parse_desired_status(text: Option<&str>) -> Result<Option<DesiredStatus>, Exception> {
    match text {
        None | Some("") => Ok(Some(DesiredStatus::Running)),
        Some("PENDING") => Ok(None),
        Some(text) => DesiredStatus::parse(text).map(Some).ok_or_else(|| {
            Exception::invalid("desiredStatus should be one of [RUNNING,PENDING,STOPPED]")
        }),
    }
}
