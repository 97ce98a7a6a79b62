//! CreateCluster, DeleteCluster, DescribeClusters and ListClusters.

use longshore_wire::Operation::{
    CreateCluster, DeleteCluster, DescribeClusters, ListClusters, RunTask,
};
use serde_json::json;

use super::{INVALID, NO_CLUSTER, SERIALIZATION, check, check_accepted, world};
use crate::harness::Machine;

#[tokio::test]
async fn a_cluster_s_name_is_1_to_255_letters_digits_hyphens_and_underscores() {
    const NAME: &str = r"ClusterName must match ^[a-zA-Z0-9\-_]{1,255}$";
    let world = world().await;
    check(
        &world,
        CreateCluster,
        &[
            (json!({"clusterName": "no blanks"}), INVALID, NAME),
            (json!({"clusterName": "a.b"}), INVALID, NAME),
            (json!({"clusterName": "é"}), INVALID, NAME),
            (json!({"clusterName": "x".repeat(256)}), INVALID, NAME),
            (json!({"clusterName": "arn:aws:ecs:us-east-1:111122223333:cluster/x"}), INVALID, NAME),
            (
                json!({"clusterName": ["x"]}),
                SERIALIZATION,
                "Start of list found where not expected. (at clusterName)",
            ),
        ],
    )
    .await;
    let longest = "x".repeat(255);
    check_accepted(
        &world,
        CreateCluster,
        &[json!({"clusterName": longest}), json!({"clusterName": ""})],
    )
    .await;
}

#[tokio::test]
async fn an_existing_cluster_is_given_back_and_a_deleted_one_comes_to_life() {
    let world = world().await;
    let before = world.state().revision();
    world.ask(CreateCluster, json!({})).await;
    assert_eq!(world.state().revision(), before);
    let answer = world.ask(CreateCluster, json!({"clusterName": "gone"})).await;
    assert_eq!(answer["cluster"]["status"], "ACTIVE");
}

#[tokio::test]
async fn at_most_a_hundred_clusters_are_described_and_each_has_a_name() {
    let world = world().await;
    let body = |count: usize| json!({"clusters": vec!["default"; count]});
    check(
        &world,
        DescribeClusters,
        &[
            (body(101), INVALID, "Clusters can have at most 100 items."),
            (json!({"clusters": ["default", ""]}), INVALID, "Clusters can not be blank."),
            (
                json!({"clusters": ["no blanks"]}),
                INVALID,
                r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was no blanks",
            ),
            (
                json!({"include": ["SETTINGS", "other"]}),
                INVALID,
                "include should be one of [ATTACHMENTS,CONFIGURATIONS,SETTINGS,STATISTICS,TAGS]",
            ),
        ],
    )
    .await;
    check_accepted(&world, DescribeClusters, &[body(100), body(0), json!({})]).await;
    let gone = world.ask(DescribeClusters, json!({"clusters": ["gone"]})).await;
    assert_eq!(gone["clusters"][0]["status"], "INACTIVE");
}

#[tokio::test]
async fn there_are_no_container_insights() {
    let world = world().await;
    let settings = |name: &str, value: &str| json!({"settings": [{"name": name, "value": value}]});
    const REFUSED: &str = "Longshore cannot honour the setting 'containerInsights': it has no metrics of containers. Use disabled, or leave it out.";
    check(
        &world,
        CreateCluster,
        &[
            (settings("containerInsights", "enabled"), INVALID, REFUSED),
            (settings("containerInsights", "enhanced"), INVALID, REFUSED),
            (
                settings("containerInsights", "on"),
                INVALID,
                "containerInsights should be one of [enhanced,enabled,disabled]",
            ),
            (
                settings("other", "disabled"),
                INVALID,
                "setting name should be one of [containerInsights]",
            ),
        ],
    )
    .await;
    check_accepted(&world, CreateCluster, &[settings("containerInsights", "disabled")]).await;
}

#[tokio::test]
async fn only_an_empty_cluster_can_be_deleted() {
    const INSTANCES: &str =
        "The Cluster cannot be deleted while Container Instances are active or draining.";
    let world = world().await;
    check(
        &world,
        DeleteCluster,
        &[
            (json!({}), INVALID, "Cluster can not be blank."),
            (json!({"cluster": ""}), INVALID, "Cluster can not be blank."),
            (json!({"cluster": "elsewhere"}), NO_CLUSTER, "Cluster not found."),
            (
                json!({"cluster": "no blanks"}),
                INVALID,
                r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was no blanks",
            ),
            (
                json!({"cluster": "default"}),
                "ClusterContainsContainerInstancesException",
                INSTANCES,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_deleted_cluster_is_deleted_again_without_a_change() {
    let world = world().await;
    let before = world.state().revision();
    let answer = world.ask(DeleteCluster, json!({"cluster": "gone"})).await;
    assert_eq!(answer["cluster"]["status"], "INACTIVE");
    assert_eq!(world.state().revision(), before);
}

#[tokio::test]
async fn a_list_of_clusters_has_pages_of_its_own() {
    let world = world().await;
    world.ask(CreateCluster, json!({"clusterName": "more"})).await;
    let page = world.ask(ListClusters, json!({"maxResults": 1})).await;
    let token = page["nextToken"].as_str().unwrap();
    let longer = format!("00{token}");
    check(
        &world,
        ListClusters,
        &[
            (json!({"maxResults": 0}), INVALID, "maxResults must be at least 1"),
            (json!({"maxResults": 101}), INVALID, "maxResults must be at most 100"),
            (json!({"nextToken": ""}), INVALID, "Invalid token."),
            (json!({"nextToken": "default"}), INVALID, "Invalid token."),
            (json!({"nextToken": longer}), INVALID, "Invalid token."),
        ],
    )
    .await;
}

/// No operation leaves tasks without their instance; if one ever did, their cluster would stay.
#[tokio::test]
async fn a_cluster_with_tasks_cannot_be_deleted() {
    let world = world().await;
    let agent = world.join(&Machine::default()).await;
    world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    drop(agent);
    world
        .write(|tx| {
            let instances: Vec<_> = tx.all_instances().map(|it| it.id).collect();
            instances.into_iter().for_each(|it| tx.remove_instance(it));
        })
        .await;
    let row = (
        json!({"cluster": "default"}),
        "ClusterContainsTasksException",
        "The Cluster cannot be deleted while Tasks are active.",
    );
    check(&world, DeleteCluster, &[row]).await;
}
