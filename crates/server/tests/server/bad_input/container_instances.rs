//! Operations on container instances. Filters that cannot be read are in `expressions`.

use longshore_wire::Operation::{
    DeregisterContainerInstance, DescribeContainerInstances, ListContainerInstances, StartTask,
    UpdateContainerAgent, UpdateContainerInstancesState,
};
use serde_json::json;

use super::{CLIENT, INVALID, NO_CLUSTER, check, check_accepted, world};

const NOBODY: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

#[tokio::test]
async fn a_list_is_of_active_or_draining_instances() {
    const STATUS: &str = "Container instance status should be one of [ACTIVE, DRAINING]";
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

#[tokio::test]
async fn one_instance_is_deregistered_or_its_agent_updated() {
    const NOT_FOUND: &str = "Container instance not found.";
    let world = world().await;
    for operation in [DeregisterContainerInstance, UpdateContainerAgent] {
        let named = |text: &str| json!({"containerInstance": text});
        check(
            &world,
            operation,
            &[
                (json!({}), INVALID, "Container instance can not be blank."),
                (named(""), INVALID, "Container instance can not be blank."),
                (named(NOBODY), INVALID, NOT_FOUND),
                (named("nonsense"), INVALID, "Container Instance Identifier is invalid"),
                (
                    super::with(named(NOBODY), json!({"cluster": "elsewhere"})),
                    NO_CLUSTER,
                    "Cluster not found.",
                ),
                (
                    super::with(named(NOBODY), json!({"cluster": "gone"})),
                    NO_CLUSTER,
                    "The referenced cluster was inactive.",
                ),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn an_instance_with_tasks_is_deregistered_by_force_only() {
    const TASKS: &str = "Found running tasks on the instance.";
    let world = world().await;
    let agent = world.join(&crate::harness::Machine::default()).await;
    let named = json!({"containerInstance": agent.instance});
    let body = json!({"taskDefinition": "job", "containerInstances": [agent.instance]});
    let started = world.ask(StartTask, body).await;
    let task = started["tasks"][0]["taskArn"].as_str().unwrap();
    let unforced = super::with(named.clone(), json!({"force": false}));
    check(
        &world,
        DeregisterContainerInstance,
        &[(named.clone(), INVALID, TASKS), (unforced, INVALID, TASKS)],
    )
    .await;
    world.report(task, "RUNNING").await;
    check(&world, DeregisterContainerInstance, &[(named.clone(), INVALID, TASKS)]).await;
    world.report(task, "STOPPED").await;
    check_accepted(&world, DeregisterContainerInstance, std::slice::from_ref(&named)).await;
    let before = world.state().revision();
    check_accepted(&world, DeregisterContainerInstance, &[named]).await;
    assert_eq!(world.state().revision(), before, "it is INACTIVE already");
}

#[tokio::test]
async fn the_state_of_one_to_ten_instances_is_updated() {
    let world = world().await;
    let body =
        |count: usize| json!({"containerInstances": vec![NOBODY; count], "status": "ACTIVE"});
    check(
        &world,
        UpdateContainerInstancesState,
        &[
            (body(0), CLIENT, "Container Instances cannot be empty."),
            (json!({"status": "ACTIVE"}), CLIENT, "Container Instances cannot be empty."),
            (body(11), INVALID, "instanceIds can have at most 10 items."),
            (json!({"containerInstances": [NOBODY]}), INVALID, "Status can not be blank."),
            (
                super::with(body(1), json!({"status": "INACTIVE"})),
                INVALID,
                "Container instance status should be one of [ACTIVE, DRAINING]",
            ),
            (
                super::with(body(1), json!({"cluster": "elsewhere"})),
                NO_CLUSTER,
                "Cluster not found.",
            ),
            (
                super::with(body(1), json!({"containerInstances": ["i-0123456789abcdef0"]})),
                INVALID,
                "Container Instance Identifier is invalid",
            ),
        ],
    )
    .await;
    let answer = world.ask(UpdateContainerInstancesState, body(10)).await;
    assert_eq!(answer["failures"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer["failures"][0]["reason"], "MISSING");
}

#[tokio::test]
async fn an_agent_that_could_be_updated_is_up_to_date() {
    let world = world().await;
    let arn = world.register(&crate::harness::Machine::default()).await;
    let named = json!({"containerInstance": arn});
    let unknown = "The version of the container agent is not known.";
    check(&world, UpdateContainerAgent, &[(named.clone(), "MissingVersionException", unknown)])
        .await;
    world.connect(&arn).await.leave(&world).await;
    let newest = "There is no update available for your container agent.";
    check(&world, UpdateContainerAgent, &[(named.clone(), "NoUpdateAvailableException", newest)])
        .await;
    world.deregister(&arn).await;
    let inactive = "The referenced container instance was inactive.";
    check(&world, UpdateContainerAgent, &[(named, INVALID, inactive)]).await;
}
