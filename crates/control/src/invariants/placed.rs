//! Where tasks are placed. The fleet that is kept between calls must choose as the plain look at
//! every instance may, in the state that the call found.

use std::sync::Arc;

use longshore_model::{ContainerInstance, Demand, InstanceId, InstanceStatus};
use longshore_placement::{Candidate, Placement, Refusal, Request, place};
use longshore_store::{State, StoreError};

use super::step::Wish;
use crate::Control;
use crate::task_definitions::{self, requires};
use crate::tasks::{Failure, FailureReason, LaunchError, Launched, RunTask};

/// Among so many seeds there is one for each of a few instances that are equally good.
const SEEDS: u64 = 2_000;

/// Fails unless a call that found this state could come to this outcome.
pub(super) fn check(before: &State, asked: &RunTask, outcome: &Result<Launched, LaunchError>) {
    let launched = match outcome {
        Ok(launched) => Some(launched),
        Err(LaunchError::NoContainerInstances) => None,
        Err(_) => return,
    };
    let launch = &asked.launch;
    let definition = task_definitions::usable(before, &launch.definition).unwrap();
    let overrides = launch.overrides.as_deref();
    let request = Request {
        kind: None,
        demand: &Demand::of(definition, overrides),
        requires: &requires::of_task(definition, overrides),
        group: &Arc::from(format!("family:{}", definition.key.family)),
        constraints: &asked.constraints,
        strategies: &asked.strategies,
        count: 1,
    };
    let candidate = |it: &Arc<ContainerInstance>| Candidate {
        instance: Arc::clone(it),
        occupancy: before.occupancy(it.id),
    };
    let mut candidates: Vec<_> = before.instances(&launch.cluster).map(candidate).collect();
    let Some(launched) = launched else {
        return assert_eq!(place(candidates, &request, 0), Placement::default());
    };
    for (number, task) in launched.tasks.iter().enumerate() {
        let id = task.container_instance;
        let may_choose = |seed| place(candidates.clone(), &request, seed).placed == [id];
        assert!((0..SEEDS).any(may_choose), "{id} for {request:?} among {candidates:?}");
        let chosen = candidates.iter_mut().find(|it| it.id() == id).unwrap();
        chosen.take(number as u128, request.group, request.demand);
    }
    if launched.tasks.len() < asked.count as usize {
        let refused: Vec<_> = launched.failures.iter().map(refused).collect();
        let scan = place(candidates, &request, 0);
        assert_eq!((scan.placed, scan.refused), (vec![], refused), "for {request:?}");
    } else {
        assert_eq!(launched.failures, []);
    }
}

fn refused(failure: &Failure) -> (InstanceId, Refusal) {
    match failure.reason {
        FailureReason::Refused(refusal) => (failure.container_instance, refusal),
        ref other => panic!("{other:?} is no refusal of placement"),
    }
}

/// Places in a transaction that also drains an instance, or lets it take tasks again, and fails.
pub(super) async fn and_abandoned(
    control: &Control,
    instance: &ContainerInstance,
    count: u32,
    wish: &Wish,
) {
    let status = match instance.status {
        InstanceStatus::Active => InstanceStatus::Draining,
        InstanceStatus::Draining | InstanceStatus::Inactive => InstanceStatus::Active,
    };
    let request = Request {
        kind: None,
        demand: &Demand::default(),
        requires: &[],
        group: &"family:plain".into(),
        constraints: &wish.constraints,
        strategies: &wish.strategies,
        count,
    };
    let abandoned = control.store.update(|tx| {
        tx.put_instance(ContainerInstance {
            status,
            version: instance.version + 1,
            ..instance.clone()
        });
        control.fleets.place(tx, &instance.cluster, &request, 0);
        Err::<(), _>(StoreError::Closed { reason: "changed its mind".into() })
    });
    abandoned.await.unwrap_err();
}
