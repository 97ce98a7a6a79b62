//! DescribeTasks.

use longshore_control::{clusters, reference};
use longshore_wire::ecs::{DescribeTasksRequest, DescribeTasksResponse, Task};

use crate::api::dispatch::Call;
use crate::api::exception::Exception;
use crate::api::{input, render};

const MAX_TASKS: usize = 100;
const INCLUDE: &[&str] = &["TAGS"];

pub(in crate::api) async fn answer(
    body: &[u8],
    call: &Call<'_>,
) -> Result<DescribeTasksResponse, Exception> {
    let request: DescribeTasksRequest = input::read(body)?;
    let with_tags = input::is_included(request.include.as_ref(), "TAGS");
    input::include(request.include, INCLUDE)?;
    let cluster = reference::cluster(request.cluster.as_deref(), call.owner())?;
    let asked = request.tasks.unwrap_or_default();
    if asked.is_empty() {
        return Err(Exception::invalid("Tasks cannot be empty."));
    }
    if asked.len() > MAX_TASKS {
        return Err(Exception::invalid("taskIds can have at most 100 items."));
    }
    let state = call.control.view();
    clusters::active(&state, &cluster)?;
    let mut ids = Vec::new();
    for text in &asked {
        let id = reference::task(text, &cluster, call.owner())?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match state.task(id).filter(|it| it.cluster == cluster) {
            Some(task) => tasks.push(Task {
                tags: with_tags.then(|| render::tags(&task.tags)),
                ..call.render_task(task, &state)?
            }),
            None => {
                failures.push(render::failure(
                    reference::task_arn(&state, &cluster, id, call.owner()),
                    "MISSING",
                ));
            }
        }
    }
    Ok(DescribeTasksResponse { tasks: Some(tasks), failures: Some(failures) })
}
