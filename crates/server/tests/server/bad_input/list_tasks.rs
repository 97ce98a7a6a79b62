//! ListTasks.

use longshore_wire::Operation::{ListTasks, RunTask};
use serde_json::json;

use super::{INVALID, NO_CLUSTER, check, check_accepted, world};
use crate::harness::Machine;

const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

#[tokio::test]
async fn some_filters_stand_alone() {
    const STARTED_BY: &str = "cannot specify startedBy with other arguments";
    const SERVICE: &str = "cannot specify serviceName with other arguments";
    let world = world().await;
    check(
        &world,
        ListTasks,
        &[
            (json!({"startedBy": "a", "family": "b"}), INVALID, STARTED_BY),
            (json!({"startedBy": "a", "containerInstance": NOBODY}), INVALID, STARTED_BY),
            (json!({"startedBy": "a", "serviceName": "b"}), INVALID, STARTED_BY),
            (json!({"serviceName": "a", "family": "b"}), INVALID, SERVICE),
            (json!({"serviceName": "a", "containerInstance": NOBODY}), INVALID, SERVICE),
        ],
    )
    .await;
    check_accepted(&world, ListTasks, &[
        json!({"startedBy": "a", "desiredStatus": "STOPPED", "cluster": "default", "maxResults": 1}),
        json!({"family": "a", "containerInstance": NOBODY}),
        json!({"family": "unknown"}),
        json!({"startedBy": "ecs-svc/9223370564342348388"}),
    ])
    .await;
}

/// There are no services, so no name is that of one.
#[tokio::test]
async fn a_service_that_is_filtered_by_must_be_there() {
    const NO_SERVICE: &str = "ServiceNotFoundException";
    let own = |resource: &str| format!("arn:aws:ecs:us-east-1:111122223333:service/{resource}");
    let world = world().await;
    check(
        &world,
        ListTasks,
        &[
            (json!({"serviceName": "a"}), NO_SERVICE, "Service not found."),
            (json!({"serviceName": own("a")}), NO_SERVICE, "Service not found."),
            (
                json!({"serviceName": own("default/a"), "desiredStatus": "STOPPED"}),
                NO_SERVICE,
                "Service not found.",
            ),
            (
                json!({"serviceName": own("batch/a")}),
                INVALID,
                "Invalid identifier: Identifier is for cluster batch. Your cluster is default",
            ),
            (
                json!({"serviceName": "no blanks"}),
                INVALID,
                r"ServiceName must match ^[a-zA-Z0-9\-_]{1,255}$, but was no blanks",
            ),
            (json!({"serviceName": "a", "cluster": "elsewhere"}), NO_CLUSTER, "Cluster not found."),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_filter_is_checked() {
    let world = world().await;
    const STATUS: &str = "desiredStatus should be one of [RUNNING,PENDING,STOPPED]";
    check(
        &world,
        ListTasks,
        &[
            (json!({"cluster": "elsewhere"}), NO_CLUSTER, "Cluster not found."),
            (json!({"cluster": "gone"}), NO_CLUSTER, "The referenced cluster was inactive."),
            (json!({"family": "no blanks"}), INVALID, r"family must match ^[a-zA-Z0-9\-_]+$"),
            (json!({"startedBy": "x".repeat(129)}), INVALID, "startedBy longer than 128."),
            (
                json!({"containerInstance": "nonsense"}),
                INVALID,
                "Container Instance Identifier is invalid",
            ),
            (json!({"desiredStatus": "DEAD"}), INVALID, STATUS),
            (json!({"desiredStatus": "running"}), INVALID, STATUS),
            (
                json!({"launchType": "other"}),
                INVALID,
                "launch type should be one of [EC2,FARGATE,EXTERNAL]",
            ),
        ],
    )
    .await;
    let pending = world.ask(ListTasks, json!({"desiredStatus": "PENDING"})).await;
    assert_eq!(pending, json!({"taskArns": []}));
}

#[tokio::test]
async fn pages_have_1_to_100_entries_and_a_token_belongs_to_its_list() {
    let world = world().await;
    let agent = world.join(&Machine::default()).await;
    world.ask(RunTask, json!({"taskDefinition": "job", "count": 2})).await;
    let page = world.ask(ListTasks, json!({"maxResults": 1})).await;
    let token = page["nextToken"].as_str().unwrap();
    check(
        &world,
        ListTasks,
        &[
            (json!({"maxResults": 0}), INVALID, "maxResults must be at least 1"),
            (json!({"maxResults": 101}), INVALID, "maxResults must be at most 100"),
            (json!({"nextToken": "0".repeat(64)}), INVALID, "Invalid token."),
            (json!({"nextToken": token, "family": "job"}), INVALID, "Invalid token."),
            (json!({"nextToken": token, "desiredStatus": "STOPPED"}), INVALID, "Invalid token."),
        ],
    )
    .await;
    drop(agent);
}
