//! References to clusters, tasks, container instances and definitions: short names, ids and ARNs
//! of either generation. The checks come in ECS's order.

use longshore_wire::Operation::{
    self, DeregisterContainerInstance, DescribeClusters, DescribeContainerInstances,
    DescribeTaskDefinition, DescribeTasks, ListTasks, RunTask, StartTask, StopTask,
    UpdateContainerAgent, UpdateContainerInstancesState,
};
use serde_json::{Value, json};

use super::{CLIENT, INVALID, check, check_accepted, world};

const ID: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

fn arn(account: &str, resource: &str) -> String {
    format!("arn:aws:ecs:us-east-1:{account}:{resource}")
}

fn own(resource: &str) -> String {
    arn("111122223333", resource)
}

/// Where a task or a container instance can be named.
fn places(kind: &str, reference: &str) -> Vec<(Operation, Value)> {
    match kind {
        "task" => vec![
            (StopTask, json!({"task": reference})),
            (DescribeTasks, json!({"tasks": [reference]})),
        ],
        _ => vec![
            (DescribeContainerInstances, json!({"containerInstances": [reference]})),
            (StartTask, json!({"taskDefinition": "job", "containerInstances": [reference]})),
            (ListTasks, json!({"containerInstance": reference})),
            (DeregisterContainerInstance, json!({"containerInstance": reference})),
            (UpdateContainerAgent, json!({"containerInstance": reference})),
            (
                UpdateContainerInstancesState,
                json!({"containerInstances": [reference], "status": "DRAINING"}),
            ),
        ],
    }
}

async fn check_places(kind: &str, reference: &str, message: &str) {
    let world = world().await;
    for (operation, body) in places(kind, reference) {
        check(&world, operation, &[(body, INVALID, message)]).await;
    }
}

#[tokio::test]
async fn an_id_is_32_hex_digits_or_a_uuid() {
    for text in ["nonsense", "i-0123456789abcdef0", "no blanks", "é", "0b69d5c0-d655", "x/y"] {
        check_places("task", text, "Task Identifier is invalid").await;
        check_places("instance", text, "Container Instance Identifier is invalid").await;
    }
    let arn = own("task/default/nonsense");
    check_places("task", &arn, "Task Identifier is invalid").await;
    let arn = own("container-instance/default/a/b");
    check_places("instance", &arn, "Container Instance Identifier is invalid").await;
}

#[tokio::test]
async fn an_arn_of_another_kind_is_named() {
    check_places("task", &own("cluster/default"), "Unsupported resource type: cluster").await;
    let task = own(&format!("task/default/{ID}"));
    check_places("instance", &task, "Unsupported resource type: task").await;
    check_places(
        "task",
        "arn:aws:iam::1:role/x",
        "Unsupported resource type: arn:aws:iam::1:role/x",
    )
    .await;
    check(
        &world().await,
        RunTask,
        &[(
            json!({"cluster": task, "taskDefinition": "job"}),
            INVALID,
            "Unsupported resource type: task",
        )],
    )
    .await;
    check(
        &world().await,
        DescribeTaskDefinition,
        &[(json!({"taskDefinition": task}), INVALID, "Unsupported resource type: task")],
    )
    .await;
}

#[tokio::test]
async fn an_arn_of_another_account_is_refused() {
    const OTHER: &str = "Identifier is for 999900001111. Your accountId is 111122223333";
    let other = |resource: &str| arn("999900001111", resource);
    check_places("task", &other(&format!("task/default/{ID}")), OTHER).await;
    check_places("instance", &other(&format!("container-instance/{ID}")), OTHER).await;
    let world = world().await;
    check(
        &world,
        DescribeClusters,
        &[(json!({"clusters": [other("cluster/default")]}), INVALID, OTHER)],
    )
    .await;
    check(
        &world,
        RunTask,
        &[
            (json!({"cluster": other("cluster/default"), "taskDefinition": "job"}), INVALID, OTHER),
            (json!({"taskDefinition": other("task-definition/job:1")}), INVALID, OTHER),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_long_arn_of_another_cluster_is_refused() {
    const OTHER: &str =
        "Invalid identifier: Identifier is for cluster batch. Your cluster is default";
    check_places("task", &own(&format!("task/batch/{ID}")), OTHER).await;
    check_places("instance", &own(&format!("container-instance/batch/{ID}")), OTHER).await;
}

#[tokio::test]
async fn the_kind_is_checked_before_the_account_and_the_account_before_the_cluster() {
    let other = arn("999900001111", &format!("container-instance/batch/{ID}"));
    check_places("task", &other, "Unsupported resource type: container-instance").await;
    let other = arn("999900001111", "task/batch/nonsense");
    check_places("task", &other, "Identifier is for 999900001111. Your accountId is 111122223333")
        .await;
}

#[tokio::test]
async fn every_form_of_a_name_is_understood() {
    let world = world().await;
    let cluster = own("cluster/default");
    let definition = own("task-definition/job:1");
    check_accepted(
        &world,
        RunTask,
        &[
            json!({"cluster": "", "taskDefinition": "job"}),
            json!({"cluster": cluster, "taskDefinition": "job:1"}),
            json!({"cluster": "default", "taskDefinition": definition}),
            json!({"cluster": null, "taskDefinition": "task-definition/job:1"}),
            json!({"taskDefinition": "arn:aws-cn:ecs:cn-north-1:111122223333:task-definition/job"}),
        ],
    )
    .await;
    let uuid = "0b69d5c0-d655-4695-98cd-5d2d526d9d5a";
    let tasks = [ID, uuid, &own(&format!("task/{uuid}")), &own(&format!("task/default/{ID}"))];
    let answer = world.ask(DescribeTasks, json!({"tasks": tasks})).await;
    let missing = json!([{"arn": own(&format!("task/default/{ID}")), "reason": "MISSING"}]);
    assert_eq!(answer, json!({"tasks": [], "failures": missing}));
}

#[tokio::test]
async fn a_definition_that_is_not_there_cannot_be_described() {
    const UNABLE: &str = "Unable to describe task definition.";
    check(
        &world().await,
        DescribeTaskDefinition,
        &[
            (json!({}), CLIENT, "TaskDefinition can not be blank."),
            (json!({"taskDefinition": ""}), CLIENT, "TaskDefinition can not be blank."),
            (json!({"taskDefinition": "nothing"}), CLIENT, UNABLE),
            (json!({"taskDefinition": "job:2"}), CLIENT, UNABLE),
            (json!({"taskDefinition": "old"}), CLIENT, UNABLE),
            (json!({"taskDefinition": "job:x"}), INVALID, "Invalid revision number. Number: x"),
            (
                json!({"taskDefinition": "job", "include": ["SECRETS"]}),
                INVALID,
                "include should be one of [TAGS]",
            ),
        ],
    )
    .await;
    check_accepted(&world().await, DescribeTaskDefinition, &[json!({"taskDefinition": "old:1"})])
        .await;
}
