//! StartTask's own members; what it shares with RunTask is in `run_task` and `overrides`.

use longshore_wire::Operation::StartTask;
use serde_json::json;

use super::{CLIENT, INVALID, NO_CLUSTER, check, check_accepted, world};

const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

#[tokio::test]
async fn one_to_ten_instances_are_named() {
    let world = world().await;
    let body =
        |count: usize| json!({"taskDefinition": "job", "containerInstances": vec![NOBODY; count]});
    const EMPTY: &str = "Container Instances cannot be empty.";
    check(
        &world,
        StartTask,
        &[
            (body(0), CLIENT, EMPTY),
            (json!({"taskDefinition": "job"}), CLIENT, EMPTY),
            (body(11), INVALID, "instanceIds can have at most 10 items."),
        ],
    )
    .await;
    check_accepted(&world, StartTask, &[body(1), body(10)]).await;
}

#[tokio::test]
async fn the_launch_is_checked_as_in_run_task() {
    let body = |members| super::with(json!({"containerInstances": [NOBODY]}), members);
    check(
        &world().await,
        StartTask,
        &[
            (body(json!({})), CLIENT, "TaskDefinition can not be blank."),
            (body(json!({"taskDefinition": "nothing"})), CLIENT, "TaskDefinition not found."),
            (body(json!({"taskDefinition": "old:1"})), CLIENT, "TaskDefinition is inactive"),
            (
                body(json!({"taskDefinition": "job", "cluster": "elsewhere"})),
                NO_CLUSTER,
                "Cluster not found.",
            ),
            (
                body(json!({"taskDefinition": "job", "cluster": "gone"})),
                NO_CLUSTER,
                "The referenced cluster was inactive.",
            ),
            (
                body(json!({"taskDefinition": "job", "startedBy": "x".repeat(129)})),
                INVALID,
                "startedBy longer than 128.",
            ),
            (
                body(json!({"taskDefinition": "job", "group": "service:x"})),
                INVALID,
                "Invalid namespace for group.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_empty_cluster_is_not_special() {
    let world = crate::harness::World::start().await;
    world.define("job", json!({"memory": 64})).await;
    let body = json!({"taskDefinition": "job", "containerInstances": [NOBODY]});
    let answer = world.ask(StartTask, body).await;
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
}
