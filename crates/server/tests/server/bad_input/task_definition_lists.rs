//! DeregisterTaskDefinition, DeleteTaskDefinitions, ListTaskDefinitions and
//! ListTaskDefinitionFamilies.

use longshore_wire::Operation::{
    DeleteTaskDefinitions, DeregisterTaskDefinition, ListTaskDefinitionFamilies,
    ListTaskDefinitions,
};
use serde_json::{Value, json};

use super::{CLIENT, INVALID, SERIALIZATION, check, check_accepted, world};

fn arn(account: &str, resource: &str) -> String {
    format!("arn:aws:ecs:us-east-1:{account}:{resource}")
}

#[tokio::test]
async fn one_revision_is_deregistered() {
    let named = |text: &str| json!({"taskDefinition": text});
    let world = world().await;
    check(
        &world,
        DeregisterTaskDefinition,
        &[
            (json!({}), CLIENT, "TaskDefinition can not be blank."),
            (named(""), CLIENT, "TaskDefinition can not be blank."),
            (named("job"), CLIENT, "Revision is missing."),
            (named(&arn("111122223333", "task-definition/job")), CLIENT, "Revision is missing."),
            (named("job:abc"), INVALID, "Invalid revision number. Number: abc"),
            (named("job:0"), INVALID, "Invalid revision number. Number: 0"),
            (named("job:-1"), INVALID, "Invalid revision number. Number: -1"),
            (named("job:2"), CLIENT, "Unable to describe task definition."),
            (named("nothing:1"), CLIENT, "Unable to describe task definition."),
            (named("no blanks:1"), CLIENT, "Family contains invalid characters."),
            (
                named(&arn("111122223333", "cluster/default")),
                INVALID,
                "Unsupported resource type: cluster",
            ),
            (
                named(&arn("999900001111", "task-definition/job:1")),
                INVALID,
                "Identifier is for 999900001111. Your accountId is 111122223333",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_revision_that_is_deregistered_again_stays_as_it_is() {
    let world = world().await;
    let before = world.state().revision();
    world.clock.move_by_secs(5);
    let answer = world.ask(DeregisterTaskDefinition, json!({"taskDefinition": "old:1"})).await;
    assert_eq!(answer["taskDefinition"]["status"], "INACTIVE");
    assert_eq!(world.state().revision(), before);
}

#[tokio::test]
async fn one_to_ten_definitions_are_deleted() {
    let world = world().await;
    let body = |count: usize| json!({"taskDefinitions": vec!["old:7"; count]});
    check(
        &world,
        DeleteTaskDefinitions,
        &[
            (json!({}), INVALID, "TaskDefinitions cannot be empty."),
            (body(0), INVALID, "TaskDefinitions cannot be empty."),
            (body(11), INVALID, "TaskDefinitions can have at most 10 items."),
            (
                json!({"taskDefinitions": "old:1"}),
                SERIALIZATION,
                "Expected list or null (at taskDefinitions)",
            ),
        ],
    )
    .await;
    check_accepted(&world, DeleteTaskDefinitions, &[body(10)]).await;
}

#[tokio::test]
async fn what_cannot_be_deleted_is_a_failure_and_changes_nothing() {
    const INVALID_NAME: &str = "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.";
    const UNKNOWN: &str = "The specified task definition does not exist. Specify a valid account, family, revision and try again.";
    const ACTIVE: &str = "The specified task definition is still in ACTIVE status. Please deregister the target and try again.";
    let world = world().await;
    let before = world.state().revision();
    let own = |name: &str| arn("111122223333", &format!("task-definition/{name}"));
    let elsewhere = arn("999900001111", "task-definition/old:1");
    for (name, arn, reason) in [
        ("job:1", own("job:1"), ACTIVE),
        (&own("job:1"), own("job:1"), ACTIVE),
        ("job:2", own("job:2"), UNKNOWN),
        ("nothing:1", own("nothing:1"), UNKNOWN),
        ("old", own("old"), INVALID_NAME),
        ("old:x", own("old:x"), INVALID_NAME),
        ("", own(""), INVALID_NAME),
        (&elsewhere, elsewhere.clone(), INVALID_NAME),
    ] {
        let answer = world.ask(DeleteTaskDefinitions, json!({"taskDefinitions": [name]})).await;
        let failures = json!([{"arn": arn, "reason": reason}]);
        assert_eq!(answer, json!({"taskDefinitions": [], "failures": failures}), "{name}");
    }
    assert_eq!(world.state().revision(), before);
}

#[tokio::test]
async fn lists_of_definitions_are_filtered_by_known_words() {
    const FAMILY: &str = r"familyPrefix must match ^[a-zA-Z0-9\-_]+$";
    let world = world().await;
    check(
        &world,
        ListTaskDefinitions,
        &[
            (json!({"familyPrefix": "no blanks"}), INVALID, FAMILY),
            (json!({"familyPrefix": "job:1"}), INVALID, FAMILY),
            (
                json!({"status": "active"}),
                INVALID,
                "status should be one of [ACTIVE,INACTIVE,DELETE_IN_PROGRESS]",
            ),
            (json!({"sort": "asc"}), INVALID, "sort should be one of [ASC,DESC]"),
        ],
    )
    .await;
    check(
        &world,
        ListTaskDefinitionFamilies,
        &[
            (json!({"familyPrefix": "é"}), INVALID, FAMILY),
            (
                json!({"status": "DELETE_IN_PROGRESS"}),
                INVALID,
                "status should be one of [ACTIVE,INACTIVE,ALL]",
            ),
        ],
    )
    .await;
    let of_nothing = json!({"familyPrefix": "", "status": "", "sort": null});
    check_accepted(&world, ListTaskDefinitions, &[of_nothing, json!({})]).await;
}

#[tokio::test]
async fn a_token_belongs_to_its_list_of_definitions() {
    let world = world().await;
    world.define("job", json!({"memory": 64})).await;
    world.define("web", json!({"memory": 64})).await;
    let token = async |operation, body: Value| -> String {
        let page = world.ask(operation, super::with(body, json!({"maxResults": 1}))).await;
        page["nextToken"].as_str().unwrap().into()
    };
    let definitions = token(ListTaskDefinitions, json!({})).await;
    let families = token(ListTaskDefinitionFamilies, json!({})).await;
    let bad = |token: &str, more: Value| {
        (super::with(json!({"nextToken": token}), more), INVALID, "Invalid token.")
    };
    check(
        &world,
        ListTaskDefinitions,
        &[
            bad(&families, json!({})),
            bad(&definitions, json!({"familyPrefix": "job"})),
            bad(&definitions, json!({"sort": "DESC"})),
            bad(&definitions, json!({"status": "INACTIVE"})),
            (json!({"maxResults": 0}), INVALID, "maxResults must be at least 1"),
            (json!({"maxResults": 101}), INVALID, "maxResults must be at most 100"),
        ],
    )
    .await;
    check(
        &world,
        ListTaskDefinitionFamilies,
        &[
            bad(&definitions, json!({})),
            bad(&families, json!({"status": "ACTIVE"})),
            bad(&families, json!({"familyPrefix": "j"})),
            (json!({"maxResults": 0}), INVALID, "maxResults must be at least 1"),
        ],
    )
    .await;
}
