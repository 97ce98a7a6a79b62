//! RunTask's own members.

use longshore_wire::Operation::RunTask;
use serde_json::json;

use super::{CLIENT, INVALID, NO_CLUSTER, SERIALIZATION, check, check_accepted, world};

#[tokio::test]
async fn a_task_definition_must_be_one_that_can_be_run() {
    check(
        &world().await,
        RunTask,
        &[
            (json!({}), CLIENT, "TaskDefinition can not be blank."),
            (json!({"taskDefinition": null}), CLIENT, "TaskDefinition can not be blank."),
            (json!({"taskDefinition": ""}), CLIENT, "TaskDefinition can not be blank."),
            (json!({"taskDefinition": "nothing"}), CLIENT, "TaskDefinition not found."),
            (json!({"taskDefinition": "job:2"}), CLIENT, "TaskDefinition not found."),
            (json!({"taskDefinition": "old"}), CLIENT, "TaskDefinition not found."),
            (json!({"taskDefinition": "old:1"}), CLIENT, "TaskDefinition is inactive"),
            (json!({"taskDefinition": "job:abc"}), INVALID, "Invalid revision number. Number: abc"),
            (json!({"taskDefinition": "job:0"}), INVALID, "Invalid revision number. Number: 0"),
            (json!({"taskDefinition": "job:+1"}), INVALID, "Invalid revision number. Number: +1"),
            (json!({"taskDefinition": "job:"}), INVALID, "Invalid revision number. Number: "),
            (
                json!({"taskDefinition": "job:99999999999"}),
                INVALID,
                "Invalid revision number. Number: 99999999999",
            ),
            (json!({"taskDefinition": "no blanks"}), CLIENT, "Family contains invalid characters."),
            (
                json!({"taskDefinition": 7}),
                SERIALIZATION,
                "NUMBER_VALUE cannot be converted to String (at taskDefinition)",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_cluster_must_be_there() {
    check(
        &world().await,
        RunTask,
        &[
            (
                json!({"cluster": "elsewhere", "taskDefinition": "job"}),
                NO_CLUSTER,
                "Cluster not found.",
            ),
            (
                json!({"cluster": "gone", "taskDefinition": "job"}),
                NO_CLUSTER,
                "The referenced cluster was inactive.",
            ),
            (
                json!({"cluster": "no blanks", "taskDefinition": "job"}),
                INVALID,
                r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was no blanks",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn one_to_ten_tasks_are_run_at_a_time() {
    let world = world().await;
    let body = |count: i64| json!({"taskDefinition": "job", "count": count});
    check(
        &world,
        RunTask,
        &[
            (body(0), INVALID, "count must be at least 1"),
            (body(-1), INVALID, "count must be at least 1"),
            (body(i64::from(i32::MIN)), INVALID, "count must be at least 1"),
            (body(11), INVALID, "count must be at most 10"),
            (body(i64::from(i32::MAX)), INVALID, "count must be at most 10"),
            (
                body(1 << 40),
                SERIALIZATION,
                "NUMBER_VALUE cannot be converted to Integer (at count)",
            ),
            (
                json!({"taskDefinition": "job", "count": "2"}),
                SERIALIZATION,
                "STRING_VALUE cannot be converted to Integer (at count)",
            ),
            (
                json!({"taskDefinition": "job", "count": 1.5}),
                SERIALIZATION,
                "NUMBER_VALUE cannot be converted to Integer (at count)",
            ),
        ],
    )
    .await;
    check_accepted(
        &world,
        RunTask,
        &[body(1), body(10), json!({"taskDefinition": "job", "count": null})],
    )
    .await;
}

#[tokio::test]
async fn started_by_is_a_short_mark() {
    let world = world().await;
    let body = |text: &str| json!({"taskDefinition": "job", "startedBy": text});
    const CHARACTERS: &str = "startedBy contains invalid characters. Letters, digits, hyphens, underscores, slashes and spaces are allowed.";
    check(
        &world,
        RunTask,
        &[
            (body(&"x".repeat(129)), INVALID, "startedBy longer than 128."),
            (body("a\tb"), INVALID, CHARACTERS),
            (body("é"), INVALID, CHARACTERS),
        ],
    )
    .await;
    let longest = "x".repeat(128);
    let accepted = [body(&longest), body("ecs-svc/1"), body("ECS Deploy"), body("")];
    check_accepted(&world, RunTask, &accepted).await;
}

#[tokio::test]
async fn a_group_is_in_the_caller_s_own_namespace() {
    let world = world().await;
    let body = |text: &str| json!({"taskDefinition": "job", "group": text});
    check(
        &world,
        RunTask,
        &[
            (body("service:web"), INVALID, "Invalid namespace for group."),
            (body("other:web"), INVALID, "Invalid namespace for group."),
            (body(":web"), INVALID, "Invalid namespace for group."),
            (body(&"x".repeat(256)), INVALID, "group longer than 255."),
        ],
    )
    .await;
    let longest = "é".repeat(255);
    check_accepted(&world, RunTask, &[body(&longest), body("family:other"), body("any words")])
        .await;
}

#[tokio::test]
async fn a_launch_type_is_one_that_container_instances_serve() {
    let world = world().await;
    let body = |text: &str| json!({"taskDefinition": "job", "launchType": text});
    check(&world, RunTask, &[
        (body("FARGATE"), INVALID, "launchType FARGATE is not available here: Longshore runs tasks on container instances. Use EC2 or EXTERNAL, leave it out, or start the server with --fargate-on-instances."),
        (body("ec2"), INVALID, "launch type should be one of [EC2,FARGATE,EXTERNAL]"),
        (body(""), INVALID, "launch type should be one of [EC2,FARGATE,EXTERNAL]"),
    ])
    .await;
    check_accepted(&world, RunTask, &[body("EC2"), body("EXTERNAL")]).await;
}
