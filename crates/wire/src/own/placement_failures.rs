//! `placement-failures`: the RunTask calls that could place nothing, as a cluster remembers them.

use crate::Timestamp;
use crate::shape::shape;

shape! {
    /// Of which cluster.
    pub struct PlacementFailuresRequest {
        /// Name or ARN; `default` when absent.
        cluster: Option<String> = "cluster",
    }

    /// What a cluster remembers of such calls. Calls that differ in nothing but counts are one
    /// failure. A failure is forgotten a week after it last happened, and a cluster remembers a
    /// hundred: the latest.
    pub struct PlacementFailuresResponse {
        /// The cluster's ARN.
        cluster: Option<String> = "cluster",
        as_of: Option<Timestamp> = "asOf",
        /// How many RunTask calls could place nothing since the cluster was made.
        calls: Option<i64> = "calls",
        /// How many of them were of failures that are forgotten.
        forgotten: Option<i64> = "forgotten",
        /// The failures that are remembered, the latest first.
        failures: Option<Vec<PlacementFailure>> = "failures",
    }

    /// RunTask calls that could place nothing and are alike.
    pub struct PlacementFailure {
        /// The ARN of the revision that was to be run.
        task_definition_arn: Option<String> = "taskDefinitionArn",
        group: Option<String> = "group",
        started_by: Option<String> = "startedBy",
        /// How many calls.
        calls: Option<i64> = "calls",
        /// When the first was made.
        first_at: Option<Timestamp> = "firstAt",
        /// When the last was made.
        last_at: Option<Timestamp> = "lastAt",
        /// How many tasks the last asked for.
        count: Option<i32> = "count",
        /// Why the last could place none; what most instances had comes first. Empty where the
        /// cluster had no ACTIVE instance.
        reasons: Option<Vec<FailureReason>> = "reasons",
    }

    /// Something that kept instances from a task.
    pub struct FailureReason {
        /// As in the `failures` of RunTask.
        reason: Option<String> = "reason",
        /// How many instances.
        count: Option<i32> = "count",
    }
}
