//! `placement-failures`: the RunTask calls that could place nothing.

use std::cmp::Reverse;

use longshore_control::{Control, clusters, reference};
use longshore_model::{Owner, PlacementFailure};
use longshore_wire::own::{
    self, FailureReason, PlacementFailuresRequest, PlacementFailuresResponse,
};

use crate::api::{Exception, read_whole, timestamp};

pub(super) fn answer(
    body: &[u8],
    control: &Control,
) -> Result<PlacementFailuresResponse, Exception> {
    let request: PlacementFailuresRequest = read_whole(body)?;
    let (owner, state) = (control.owner(), control.view());
    let name = reference::cluster(request.cluster.as_deref(), owner)?;
    let cluster = clusters::active(&state, &name)?;
    let mut failures: Vec<_> = state.placement_failures(&name).collect();
    failures.sort_by_key(|it| Reverse(it.last_at));
    let remembered = failures.iter().fold(0_u64, |sum, it| sum.saturating_add(it.calls));
    Ok(PlacementFailuresResponse {
        cluster: Some(owner.cluster_arn(&name)),
        as_of: Some(timestamp(control.now())),
        calls: Some(long(cluster.placement_failures)),
        forgotten: Some(long(cluster.placement_failures.saturating_sub(remembered))),
        failures: Some(failures.into_iter().map(|it| render(it, owner)).collect()),
    })
}

fn render(failure: &PlacementFailure, owner: &Owner) -> own::PlacementFailure {
    let last = &failure.last;
    let mut reasons: Vec<(&str, u32)> = last.reasons.iter().map(|(it, n)| (&**it, *n)).collect();
    reasons.sort_by_key(|(_, count)| Reverse(*count));
    let reason = |(reason, count): (&str, u32)| FailureReason {
        reason: Some(reason.into()),
        count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
    };
    own::PlacementFailure {
        task_definition_arn: Some(owner.task_definition_arn(&last.definition)),
        group: Some(last.group.to_string()),
        started_by: last.started_by.as_ref().map(|it| it.to_string()),
        calls: Some(long(failure.calls)),
        first_at: Some(timestamp(failure.first_at)),
        last_at: Some(timestamp(failure.last_at)),
        count: Some(i32::try_from(last.asked).unwrap_or(i32::MAX)),
        reasons: Some(reasons.into_iter().map(reason).collect()),
    }
}

fn long(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
