//! StopTask and DescribeTasks.

use longshore_wire::Operation::{DescribeTasks, RunTask, StopTask};
use serde_json::json;

use super::{INVALID, NO_CLUSTER, check, check_accepted, world};
use crate::harness::Machine;

const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

#[tokio::test]
async fn a_task_to_stop_must_be_there() {
    const NOT_FOUND: &str = "The referenced task was not found.";
    let world = world().await;
    check(
        &world,
        StopTask,
        &[
            (json!({}), INVALID, "Task can not be blank."),
            (json!({"task": ""}), INVALID, "Task can not be blank."),
            (json!({"task": "nonsense"}), INVALID, "Task Identifier is invalid"),
            (json!({"task": NOBODY}), INVALID, NOT_FOUND),
            (json!({"task": NOBODY, "cluster": "elsewhere"}), NO_CLUSTER, "Cluster not found."),
            (
                json!({"task": NOBODY, "cluster": "gone"}),
                NO_CLUSTER,
                "The referenced cluster was inactive.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_task_of_another_cluster_is_not_found() {
    let world = world().await;
    world.ask(longshore_wire::Operation::CreateCluster, json!({"clusterName": "batch"})).await;
    let agent = world.join(&Machine::default()).await;
    let answer = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let id = answer["tasks"][0]["taskArn"].as_str().unwrap().rsplit('/').next().unwrap();
    check(
        &world,
        StopTask,
        &[(json!({"task": id, "cluster": "batch"}), INVALID, "The referenced task was not found.")],
    )
    .await;
    let described = world.ask(DescribeTasks, json!({"tasks": [id], "cluster": "batch"})).await;
    assert_eq!(described["failures"][0]["reason"], "MISSING");
    drop(agent);
}

#[tokio::test]
async fn a_reason_has_at_most_255_characters() {
    let world = world().await;
    let agent = world.join(&Machine::default()).await;
    let answer = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let task = &answer["tasks"][0]["taskArn"];
    let body = |length: usize| json!({"task": task, "reason": "é".repeat(length)});
    check(&world, StopTask, &[(body(256), INVALID, "reason longer than 255.")]).await;
    check_accepted(&world, StopTask, &[body(255)]).await;
    drop(agent);
}

#[tokio::test]
async fn one_to_a_hundred_tasks_are_described() {
    let world = world().await;
    let body = |count: usize| json!({"tasks": vec![NOBODY; count]});
    check(
        &world,
        DescribeTasks,
        &[
            (json!({}), INVALID, "Tasks cannot be empty."),
            (body(0), INVALID, "Tasks cannot be empty."),
            (body(101), INVALID, "taskIds can have at most 100 items."),
            (json!({"tasks": [NOBODY, ""]}), INVALID, "Task Identifier is invalid"),
            (json!({"tasks": [NOBODY], "cluster": "elsewhere"}), NO_CLUSTER, "Cluster not found."),
            (
                json!({"tasks": [NOBODY], "cluster": "gone"}),
                NO_CLUSTER,
                "The referenced cluster was inactive.",
            ),
            (
                json!({"tasks": [NOBODY], "include": ["tags"]}),
                INVALID,
                "include should be one of [TAGS]",
            ),
        ],
    )
    .await;
    check_accepted(&world, DescribeTasks, &[body(100)]).await;
}
