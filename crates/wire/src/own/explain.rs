//! `explain`: where RunTask would place tasks now, and why nowhere else. Nothing is started.

use crate::Timestamp;
use crate::ecs::{
    Attribute, CapacityProviderStrategyItem, PlacementConstraint, PlacementStrategy, TaskOverride,
};
use crate::shape::shape;

shape! {
    /// What of a RunTask request bears on placement, spelled and understood as there.
    pub struct ExplainRequest {
        cluster: Option<String> = "cluster",
        task_definition: Option<String> = "taskDefinition",
        overrides: Option<TaskOverride> = "overrides",
        /// 1 to 10,000, where RunTask takes 10; 1 when absent.
        count: Option<i32> = "count",
        group: Option<String> = "group",
        placement_constraints: Option<Vec<PlacementConstraint>> = "placementConstraints",
        placement_strategy: Option<Vec<PlacementStrategy>> = "placementStrategy",
        launch_type: Option<String> = "launchType",
        capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>> =
            "capacityProviderStrategy",
        platform_version: Option<String> = "platformVersion",
        /// Whether every instance that is out is listed: `all`, or `none`; `all` when absent.
        instances: Option<String> = "instances",
    }

    /// What RunTask would do at the moment of `asOf`, and why it would do no more. Which of several
    /// equally good instances it would take is drawn anew each time.
    ///
    /// All that is said of instances that are out, and `suitable`, is as before the first task
    /// where each of the tasks has its place; where one has none, as it stands then, after those
    /// that have: the question is why that one fits nowhere.
    pub struct ExplainResponse {
        /// The cluster's ARN.
        cluster: Option<String> = "cluster",
        /// The ARN of the revision that would be run.
        task_definition: Option<String> = "taskDefinition",
        /// How many tasks were asked for.
        count: Option<i32> = "count",
        as_of: Option<Timestamp> = "asOf",
        /// Each task that has a place, in the order in which they would be placed.
        placements: Option<Vec<PlannedTask>> = "placements",
        /// How many of the tasks fit nowhere.
        unplaced: Option<i32> = "unplaced",
        /// How many instances are registered in the cluster: ACTIVE and DRAINING ones.
        registered: Option<i32> = "registered",
        /// How many of them could take a task. With those that are out they are all.
        suitable: Option<i32> = "suitable",
        /// Why the others are out, summed up; what most have comes first. An instance that is out
        /// for several reasons counts for each.
        reasons: Option<Vec<Reason>> = "reasons",
        /// The instances that lack least, at most five: those that can be made to fit before those
        /// that cannot, then those with fewest changes to make, then those that lack the smallest
        /// part of what is asked for.
        nearest: Option<Vec<NearMiss>> = "nearest",
        /// Each instance that is out, in the order of their registration; absent where
        /// `instances` is `none`.
        excluded: Option<Vec<Excluded>> = "excluded",
    }

    /// One task, and where it would go.
    pub struct PlannedTask {
        container_instance_arn: Option<String> = "containerInstanceArn",
        ec2_instance_id: Option<String> = "ec2InstanceId",
        /// Those attributes of the instance that a strategy spreads over.
        attributes: Option<Vec<Attribute>> = "attributes",
    }

    /// Something that keeps instances out.
    pub struct Reason {
        /// As in the `failures` of RunTask, or `DRAINING` or `LAUNCH_TYPE`, which RunTask passes
        /// over in silence.
        reason: Option<String> = "reason",
        /// How many instances it keeps out.
        count: Option<i32> = "count",
        /// How many of them nothing else keeps out.
        alone: Option<i32> = "alone",
        /// Such as `3,912 of 5,000 lack 512 MiB of memory`.
        text: Option<String> = "text",
    }

    /// An instance that would fit after some changes.
    pub struct NearMiss {
        container_instance_arn: Option<String> = "containerInstanceArn",
        ec2_instance_id: Option<String> = "ec2InstanceId",
        /// All of them, such as `free 212 MiB of memory`. Where an attribute would have to change
        /// that another constraint looks at as well, what that wants of it is named too; two that
        /// cannot both be so tell of constraints that contradict each other.
        changes: Option<Vec<String>> = "changes",
        /// The tasks to be ended for it, as far as they are known by name; see [`Cause`].
        task_arns: Option<Vec<String>> = "taskArns",
    }

    /// An instance that is out, and why.
    pub struct Excluded {
        container_instance_arn: Option<String> = "containerInstanceArn",
        ec2_instance_id: Option<String> = "ec2InstanceId",
        /// Every one of them, in the order in which RunTask checks.
        causes: Option<Vec<Cause>> = "causes",
    }

    /// One thing that keeps an instance out.
    pub struct Cause {
        /// As in [`Reason`].
        reason: Option<String> = "reason",
        /// With the figures of this instance.
        detail: Option<String> = "detail",
        /// What would remove it, nothing else changed.
        change: Option<String> = "change",
        /// The tasks that have the host port, or are of the group of which there may be one, or
        /// are lost (`longshore:lost-after`) and take what is lacking until their machine has said
        /// that they are over: at most ten, and none of those that this request itself would
        /// place. Absent where there are none.
        task_arns: Option<Vec<String>> = "taskArns",
    }
}
