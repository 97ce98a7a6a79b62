//! CreateCluster and DescribeClusters.

use longshore_wire::Operation::{CreateCluster, DescribeClusters};
use serde_json::json;

use super::{INVALID, SERIALIZATION, check, check_accepted, world};

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
