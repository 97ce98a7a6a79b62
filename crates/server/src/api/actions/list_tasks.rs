//! ListTasks.

use longshore_control::{clusters, reference, tasks};
use longshore_model::{DesiredStatus, TaskId};
use longshore_wire::ecs::{ListTasksRequest, ListTasksResponse};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::input;

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<ListTasksResponse, Exception> {
    let request: ListTasksRequest = input::read(body)?;
    let owner = call.owner();
    check_combination(&request)?;
    let launch_type = request.launch_type.as_deref().map(input::parse_launch_type).transpose()?;
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
        launch_type,
        family: family.transpose()?,
        started_by: input::parse_started_by(request.started_by)?.map(|it| it.to_string()),
        desired_status: parse_desired_status(request.desired_status.as_deref())?,
        cluster,
    };
    let page = call.pages.page::<TaskId>(
        format!("ListTasks {asked:?}"),
        request.max_results,
        request.next_token.as_deref(),
    )?;
    let service = request.service_name.as_deref();
    let service = service.map(|it| reference::service(it, &asked.cluster, owner)).transpose()?;
    let state = call.control.view();
    clusters::active(&state, &asked.cluster)?;
    if service.is_some() {
        return Err(Exception::service_not_found()); // there are no services yet
    }
    let found = tasks::list(&state, &asked, page.after().copied());
    let (found, next_token) = page.fill(found, |it| it.id);
    let arns = found.iter().map(|it| it.arn(owner));
    Ok(ListTasksResponse { task_arns: Some(arns.collect()), next_token })
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
