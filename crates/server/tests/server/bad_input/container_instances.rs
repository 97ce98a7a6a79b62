//! ListContainerInstances and DescribeContainerInstances. Filters that cannot be read are in
//! `expressions`.

use longshore_wire::Operation::{DescribeContainerInstances, ListContainerInstances};
use serde_json::json;

use super::{CLIENT, INVALID, NO_CLUSTER, check, check_accepted, world};

const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

#[tokio::test]
async fn a_list_is_of_active_or_draining_instances() {
    const STATUS: &str = "Container instance status should be one of [ACTIVE,DRAINING]";
    let world = world().await;
    check(
        &world,
        ListContainerInstances,
        &[
            (json!({"status": "INACTIVE"}), INVALID, STATUS),
            (json!({"status": "active"}), INVALID, STATUS),
            (json!({"cluster": "elsewhere"}), NO_CLUSTER, "Cluster not found."),
            (json!({"cluster": "gone"}), NO_CLUSTER, "The referenced cluster was inactive."),
        ],
    )
    .await;
    check_accepted(
        &world,
        ListContainerInstances,
        &[
            json!({"status": "ACTIVE"}),
            json!({"status": "DRAINING"}),
            json!({"status": "", "filter": ""}),
        ],
    )
    .await;
}

#[tokio::test]
async fn pages_have_1_to_100_entries_and_a_token_belongs_to_its_list() {
    let world = world().await;
    world.register(&crate::harness::Machine::default()).await;
    let page = world.ask(ListContainerInstances, json!({"maxResults": 1})).await;
    let token = page["nextToken"].as_str().unwrap();
    check(
        &world,
        ListContainerInstances,
        &[
            (json!({"maxResults": 0}), INVALID, "maxResults must be at least 1"),
            (json!({"maxResults": -1}), INVALID, "maxResults must be at least 1"),
            (json!({"maxResults": 101}), INVALID, "maxResults must be at most 100"),
            (json!({"nextToken": "x"}), INVALID, "Invalid token."),
            (json!({"nextToken": ""}), INVALID, "Invalid token."),
            (json!({"nextToken": token, "status": "ACTIVE"}), INVALID, "Invalid token."),
            (
                json!({"nextToken": token, "filter": "agentConnected == true"}),
                INVALID,
                "Invalid token.",
            ),
        ],
    )
    .await;
    check_accepted(
        &world,
        ListContainerInstances,
        &[
            json!({"maxResults": 1, "nextToken": token}),
            json!({"maxResults": 100, "nextToken": token}),
        ],
    )
    .await;
}

#[tokio::test]
async fn one_to_a_hundred_instances_are_described() {
    let world = world().await;
    let body = |count: usize| json!({"containerInstances": vec![NOBODY; count]});
    check(
        &world,
        DescribeContainerInstances,
        &[
            (json!({}), CLIENT, "Container Instances cannot be empty."),
            (body(0), CLIENT, "Container Instances cannot be empty."),
            (body(101), INVALID, "instanceIds can have at most 100 items."),
            (
                super::with(body(1), json!({"cluster": "elsewhere"})),
                NO_CLUSTER,
                "Cluster not found.",
            ),
            (
                super::with(body(1), json!({"include": ["HEALTH"]})),
                INVALID,
                "include should be one of [CONTAINER_INSTANCE_HEALTH,TAGS]",
            ),
        ],
    )
    .await;
    check_accepted(&world, DescribeContainerInstances, &[body(100)]).await;
}
